package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/depot"
	"github.com/spillway/spillway/store"
)

// shipState is what the program has still to do, by its own word: it says when to wait, and nothing of the result.
type shipState struct {
	unknown int               // orders it has no parcel for
	floor   int               // parcels somebody must pack or hand over
	due     int               // parcels with a call to be made
	open    int               // parcels with a call under way that changes something
	asked   map[string]string // what a person is asked
}

func (s *ship) parcels(ctx context.Context) (p shipState, err error) {
	p.asked = map[string]string{}
	ids := make([]string, len(s.all))
	for i, o := range s.all {
		ids[i] = o.shop.conn + ":" + o.id
	}
	now := s.clock.Now()
	err = s.app.Store().View(ctx, func(tx *store.Tx) error {
		has := map[string]bool{}
		for part := range slices.Chunk(ids, 500) {
			ships, err := tx.ShipmentsOf(part...)
			if err != nil {
				return err
			}
			for i := range ships {
				p.add(&ships[i], now)
				if ships[i].Stopped.IsZero() {
					for _, o := range ships[i].Orders {
						has[o] = true
					}
				}
			}
		}
		p.unknown = len(ids) - len(has)
		for _, n := range slices.Concat(ourNodes, []string{nodeHero, nodeBob}) {
			ts, err := tx.Troubles(n, 1000)
			if err != nil {
				return err
			}
			for _, t := range ts {
				p.asked[t.Shipment] = "on the bench: " + t.Text
			}
		}
		return p.logins(tx, now)
	})
	return p, err
}

// loginGone is how long a login is refused before it is a person's turn: where it is good again, the next poll finds out.
const loginGone = time.Minute

// logins counts the shops that wait for a person to connect them again: none of their orders goes on by itself.
func (p *shipState) logins(tx *store.Tx, now time.Time) error {
	all, err := tx.ConnectionList()
	for _, c := range all {
		if c.State == store.NeedsLogin && now.Sub(c.UpdatedAt) > loginGone {
			p.asked[c.ID] = "connect the shop again: " + c.StateReason
		}
	}
	return err
}

func (p *shipState) add(s *store.Shipment, now time.Time) {
	step := s.Next(now)
	switch {
	case step.Kind == shipping.Pack || step.Kind == shipping.Hand || step.Kind == shipping.Scan:
		p.floor++
	case step.Kind == shipping.Ask:
		p.asked[s.ID] = s.Question()
	case s.Label.Fate == shipping.Open || s.Tell.Fate == shipping.Open || s.Void.Fate == shipping.Open:
		p.open++
	case s.Label.Fate == shipping.Unknown && now.Before(s.Label.Until): // it is looked for until it cannot be carried out any more
	case step.Kind.Outside() && step.Due(now):
		p.due++
	}
	if q := s.Question(); q != "" {
		p.asked[s.ID] = q
	}
}

// standing is an order and its parcels in a line.
func (s *ship) standing(ctx context.Context, o *shipOrder) string {
	out := o.shop.name + " " + o.id + ":"
	err := s.app.Store().View(ctx, func(tx *store.Tx) error {
		all, err := tx.ShipmentsOf(o.shop.conn + ":" + o.id)
		for _, p := range all {
			step := p.Next(s.clock.Now())
			out += fmt.Sprintf(" [%s %s by %s: %s at %s, label %s %q, told %s %q, stopped %q]", p.Node, p.ID, p.Way, step.Kind, step.At.Format(time.TimeOnly), p.Label.Fate, p.Label.Message, p.Tell.Fate, p.Tell.Message, p.StopWhy)
		}
		return err
	})
	if err != nil {
		out += " " + err.Error()
	}
	return out
}

// paid lists the tracking numbers of everything that was paid for an order, in the books of the shop, the brokers and the providers.
func (s *ship) paid(o *shipOrder) (labels int, numbers []string, err error) {
	if labels, err = o.shop.labels(o.id); err != nil {
		return 0, nil, err
	}
	numbers = slices.Concat(s.house.easypost.Tracking(o.number), s.house.shippo.Tracking(o.number))
	labels += len(numbers)
	for _, floor := range []*depot.Depot{s.house.hero.Floor, s.house.bob.Floor} {
		for _, d := range floor.Orders(func(d depot.Order) bool { return d.Standing() && strings.HasPrefix(d.Number, o.number) }) {
			labels++
			numbers = append(numbers, d.Tracking)
		}
	}
	return labels, numbers, nil
}

// shipCount is the result in the simulators' books.
type shipCount struct {
	once, twice, none, wrong, late, hurried int
	wrongs                                  []string
	waits                                   []time.Duration // from placed to told, of the simulators' time
	least                                   time.Duration   // of what was left before a deadline
}

