package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

// MaxOverrides bounds the overrides of one rule set: an operator's few, not another rule set.
const MaxOverrides = 200

// maxReason is in bytes; a note holds it and where the rule was announced.
const maxReason = 500

// Override is what an operator sets against the rules that were shipped, with name and reason. Exactly one of Rate, Band, Deadline, Closure and
// Enable is set. Its days are those of what it holds; on them it takes the place of the rules for the same thing. Source and confidence
// of what it holds are filled in: its author and "operator". It is stored as JSON.
type Override struct {
	Author   string            `json:"author"`
	Reason   string            `json:"reason"`
	At       time.Time         `json:"at"` // when it was made; later ones win
	Rate     *Rate             `json:"rate,omitempty"`
	Band     *Band             `json:"band,omitempty"`
	Deadline *DeadlineRule     `json:"deadline,omitempty"`
	Closure  *calendar.Closure `json:"closure,omitempty"`
	Enable   string            `json:"enable,omitempty"` // id of an announced entry that is to hold
	Span     Span              `json:"span,omitzero"`    // of Enable, where it is not to be the entry's own
}

func (o Override) check() error {
	held := 0
	for _, is := range []bool{o.Rate != nil, o.Band != nil, o.Deadline != nil, o.Closure != nil, o.Enable != ""} {
		if is {
			held++
		}
	}
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "policy.With", o.Author, format, args...)
	}
	switch {
	case !goodWord(o.Author, 100):
		return bad("The override needs its author's name, of at most 100 bytes.")
	case !goodWord(o.Reason, maxReason):
		return bad("The override needs a reason, of at most %d bytes.", maxReason)
	case o.At.IsZero():
		return bad("The override needs the time at which it was made.")
	case held != 1:
		return bad("The override must hold one thing: a rate, a band, a deadline, a closure, or the id of an announced rule to turn on.")
	case o.Rate != nil && o.Rate.ID == "":
		return bad("The overriding rate needs an id of its own: figures are kept under it.")
	case o.Deadline != nil && o.Deadline.ID == "":
		return bad("The overriding deadline needs an id of its own.")
	}
	return nil
}

