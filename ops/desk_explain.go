package ops

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// explainRows are shown behind a figure.
const explainRows = 20

// Explain opens a figure: what it means, its formula with its inputs, what it is judged by, and the rows behind it. Errors: NotFound.
func (d *Desk) Explain(ctx context.Context, figure string) (view.Explain, error) {
	v := view.Explain{Figure: figure, At: d.x.now()}
	name, id, one := strings.Cut(figure, ":")
	if one {
		if f := map[string]func(context.Context, *view.Explain, string) error{
			view.FigurePromise: d.explainPromise, view.FigureBalance: d.explainBalance, view.FigureListing: d.explainListing,
			view.FigureDeadline: d.explainDeadline, view.FigureWrong: d.explainWrong, view.FigureWatermark: d.explainWatermark,
			view.FigureRate: d.explainRate, view.FigureForecast: d.explainForecast, view.FigureCompound: d.explainCompound, view.FigureAccount: d.explainAccount,
			view.FigureRisk: d.explainRisk, view.FigureAdvice: d.explainAdvice, view.FigureRule: d.explainRule, view.FigureReconciled: d.explainReconciled,
		}[name+":"]; f != nil {
			err := f(ctx, &v, id)
			return v, err
		}
	} else if f := map[string]func(context.Context, *view.Explain) error{
		view.FigureOversold: d.explainOversold, view.FigureOrdersMinute: d.explainMinute, view.FigureOpenOrders: d.explainOpen,
		view.FigureOnHand: d.explainTruth, view.FigureAvailable: d.explainTruth, view.FigureExposed: d.explainExposed, view.FigureShort: d.explainShort,
		view.FigureSaleToReserved: d.explainLatency, view.FigureSaleToRight: d.explainLatency, view.FigurePushToTold: d.explainLatency,
	}[figure]; f != nil {
		err := f(ctx, &v)
		return v, err
	}
	return v, errs.New(errs.NotFound, "ops.Explain", figure, "There is no figure %s.", figure)
}

func input[N int | int64](name string, n N, text string) view.Input {
	return view.Input{Name: name, Value: number(n), Text: text}
}

func (d *Desk) explainOversold(ctx context.Context, v *view.Explain) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	o := d.oversold(s)
	v.Title, v.Value, v.Unit, v.At, v.Checks = "Oversold", number(o.Units), "units", o.CheckedAt, o.Checks
	v.Level = view.Good
	if o.Units > 0 || slices.ContainsFunc(o.Checks, func(c view.Check) bool { return !c.OK }) {
		v.Level = view.Bad
	}
	v.Sentence = "Units promised to buyers that are not there. A channel sells from the number it was last told without asking us; as long as what all of them may still sell " +
		"stays within what is available, no order of events can oversell a guarded item."
	v.Formula = "oversold = Σ over order lines of (units sold − units held or shipped for them)"
	v.JudgedBy = "0 in guarded mode, always. The first checks are made with every look at this page, the journal is added up in the background with its own time."
	v.Inputs = []view.Input{input("Short", s.truth.Short, "units promised and not there, now"), input("Shared", s.shared, "units that items in shared mode could sell twice: a risk you chose"),
		input("Available", s.truth.Available, "over all items"), input("Channels may sell", s.truth.Exposed, "that we do not know of yet")}
	d.itemTable(v, s, []view.Column{{Name: "Item"}, {Name: "Short", Number: true}, {Name: "Available", Number: true}, {Name: "May still sell", Number: true}},
		func(it itemNow) (bool, []int64) {
			return it.short > 0 || it.exposed > max(0, it.available), []int64{it.short, it.available, it.exposed}
		})
	return nil
}

