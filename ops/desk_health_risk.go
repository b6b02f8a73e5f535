package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// riskPage orders at risk are shown, and adviceShown of an advice.
	riskPage, adviceShown = 50, 5
	// riskSpare more are read than shown, since some may have left since the forecast.
	riskSpare = 50
)

// fillRisk fills in the orders at risk and the advice, of which both need the orders as they are now.
func (d *Desk) fillRisk(ctx context.Context, out *view.Health, s *shopHealth) error {
	if s.Rules == nil || !s.out.found {
		return nil
	}
	var ids []string
	for _, r := range s.out.Risks[:min(len(s.out.Risks), riskPage+riskSpare)] {
		ids = append(ids, r.ID)
	}
	for _, a := range s.out.Advice {
		for _, p := range a.A.Picks[:min(len(a.A.Picks), adviceShown)] {
			ids = append(ids, p.ID)
		}
	}
	return d.look(ctx, "ops.Health", s.Connection.ID, func(tx *store.Tx) error {
		rows, err := d.riskRows(tx, s, ids)
		if err != nil {
			return err
		}
		gone := 0
		for _, r := range s.out.Risks[:min(len(s.out.Risks), riskPage+riskSpare)] {
			if row, ok := rows[r.ID]; !ok {
				gone++
			} else if len(out.Risk) < riskPage {
				out.Risk = append(out.Risk, row)
			}
		}
		out.RiskMore = int64(max(0, s.out.AtRisk-len(out.Risk)-gone))
		if !s.counting() {
			out.Advice = s.advice(rows)
		}
		return nil
	})
}

