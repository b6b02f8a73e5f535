package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Kind says what goes wrong. The list is closed.
type Kind string

// The kinds of fault. The first group answers or cuts an API call, the second changes what a call does, the third
// concerns webhooks; Delay applies to both.
const (
	Throttle     Kind = "throttle"      // refused as too many requests (429); nothing done
	Unavailable  Kind = "unavailable"   // refused as overloaded (503); nothing done
	Internal     Kind = "internal"      // an internal error of the vendor; nothing done
	TokenExpired Kind = "token_expired" // the access token is treated as expired; nothing done
	LostReply    Kind = "lost_reply"    // the work is done, then the connection is cut without an answer
	LostRequest  Kind = "lost_request"  // the connection is cut before anything is done
	Delay        Kind = "delay"         // the call or the webhook takes longer by the rule's delay

	LateEffect Kind = "late_effect" // answered as done at once, takes effect after the rule's delay
	Partial    Kind = "partial"     // a batch is done in part, the rest is reported as failed; calls without batches ignore it

	Duplicate Kind = "duplicate" // a webhook is delivered twice
	Reorder   Kind = "reorder"   // a webhook is held back so that later ones overtake it
	Drop      Kind = "drop"      // a webhook is never sent
)

// Kinds lists every kind in the order a page shows them.
func Kinds() []Kind {
	return []Kind{Throttle, Unavailable, Internal, TokenExpired, LostReply, LostRequest, Delay, LateEffect, Partial,
		Duplicate, Reorder, Drop}
}

// maxRules bounds the rules of one simulator: each call is matched against all of them.
const maxRules = 100

// maxDelay bounds a rule's delay. A day is longer than any retry schedule we simulate.
const maxDelay = 24 * time.Hour

// Duration is a time.Duration that reads and writes as text, such as "1m30s", in JSON.
type Duration time.Duration

// Std is the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is as time.Duration prints it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes what String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads; an empty text is zero.
func (d *Duration) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// Rule arranges one fault.
type Rule struct {
	ID string `json:"id"` // given by Add when empty
	// Point is a pattern for where the fault strikes: a method and path such as
	// "POST /product/202309/products/*/inventory/update", or "webhook:" and an event name. A star stands for any
	// run of characters, slashes too; "*" strikes everywhere.
	Point       string   `json:"point"`
	Kind        Kind     `json:"kind"`
	Probability float64  `json:"probability"` // 0 to 1; 0 means 1, so that a rule without it always strikes
	Remaining   int      `json:"remaining"`   // strikes left; 0 is without end
	Delay       Duration `json:"delay"`       // how long, for kinds that wait; others wait this long before they strike
	Struck      int      `json:"struck"`      // how often it has struck; kept by Faults
}

// Faults is a list of rules and the seeded stream their probabilities are drawn from. The zero value is not usable;
// a nil *Faults never strikes.
type Faults struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	next  int
	rules []Rule
}

// NewFaults makes an empty list that draws from the stream "faults" of seed.
func NewFaults(seed uint64) *Faults { return &Faults{rnd: Stream(seed, "faults")} }

// Add checks and appends a rule and returns it with its id. Rules are tried in the order they were added.
func (f *Faults) Add(r Rule) (Rule, error) {
	if err := r.check(); err != nil {
		return Rule{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.rules) >= maxRules {
		return Rule{}, errs.New(errs.Busy, "world.AddFault", r.ID, "There are %d fault rules already; remove one first.", maxRules)
	}
	if r.ID == "" {
		f.next++
		r.ID = fmt.Sprintf("f%d", f.next)
	}
	if slices.ContainsFunc(f.rules, func(o Rule) bool { return o.ID == r.ID }) {
		return Rule{}, errs.New(errs.Conflict, "world.AddFault", r.ID, "A fault rule with this id exists.")
	}
	r.Struck = 0
	f.rules = append(f.rules, r)
	return r, nil
}

func (r Rule) check() error {
	const op = "world.AddFault"
	switch {
	case r.Point == "":
		return errs.New(errs.Invalid, op, "point", "A fault rule needs a point, such as \"POST /order/*\" or \"webhook:*\".")
	case !slices.Contains(Kinds(), r.Kind):
		return errs.New(errs.Invalid, op, "kind", "There is no fault kind %q; the kinds are %v.", r.Kind, Kinds())
	case !(r.Probability >= 0 && r.Probability <= 1): // written so that NaN fails too
		return errs.New(errs.Invalid, op, "probability", "The probability must lie between 0 and 1.")
	case r.Remaining < 0:
		return errs.New(errs.Invalid, op, "remaining", "The remaining count must not be negative.")
	case r.Delay < 0 || time.Duration(r.Delay) > maxDelay:
		return errs.New(errs.Invalid, op, "delay", "The delay must lie between 0 and %s.", maxDelay)
	}
	return nil
}

// Remove takes a rule away and says whether it was there.
func (f *Faults) Remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.rules)
	f.rules = slices.DeleteFunc(f.rules, func(r Rule) bool { return r.ID == id })
	return len(f.rules) < n
}

// Clear takes all rules away.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// List is a copy of the rules in order, with what is left of each.
func (f *Faults) List() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rules)
}

// Draw tries the rules whose kind is one of kinds (all kinds when none is named) against a point and returns the first
// that strikes. A rule that has used up its strikes disappears.
func (f *Faults) Draw(point string, kinds ...Kind) (Rule, bool) {
	if f == nil {
		return Rule{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		r := &f.rules[i]
		if len(kinds) > 0 && !slices.Contains(kinds, r.Kind) || !Glob(r.Point, point) {
			continue
		}
		if p := r.Probability; p > 0 && p < 1 && f.rnd.Float64() >= p {
			continue
		}
		r.Struck++
		struck := *r
		if r.Remaining > 0 {
			if r.Remaining--; r.Remaining == 0 {
				f.rules = slices.Delete(f.rules, i, i+1)
			}
		}
		return struck, true
	}
	return Rule{}, false
}

// Glob reports whether text matches pattern, in which a star stands for any run of characters, none included.
func Glob(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