func (s *ship) count(ctx context.Context) (c shipCount, err error) {
	c.least = 1 << 62
	bad := func(o *shipOrder, format string, args ...any) {
		c.wrongs = append(c.wrongs, fmt.Sprintf("%s %s (placed %s): ", o.shop.name, o.number, o.placed.Format(time.TimeOnly))+fmt.Sprintf(format, args...)+"; here "+s.standing(ctx, o))
	}
	for _, o := range s.all {
		if o.sent, err = o.shop.parcels(o.id); err != nil {
			return c, err
		}
		labels, numbers, err := s.paid(o)
		if err != nil {
			return c, err
		}
		want := 1
		if o.split {
			want = 2
		}
		var told []string
		for _, p := range o.sent {
			told = append(told, p.numbers...)
		}
		own := slices.DeleteFunc(slices.Clone(told), func(n string) bool { return slices.Contains(numbers, n) }) // on the shop's own labels
		shops, err := o.shop.labels(o.id)
		if err != nil {
			return c, err
		}
		switch {
		case labels > want:
			c.twice++
			bad(o, "%d labels are paid: %v; the shop knows %v", labels, numbers, told)
		case labels < want || unitsOf(o.sent) < o.units:
			c.none++
			bad(o, "%d labels are paid, and %d of %d units told", labels, unitsOf(o.sent), o.units)
		case len(o.sent) != want || unitsOf(o.sent) != o.units || len(own) != shops || len(told) != labels:
			c.wrong++
			bad(o, "paid %v and %d of the shop's, told %+v of %d units", numbers, shops, o.sent, o.units)
		default:
			c.once++
		}
		if o.told.IsZero() {
			continue
		}
		c.waits = append(c.waits, o.told.Sub(o.placed))
		if o.due.IsZero() || o.due.Sub(o.placed) < hadTime {
			continue
		}
		c.hurried++
		c.least = min(c.least, o.due.Sub(o.told))
		if o.told.After(o.due) {
			c.late++
			bad(o, "told %s, due %s", o.told.Format(time.TimeOnly), o.due.Format(time.TimeOnly))
		}
	}
	return c, nil
}

func (s *ship) report(ctx context.Context) error {
	s.floor.stop()
	c, err := s.count(ctx)
	if err != nil {
		return err
	}
	unrouted, err := s.unrouted(ctx)
	if err != nil {
		return err
	}
	for o, why := range unrouted {
		s.asked[o] = why
	}
	s.tell(&c)
	wrong := s.o.Report.table("what went wrong")
	for _, line := range c.wrongs[:min(len(c.wrongs), 20)] {
		wrong.row(line)
	}
	for _, k := range slices.Sorted(maps.Keys(s.asked))[:min(len(s.asked), 20)] {
		wrong.row("asked of a person: " + k + " " + s.asked[k])
	}
	proof, err := s.app.Ops().Prove(ctx)
	if err != nil {
		return err
	}
	if s.floor.failed != nil {
		return s.floor.failed
	}
	if len(c.wrongs) > 0 || len(s.asked) > 0 || len(proof.Ledger) > 0 || c.once != s.o.Orders {
		return errs.New(errs.Internal, "bench.Ship", "", "%d orders went wrong, %d things were asked of a person, %d differences in the ledger", len(c.wrongs), len(s.asked), len(proof.Ledger))
	}
	return nil
}

func (s *ship) tell(c *shipCount) {
	took, simulated := time.Since(s.began), s.clock.Now().Sub(s.all[0].placed)
	scans, waves, asides := s.floor.scans.Load(), s.floor.waves.Load(), s.floor.asides.Load()
	p50, p99, longest := quantile(c.waits, .5), quantile(c.waits, .99), quantile(c.waits, 1)
	all := func(ds ...time.Duration) cell {
		var out []string
		for _, d := range ds {
			out = append(out, d.Round(time.Second).String())
		}
		return words(strings.Join(out, ", "))
	}
	w := s.o.Report.table("ship")
	w.row("orders", words(fmt.Sprintf("%d in %s, of the simulators' time %s", len(s.all), took.Round(time.Second), simulated.Round(time.Second))), only("orders", len(s.all)),
		only("took_s", took.Seconds()), only("simulated_s", simulated.Seconds()))
	w.row("scans, waves, put aside for a label", words(fmt.Sprintf("%d, %d, %d", scans, waves, asides)), only("scans", scans), only("waves", waves), only("aside", asides))
	s.struck(w)
	w.row("placed → told, p50, p99, longest", all(p50, p99, longest), only("p50_s", p50.Seconds()), only("p99_s", p99.Seconds()), only("longest_s", longest.Seconds()))
	w.row(fmt.Sprintf("least time left of %d with a deadline", c.hurried), seconds("left", c.least), only("orders", c.hurried))
	w.row("shipped once", figure("orders", c.once, "%d"))
	w.row("paid too often, not shipped, otherwise wrong", words(fmt.Sprintf("%d, %d, %d", c.twice, c.none, c.wrong)), only("paid_too_often", c.twice), only("not_shipped", c.none), only("wrong", c.wrong))
	w.row("late that had time", figure("orders", c.late, "%d"))
	w.row("manual steps", figure("count", len(s.asked), "%d"))
}

// unrouted lists orders that could not be routed at some time.
func (s *ship) unrouted(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := s.app.Store().View(ctx, func(tx *store.Tx) error {
		var at int64
		for {
			events, err := tx.EventsAfter(at, 1000)
			if err != nil || len(events) == 0 {
				return err
			}
			for _, e := range events {
				if at = e.Seq; e.Kind == ops.EventUnrouted {
					out[e.Subject] = string(e.Data)
				}
			}
		}
	})
	return out, err
}

// struck says how often what failed, by simulator.
func (s *ship) struck(w *Table) {
	faults := maps.Clone(s.house.faults)
	for _, c := range s.shops {
		faults[c.name] = c.faults
	}
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		var said []string
		var cells []cell
		for _, r := range faults[name].List() {
			said = append(said, fmt.Sprintf("%s %d", strings.ReplaceAll(string(r.Kind), "_", " "), r.Struck))
			cells = append(cells, only(string(r.Kind), r.Struck))
		}
		w.row("failed at "+name, append(cells, words(strings.Join(said, ", ")))...)
	}
}