// itemTable fills in the rows of the items that are wanted, those with the greatest first figure first.
func (d *Desk) itemTable(v *view.Explain, s survey, columns []view.Column, row func(itemNow) (bool, []int64)) {
	type line struct {
		id string
		n  []int64
	}
	var all []line
	for id, it := range s.items {
		if ok, n := row(it); ok {
			all = append(all, line{id, n})
		}
	}
	slices.SortFunc(all, func(a, b line) int {
		if c := slices.Compare(b.n, a.n); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	v.Columns = columns
	v.More = int64(max(0, len(all)-explainRows))
	cat := d.x.catalog.Load()
	for _, l := range all[:min(explainRows, len(all))] {
		cells := []view.Cell{{Text: cat.items[l.id].SKU, Ref: view.Ref{Kind: view.KindItem, ID: l.id}}}
		for _, n := range l.n {
			cells = append(cells, view.Cell{Text: number(n)})
		}
		v.Rows = append(v.Rows, cells)
	}
}

func (d *Desk) explainTruth(ctx context.Context, v *view.Explain) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	t := s.truth
	v.At, v.Unit, v.Title, v.Value = s.at, "units", "On hand", number(t.OnHand)
	v.Sentence = "Units that are physically there, over all locations, as the journal says."
	v.Formula = "on hand = Σ of every movement's change"
	v.Inputs = []view.Input{input("On hand", t.OnHand, "damaged ones included"), input("Reserved", t.Reserved, "held for orders"), input("Damaged", t.Damaged, "cannot be sold")}
	if v.Figure == view.FigureAvailable {
		v.Title, v.Value, v.Formula = "Available", number(t.Available), "available = on hand − reserved − damaged"
		v.Sentence = "Units that may be promised to the next buyer, over all items and locations."
	}
	v.Inputs = append(v.Inputs, input("Movements", t.Movements, "rows in the journal that make these numbers"))
	d.itemTable(v, s, []view.Column{{Name: "Item"}, {Name: "On hand", Number: true}, {Name: "Reserved", Number: true}, {Name: "Damaged", Number: true}, {Name: "Available", Number: true}},
		func(it itemNow) (bool, []int64) {
			return it.onHand != 0, []int64{it.onHand, it.reserved, it.damaged, it.onHand - it.reserved - it.damaged}
		})
	return nil
}

func (d *Desk) explainExposed(ctx context.Context, v *view.Explain) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	v.At, v.Unit, v.Title, v.Value = s.at, "units", "Channels may still sell", number(s.truth.Exposed)
	v.Sentence = "The most all channels together could sell from the numbers they were told, before we learn of it. It includes what pushes on their way could add."
	v.Formula = "Σ over listings of its upper bound × units of the item it takes;  for every guarded item Σ + buffer ≤ available when told"
	v.JudgedBy = "the guarded rule: never more than there is"
	if v.Level = view.Good; len(s.over) > 0 {
		v.Level = view.Bad
	}
	v.Inputs = []view.Input{input("Available", s.truth.Available, "over all items"), input("Buffer", s.truth.Buffer, "kept back by your rules"), input("Items beyond", len(s.over), "guarded items of which more may be sold than there is")}
	d.itemTable(v, s, []view.Column{{Name: "Item"}, {Name: "May still sell", Number: true}, {Name: "Buffer", Number: true}, {Name: "Available", Number: true}},
		func(it itemNow) (bool, []int64) { return it.exposed > 0, []int64{it.exposed, it.buffer, it.available} })
	return nil
}

func (d *Desk) explainShort(ctx context.Context, v *view.Explain) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	v.At, v.Unit, v.Title, v.Value = s.at, "units", "Promised, not there", number(s.truth.Short)
	if v.Level = view.Good; s.truth.Short > 0 {
		v.Level = view.Bad
	}
	v.Sentence = "Units buyers have bought that no location has. The next ones to arrive are theirs, the earliest deadline first."
	v.Formula = "Σ over order lines of (units demanded − held − shipped)"
	v.JudgedBy = "0; whatever is above came from shared mode, from losses in the warehouse, or from sales made before Spillway watched"
	v.Inputs = []view.Input{input("On hand", s.truth.OnHand, "over all items"), input("Reserved", s.truth.Reserved, "held for orders: these are there")}
	d.itemTable(v, s, []view.Column{{Name: "Item"}, {Name: "Short", Number: true}, {Name: "On hand", Number: true}, {Name: "Reserved", Number: true}},
		func(it itemNow) (bool, []int64) { return it.short > 0, []int64{it.short, it.onHand, it.reserved} })
	return nil
}