// riskRows are orders as lists show them, with what is expected of them. Those that have left are not among them.
func (d *Desk) riskRows(tx *store.Tx, s *shopHealth, ids []string) (map[string]view.RiskRow, error) {
	slices.Sort(ids)
	orders, err := tx.OrdersGet(slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	orders = slices.DeleteFunc(orders, func(o order.Order) bool { return !isOpen(&o) || o.ConnectionID != s.Connection.ID })
	rows, err := d.orderRows(tx, s.ch, orders)
	if err != nil {
		return nil, err
	}
	risks := map[string]forecast.Risk{}
	for _, r := range s.out.Risks {
		risks[r.ID] = r
	}
	cat, out := d.x.catalog.Load(), make(map[string]view.RiskRow, len(rows))
	for i, row := range rows {
		o := &orders[i]
		r, known := risks[row.ID]
		x := view.RiskRow{OrderRow: row, Node: cat.nodeName(s.Connection.ID, cmp.Or(r.Node, o.Node()))}
		if x.Waits = d.waits(o, r); known {
			x.Late, x.Expected = millionths(r.Miss), ptr(r.Scan)
			if !r.Due.IsZero() { // the deadline the rate judges by
				due := r.Due
				x.Due, x.DueWhat = &due, cmp.Or(x.DueWhat, "hand to the carrier")
			}
		}
		out[row.ID] = x
	}
	return out, nil
}

// waits says what an order waits for.
func (d *Desk) waits(o *order.Order, r forecast.Risk) string {
	switch {
	case o.Status == order.OnHold:
		return "the channel’s hold"
	case o.Status == order.Unpaid:
		return "its payment"
	case !o.Moments.ReadyAt.IsZero() || o.Status == order.AwaitingCollection:
		return "the carrier’s first scan"
	case r.Ready.IsZero():
		return "packing; the queue is longer than was looked ahead"
	case r.Ready.Before(d.x.now()):
		return "packing, next in its queue"
	}
	return "packing, ready about " + d.clockTime(r.Ready)
}

// advice is what to do now: the fewest orders that save a rate, then the work that would do instead.
func (s *shopHealth) advice(rows map[string]view.RiskRow) (out []view.Advice) {
	for _, a := range s.out.Advice {
		v := s.adviceOf(a)
		for _, p := range a.A.Picks {
			if row, ok := rows[p.ID]; ok && len(v.Orders) < adviceShown {
				v.Orders = append(v.Orders, row)
			}
		}
		sortBySlack(v.Orders)
		out = append(out, v)
	}
	for _, r := range s.out.Remedy {
		out = append(out, s.remedyOf(r))
	}
	return out
}

func sortBySlack(rows []view.RiskRow) {
	slices.SortStableFunc(rows, func(a, b view.RiskRow) int {
		switch {
		case a.Due == nil || b.Due == nil:
			return cmp.Compare(b.Late, a.Late)
		default:
			return cmp.Or(a.Due.Compare(*b.Due), cmp.Compare(b.Late, a.Late), cmp.Compare(a.ID, b.ID))
		}
	})
}

// adviceOf puts a smallest set into words.
func (s *shopHealth) adviceOf(a Advice) view.Advice {
	zone := s.Rules.Location()
	w := wordsOf(a.Metric)
	name := strings.ToLower(w.short)
	until := a.Q.Until.In(zone)
	by := until.Format("15:04")
	if policy.DayOf(until, zone) != s.Day {
		by += " on " + dayWords(policy.DayOf(until, zone), s.at)
	}
	day := dayWords(a.Q.Day, s.at)
	limit := share(a.Q.Limit)
	v := view.Advice{ID: a.ID, Metric: string(a.Metric), Level: view.Watch, By: &a.Q.Until, Count: int64(a.Count)}
	if a.Kind == policy.Enforcement {
		v.Level = view.Bad
	}
	these := "this order"
	if a.Count != 1 {
		these = "these " + number(a.Count) + " orders"
	}
	v.Sentence = "Ship " + these + " by " + by + " and " + name + " " + w.not + " " + share(a.A.After) + "."
	v.Why = "The fewest orders that keep it inside " + limit + " on " + day + ": each is the one of those left that helps most, as far as its node can do them in time."
	if !a.A.Reached {
		v.Sentence = "Ship " + these + " by " + by + ": " + name + " comes to " + share(a.A.After) + " instead of " + share(a.A.Before) + "."
		v.Why = "No set of orders that the nodes can do by then keeps it inside " + limit + " on " + day + "; this is the best there is."
	}
	if len(a.A.Picks) < a.Count {
		v.Why += " The list holds the " + number(len(a.A.Picks)) + " that help most."
	}
	v.Effect = []view.Change{{What: w.short + " expected on " + day, From: share(a.A.Before), To: share(a.A.After), Why: "by the sum of what each order changes"},
		{What: "The same, played again with these first", From: share(a.A.Before), To: share(a.A.Played), Why: "all other orders wait for them"},
		{What: "Chance to be inside " + limit, To: chance(a.A.Chance), From: s.chanceInside(a)}}
	return v
}

// chanceInside is the chance that the rate of an advice is inside its limit without it.
func (s *shopHealth) chanceInside(a Advice) string {
	for _, m := range s.out.Metrics {
		for _, d := range m.Days {
			if m.Metric == a.Metric && d.Day == a.Q.Day {
				return chance(1 - d.Chance(a.Kind))
			}
		}
	}
	return "not known"
}

func (s *shopHealth) remedyOf(r Remedy) view.Advice {
	w := wordsOf(r.Metric)
	name := strings.ToLower(w.short)
	at := " at " + cmp.Or(s.node(r.Node), "the node")
	what := plural(int(r.Amount), "extra hour", "extra hours") + at
	if r.Kind == forecast.MorePeople {
		what = share(policy.PPM(r.Amount*1_000_000)) + " of the usual throughput" + at
	}
	v := view.Advice{ID: string(r.Metric) + "-" + string(r.Kind) + "-" + r.Node, Metric: string(r.Metric), Level: view.Watch,
		Why: "Found by halving: less does not do, by the same forecast.", Ref: view.Ref{Kind: view.KindCapacity}, RefText: "What can be done about capacity"}
	v.Sentence = capital(what) + ": the chance of a breach of " + name + " falls to " + chance(r.Chance) + "."
	if !r.Enough {
		v.Sentence = "Even " + what + " leaves the chance of a breach of " + name + " at " + chance(r.Chance) + "."
		v.Why = "That is the most that was tried; it takes less work coming in, or other nodes."
	}
	v.Effect = []view.Change{{What: "Chance of a breach of " + name, From: s.chanceEver(r.Metric), To: chance(r.Chance)}}
	return v
}

func (s *shopHealth) chanceEver(m policy.Metric) string {
	for i := range s.out.Metrics {
		if s.out.Metrics[i].Metric == m {
			return chance(s.out.Metrics[i].Chance(policy.Enforcement))
		}
	}
	return "not known"
}

// node is our name of a node.
func (s *shopHealth) node(ref string) string {
	if s.nodes == nil {
		return ref
	}
	return s.nodes(ref)
}

// ToDo is an advice with every order it names that is still open. Errors: NotFound once it does not hold any more.
func (d *Desk) ToDo(ctx context.Context, shop, id string) (view.ToDo, error) {
	const op = "ops.ToDo"
	s, err := d.shopHealth(ctx, op, shop, 0)
	if err != nil {
		return view.ToDo{}, err
	}
	i := slices.IndexFunc(s.out.Advice, func(a Advice) bool { return a.ID == id })
	if i < 0 || s.Rules == nil || s.counting() {
		return view.ToDo{}, errs.New(errs.NotFound, op, id, "This advice does not hold any more. Look at what to do now.")
	}
	a := s.out.Advice[i]
	v := view.ToDo{At: s.at, Shop: d.shopStanding(s.ShopRates), Advice: s.adviceOf(a)}
	var ids []string
	for _, p := range a.A.Picks {
		ids = append(ids, p.ID)
	}
	err = d.look(ctx, op, shop, func(tx *store.Tx) error {
		for part := range slices.Chunk(ids, readPage) {
			rows, err := d.riskRows(tx, s, slices.Clone(part))
			if err != nil {
				return err
			}
			for _, id := range part {
				if row, ok := rows[id]; ok {
					v.Orders = append(v.Orders, row)
				}
			}
		}
		return nil
	})
	sortBySlack(v.Orders)
	return v, err
}