// With is a rule set in which the overrides hold, those made later over those made earlier. Apply all of them to the shipped set at once: its
// version says which they were. Where a span is cut in two, the later part of a rule goes on under its id with the day appended, so figures of
// either part stay apart. The error is errs.Invalid with a sentence for the operator.
func (rs *RuleSet) With(overrides []Override) (*RuleSet, error) {
	if len(overrides) == 0 {
		return rs, nil
	}
	if len(overrides) > MaxOverrides {
		return nil, errs.New(errs.Invalid, "policy.With", rs.Market, "There are %d overrides; at most %d are taken. Remove those that no longer matter.", len(overrides), MaxOverrides)
	}
	overrides = slices.Clone(overrides)
	slices.SortStableFunc(overrides, func(a, b Override) int { return a.At.Compare(b.At) })
	out := *rs
	out.Sources = make(map[string]Source, len(rs.Sources)+1)
	for key, s := range rs.Sources {
		out.Sources[key] = s
	}
	for _, o := range overrides {
		if err := o.check(); err != nil {
			return nil, err
		}
		if _, taken := rs.Sources[o.Author]; taken {
			return nil, errs.New(errs.Invalid, "policy.With", o.Author, "%q is the name of a source: give the author's own name.", o.Author)
		}
		out.Sources[o.Author] = Source{Title: "set by " + o.Author, Seen: DayOf(o.At, rs.Location())}
		if err := out.apply(o); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(overrides)
	if err != nil {
		return nil, errs.Wrap("policy.With", rs.Market, err)
	}
	sum := sha256.Sum256(text)
	out.Version = rs.Version + "+" + hex.EncodeToString(sum[:6])
	return New(out)
}

// apply puts one checked override in its place. Lists are made anew, never changed: the shipped set keeps its own.
func (rs *RuleSet) apply(o Override) error {
	cited := Cited{Source: o.Author, Confidence: Operator, Note: o.Reason}
	switch {
	case o.Closure != nil:
		x := *o.Closure
		x.Author = o.Author
		rs.Closures = append(slices.Clone(rs.Closures), Closure{Closure: x, Cited: cited})
	case o.Rate != nil:
		r := *o.Rate
		r.Cited = cited
		rs.Rates = put(rs.Rates, r)
	case o.Band != nil:
		b := *o.Band
		b.Cited = cited
		rs.Bands = put(rs.Bands, b)
	case o.Deadline != nil:
		d := *o.Deadline
		d.Cited = cited
		rs.putDeadline(d)
	default:
		return rs.enable(o, cited)
	}
	return nil
}

// enable turns an announced entry on.
func (rs *RuleSet) enable(o Override, cited Cited) error {
	on := func(own Span) Span {
		return Span{From: cmp.Or(o.Span.From, own.From), Until: cmp.Or(o.Span.Until, own.Until)}
	}
	from := func(c Cited) Cited {
		return Cited{Source: cited.Source, Confidence: Operator, Note: o.Reason + " (announced by " + c.Source + ")"}
	}
	for i, r := range rs.Rates {
		if r.ID == o.Enable && r.Announced {
			r.Span, r.Cited = on(r.Span), from(r.Cited)
			rs.Rates = put(slices.Delete(slices.Clone(rs.Rates), i, i+1), r)
			return nil
		}
	}
	for i, b := range rs.Bands {
		if b.ID == o.Enable && b.Announced {
			b.Span, b.Cited = on(b.Span), from(b.Cited)
			rs.Bands = put(slices.Delete(slices.Clone(rs.Bands), i, i+1), b)
			return nil
		}
	}
	for i, d := range rs.DeadlineRules {
		if d.ID == o.Enable && d.Announced {
			d.Span, d.Cited = on(d.Span), from(d.Cited)
			rs.DeadlineRules = slices.Delete(slices.Clone(rs.DeadlineRules), i, i+1)
			rs.putDeadline(d)
			return nil
		}
	}
	for i, r := range rs.Regimes {
		if r.ID == o.Enable && r.Announced {
			r.Span, r.Cited, r.Withdrawn = on(r.Span), from(r.Cited), 0
			rs.Regimes = put(slices.Delete(slices.Clone(rs.Regimes), i, i+1), r)
			return nil
		}
	}
	return errs.New(errs.Invalid, "policy.With", o.Enable, "No announced rate, limit, deadline or way of shipping has the id %q in the rules of %s.", o.Enable, rs.Market)
}

// spanned is a rule whose days can be cut.
type spanned[R any] interface {
	rule
	within(s Span, id string) R // the rule on those days only
}

func (r Rate) within(s Span, id string) Rate                 { r.Span, r.ID = s, id; return r }
func (b Band) within(s Span, id string) Band                 { b.Span, b.ID = s, id; return b }
func (r DeadlineRule) within(s Span, id string) DeadlineRule { r.Span, r.ID = s, id; return r }
func (r Regime) within(s Span, id string) Regime             { r.Span, r.ID = s, id; return r }

// put adds a rule to a list and cuts those that rule the same to the days before and after it.
func put[R spanned[R]](list []R, r R) []R {
	var out []R
	for _, old := range list {
		same := !old.cite().Announced && slices.ContainsFunc(old.only(), func(key string) bool { return slices.Contains(r.only(), key) })
		if !same || !old.span().Overlaps(r.span()) {
			out = append(out, old)
			continue
		}
		was, now := old.span(), r.span()
		if now.From != 0 && (was.From == 0 || was.From < now.From) {
			out = append(out, old.within(Span{From: was.From, Until: now.From}, old.name()))
		}
		if now.Until != 0 && (was.Until == 0 || now.Until < was.Until) {
			id, _, _ := strings.Cut(old.name(), "@") // cut before: no two parts begin on one day
			if id != "" {
				id = fmt.Sprintf("%s@%s", id, now.Until)
			}
			out = append(out, old.within(Span{From: now.Until, Until: was.Until}, id))
		}
	}
	return append(out, r)
}

// putDeadline is put for deadlines, whose rules may be for several kinds of orders: those the new one is not for keep the old rule.
func (rs *RuleSet) putDeadline(d DeadlineRule) {
	var apart []DeadlineRule
	for _, old := range rs.DeadlineRules {
		var shared, rest []Handling
		for _, h := range old.For {
			if slices.Contains(d.For, h) {
				shared = append(shared, h)
			} else {
				rest = append(rest, h)
			}
		}
		if old.Field != d.Field || old.Announced || len(shared) == 0 || len(rest) == 0 || !old.Overlaps(d.Span) {
			apart = append(apart, old)
			continue
		}
		a, b := old, old
		a.For, b.For, b.ID = rest, shared, old.ID+"/"+string(shared[0])
		apart = append(apart, a, b)
	}
	rs.DeadlineRules = put(apart, d)
}