func (d *Desk) explainMinute(ctx context.Context, v *view.Explain) error {
	t, err := d.trade(ctx)
	if err != nil {
		return err
	}
	v.Title, v.Unit = "Orders in the last minute", "orders"
	v.Sentence = "Orders we have learned of in the last 60 seconds. The bars count by the minute in which the channel made the order."
	v.Formula = "count of orders first seen with their lines within 60 s"
	v.Columns = []view.Column{{Name: "Channel"}, {Name: "Last minute", Number: true}}
	var sum int64
	err = d.look(ctx, "ops.Explain", v.Figure, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		for _, c := range ch.rows {
			n := d.x.gauges.OrdersLastMinute(c.ID)
			sum += n
			v.Rows = append(v.Rows, []view.Cell{{Text: ch.of(c.ID), Ref: view.Ref{Kind: view.KindConnection, ID: c.ID}}, {Text: number(n)}})
		}
		return err
	})
	v.Value = number(sum)
	v.Inputs = []view.Input{input("Today", t.since(d.midnight(t.at)), "created since midnight in "+d.home.String()), input("Last hour", t.since(t.at.Add(-time.Hour)), "by creation")}
	return err
}

func (d *Desk) explainOpen(ctx context.Context, v *view.Explain) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	v.At, v.Title, v.Value, v.Unit = s.at, "Open orders", number(s.open), "orders"
	if s.slack.Late > 0 {
		v.Level = view.Bad
	}
	v.Sentence = "Orders that have not left and are not cancelled, by the time left to the platform's next deadline."
	v.Formula = "open = late + within the hour + later today + after that (orders without a deadline count there)"
	v.JudgedBy = "the deadline fields the platform sends with each order"
	v.Inputs = []view.Input{input("Late", s.slack.Late, "the deadline has passed"), input("Within the hour", s.slack.Hour, ""), input("Later today", s.slack.Today, "until midnight in "+d.home.String()),
		input("After that", s.slack.Later, "or without a deadline")}
	v.Columns = []view.Column{{Name: "State"}, {Name: "Orders", Number: true}, {Name: "Late", Number: true}}
	for _, c := range s.byStatus {
		v.Rows = append(v.Rows, []view.Cell{{Text: states[c.Status]}, {Text: number(c.All)}, {Text: number(c.Late)}})
	}
	return nil
}

func (d *Desk) explainLatency(_ context.Context, v *view.Explain) error {
	g := d.x.gauges.Snapshot()
	t, target := g.PushToTold, time.Duration(0)
	v.Title, v.Formula = "Push to confirmed, p99", "answer of the channel − leaving of the push"
	v.Sentence = "How long channels take to confirm a number they are told. It is their time, not ours; an unseen sale can happen within it, which the exposure counts."
	switch v.Figure {
	case view.FigureSaleToReserved:
		t, target, v.Title = g.SaleToReserved, targetReserved, "Sale to reserved, p99"
		v.Formula = "units held durably − moment the channel sent its message"
		v.Sentence = "How long after a channel tells of a sale its units are held in the ledger. Until then the same units could be promised elsewhere only within the exposure that was counted for them."
	case view.FigureSaleToRight:
		t, target, v.Title = g.ChangeToRight, targetRight, "Change to all channels right, p99"
		v.Formula = "last channel confirmed − change committed, of changes that need a push"
		v.Sentence = "How long after a change that needs a push (a refill, a hold, a receipt) the last channel has confirmed its new number. Most sales need no push at all."
	}
	v.Value, v.Unit = "–", ""
	if t.Count > 0 {
		v.Value = lasting(t.P99)
	}
	v.Inputs = []view.Input{{Name: "p50", Value: lasting(t.P50)}, {Name: "p99", Value: lasting(t.P99)}, {Name: "Longest", Value: lasting(t.Max)},
		input("Measured", t.Count, "in the last "+lasting(t.Window)+", at most the newest "+number(samples))}
	if v.JudgedBy = "no target: it depends on the channel"; target > 0 {
		v.JudgedBy = "target of " + lasting(target) + " for the 99th percentile"
		if t.Count > 0 && t.P99 > target {
			v.Level = view.Watch
		}
	}
	return nil
}
