package ops

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// restRounds bounds how often the planner is asked again in a supposition. Units move from givers to takers in two rounds; more are
// needed only where bundles tie items together.
const restRounds = 24

// supposition is one problem as it is, to be changed in thought: the same rules then say what would come of it.
type supposition struct {
	snapshot
	problem string
	at      time.Time
}

// suppose reads a problem as the planner does.
func (d *Desk) suppose(tx *store.Tx, problem string) (supposition, error) {
	cat := d.x.catalog.Load()
	items := cat.members[problem]
	var listings []string
	for _, l := range cat.listingsOf(problem) {
		listings = append(listings, l.ID)
	}
	s := supposition{problem: problem, at: tx.Now()}
	held, err := tx.Balances(items)
	if err != nil {
		return s, err
	}
	shorts, err := tx.ReservationsShort(items)
	if err != nil {
		return s, err
	}
	set, err := d.x.loadBooks(tx, listings)
	if err != nil {
		return s, err
	}
	holds, err := tx.HoldList(tx.Now(), maxHolds)
	s.snapshot = snapshot{cat: cat, held: byItem(held), short: shortOf(shorts), books: set.Books, holds: holds, wires: &d.x.wires}
	return s, err
}

// withHold adds or replaces a hold; withoutHold leaves one out.
func (s supposition) withHold(h store.Hold) supposition {
	s = s.withoutHold(h.ID)
	s.holds = append(s.holds, h)
	return s
}

func (s supposition) withoutHold(id string) supposition {
	s.holds = slices.DeleteFunc(slices.Clone(s.holds), func(h store.Hold) bool { return h.ID == id })
	return s
}

// withRules gives a listing other rules.
func (s supposition) withRules(listing string, r catalog.ListingRules) supposition {
	cat := *s.cat
	cat.listings = maps.Clone(cat.listings)
	l := cat.listings[listing]
	l.Rules = r
	cat.listings[listing] = l
	s.cat = &cat
	return s
}

// later looks at the problem at a later moment.
func (s supposition) later(at time.Time) supposition {
	if at.After(s.at) {
		s.at = at
	}
	return s
}

// refused says in a sentence why the rules cannot be kept for it; empty: they can.
func (s supposition) refused() string {
	err := s.input(s.problem).Validate()
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Safe != "" {
		return e.Safe
	}
	if err != nil {
		return errs.Safe(err)
	}
	return ""
}

// rest is what the listings may sell once every channel has been told all that the planner wants to tell: the planner is asked, its
// pushes are taken as confirmed and their sales as known, until it wants nothing more.
func (s supposition) rest() map[string]int64 {
	in, books := s.input(s.problem), maps.Clone(s.books)
	for id, b := range books {
		b.RetryAt = time.Time{}
		if b.InFlight != nil {
			b = s.confirm(b, b.InFlight.Push)
		}
		b, _ = b.SalesKnownUntil(s.at, s.at)
		books[id] = b
	}
	for round := range restRounds {
		plan := allocation.NewPlan(in, books, allocation.Targets(in, books, s.at), s.at)
		if len(plan.Pushes) == 0 {
			break
		}
		for i, push := range plan.Pushes {
			push.ID = strconv.Itoa(round) + "/" + strconv.Itoa(i)
			b, err := books[push.Listing].PushSent(push, s.at, time.Second)
			if err != nil {
				continue
			}
			books[push.Listing] = s.confirm(b, push)
		}
	}
	out := make(map[string]int64, len(books))
	for id, b := range books {
		out[id] = int64(max(0, b.Exposure))
	}
	return out
}

// confirm takes a push as applied, and every sale before it as known.
func (s supposition) confirm(b allocation.Book, p allocation.Push) allocation.Book {
	next, err := b.PushConfirmed(p.ID, allocation.Answer{At: s.at, After: &p.Quantity})
	if err != nil {
		return b
	}
	next, _ = next.SalesKnownUntil(s.at, s.at)
	return next
}

// compare lists what channels are told differently in two suppositions, and how many units move.
func (s supposition) compare(then supposition, ch channels, why func(raised bool) string) (changes []view.Change, moved int64) {
	was, will := s.rest(), then.rest()
	var up, down int64
	for _, id := range slices.Sorted(maps.Keys(will)) {
		if was[id] == will[id] {
			continue
		}
		l := s.cat.listings[id]
		raised := will[id] > was[id]
		if raised {
			up += will[id] - was[id]
		} else {
			down += was[id] - will[id]
		}
		changes = append(changes, view.Change{What: ch.of(l.ConnectionID) + " · " + cmp.Or(l.SellerSKU, l.ExternalSKU) + " is told", From: number(was[id]), To: number(will[id]), Why: why(raised)})
	}
	return changes, max(up, down)
}

// effect is the sentence over what changes.
func effect(changes []view.Change, moved int64, when string) string {
	if len(changes) == 0 {
		return "No channel is told anything new" + when + "."
	}
	verb := "listings change"
	if len(changes) == 1 {
		verb = "listing changes"
	}
	units := "units move"
	if moved == 1 {
		units = "unit moves"
	}
	return number(len(changes)) + " " + verb + ", " + number(moved) + " " + units + when + "."
}
