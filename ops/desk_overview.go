package ops

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Targets of the measured times, for the 99th percentile.
const (
	targetReserved = 150 * time.Millisecond
	targetRight    = 500 * time.Millisecond
)

// dueRows are shown on the overview.
const dueRows = 12

// Overview answers whether all is right now and for the next hours, and if not, what comes first.
func (d *Desk) Overview(ctx context.Context) (view.Overview, error) {
	s, err := d.survey(ctx)
	if err != nil {
		return view.Overview{}, err
	}
	t, err := d.trade(ctx)
	if err != nil {
		return view.Overview{}, err
	}
	pushes, err := d.pushesLastHour(ctx)
	if err != nil {
		return view.Overview{}, err
	}
	d.askProof(s)
	v := view.Overview{At: d.x.now(), Truth: s.truth, Oversold: d.oversold(s), Orders: t.series(), OrdersDay: t.since(d.midnight(t.at)),
		Open: s.open, DueCount: s.slack, Hot: slices.Clone(s.hot)}
	g := d.x.gauges.Snapshot()
	v.SaleToReserved, v.SaleToRight = latency(g.SaleToReserved, targetReserved), latency(g.ChangeToRight, targetRight)
	v.PushToTold = latency(g.PushToTold, 0)
	err = d.look(ctx, "ops.Overview", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		if v.Live, err = d.liveNow(tx, ch); err != nil {
			return err
		}
		if v.Due, err = d.leastSlack(tx, ch, dueRows); err != nil {
			return err
		}
		apps, err := tx.AppList()
		v.Steps = d.steps(s, len(apps), ch)
		d.fillChannels(&v, s, ch, pushes)
		v.Problems = d.problems(s, ch)
		return err
	})
	v.Level, v.Sentence = sumUp(v)
	return v, err
}

func latency(t Times, target time.Duration) view.Latency {
	return view.Latency{P50: t.P50, P99: t.P99, Count: t.Count, Window: t.Window, Target: target}
}

// fillChannels names the channels of the hot items and lists the connections.
func (d *Desk) fillChannels(v *view.Overview, s survey, ch channels, pushes map[string]int64) {
	for i := range v.Hot {
		v.Hot[i].Parts = slices.Clone(v.Hot[i].Parts)
		for j := range v.Hot[i].Parts {
			v.Hot[i].Parts[j].Channel = ch.of(v.Hot[i].Parts[j].ConnectionID)
		}
	}
	for _, c := range ch.rows {
		w := d.wire(c)
		now := view.ChannelNow{ConnectionID: c.ID, Name: ch.of(c.ID), Vendor: d.vendorTitle(c.Vendor), Level: w.level, State: w.state, Wrong: s.wrong[c.ID],
			Listings: s.listings[c.ID], LastMin: d.x.gauges.OrdersLastMinute(c.ID), Pushes: pushes[c.ID], SeenAt: w.seen}
		if now.State == wireRight && now.Wrong > 0 {
			now.State = catchingUp
		}
		v.OrdersLast += now.LastMin
		v.Channels = append(v.Channels, now)
	}
}

// liveNow are the holds in force.
func (d *Desk) liveNow(tx *store.Tx, ch channels) ([]view.LiveNow, error) {
	holds, err := tx.HoldsActive(tx.Now())
	cat := d.x.catalog.Load()
	var out []view.LiveNow
	for _, h := range holds {
		out = append(out, view.LiveNow{HoldID: h.ID, Title: h.Title, ItemID: h.ItemID, SKU: cmp.Or(cat.items[h.ItemID].SKU, h.ItemID), Channel: ch.of(connectionOf(cat, h)),
			Qty: h.Qty, Left: holdLeft(h), Until: h.Until})
	}
	return out, err
}

func connectionOf(cat *catalogue, h store.Hold) string {
	return cmp.Or(h.ConnectionID, cat.listings[h.ListingID].ConnectionID)
}

func holdLeft(h store.Hold) int64 { return max(0, h.Qty-max(0, h.Sold)) }

// steps are what is still to be done before a shop runs; none once all are done.
func (d *Desk) steps(s survey, apps int, ch channels) []view.Step {
	steps := []view.Step{
		{Name: "Add the app of your platform", Text: "its key and secret", Ref: view.Ref{Kind: view.KindApps}, Done: apps > 0},
		{Name: "Connect a shop", Text: "you sign in there and agree", Ref: view.Ref{Kind: view.KindApps}, Done: len(ch.rows) > 0},
		{Name: "Bring your items and their stock", Text: "spillway import items FILE.csv, then spillway import stock FILE.csv", Ref: view.Ref{Kind: view.KindItems},
			Done: s.truth.Items > 0 && s.truth.Movements > 0},
	}
	if slices.ContainsFunc(steps, func(x view.Step) bool { return !x.Done }) {
		return steps
	}
	return nil
}

// oversold is the figure with the checks behind it: those of every survey, and the last full proof with its own time.
func (d *Desk) oversold(s survey) view.Oversold {
	o := view.Oversold{Units: s.truth.Short, Shared: s.shared, CheckedAt: s.at}
	if s.truth.Items == 0 {
		return view.Oversold{CheckedAt: s.at}
	}
	guarded := 0
	for _, it := range s.items {
		if it.mode != "shared" {
			guarded++
		}
	}
	within := "Σ may still sell ≤ available for " + plural(guarded, "guarded item", "guarded items")
	if len(s.over) > 0 {
		within = "more may be sold than there is of " + and(d.skus(s.over, 3))
	}
	o.Checks = []view.Check{
		{Name: "Nothing is promised that is not there", OK: s.truth.Short == 0, Text: unitsOf(s.truth.Short) + " short over all items"},
		{Name: "No channel may sell more than there is", OK: len(s.over) == 0, Text: within},
		{Name: "Reserved and damaged never exceed on hand", OK: len(s.broken) == 0, Text: plural(s.balances, "balance", "balances") + " read in one snapshot"},
	}
	if p := d.x.proven.Load(); p != nil {
		text := "the whole journal added up at " + d.clockTime(p.At) + ", " + lasting(max(0, d.x.now().Sub(p.At))) + " ago: "
		if n := len(p.Ledger); n == 0 {
			text += "no difference"
		} else {
			text += plural(n, "difference", "differences")
		}
		o.Checks = append(o.Checks, view.Check{Name: "The journal sums to the balances", OK: len(p.Ledger) == 0 && len(p.Books) == 0, Text: text})
	}
	return o
}

// skus are what people call items, at most n of them.
func (d *Desk) skus(ids []string, n int) []string {
	cat := d.x.catalog.Load()
	var out []string
	for _, id := range ids[:min(n, len(ids))] {
		out = append(out, cmp.Or(cat.items[id].SKU, id))
	}
	if more := len(ids) - n; more > 0 {
		out = append(out, number(more)+" more")
	}
	return out
}

const (
	// proofEvery is how often the whole ledger is added up while somebody looks, less often where it is long.
	proofEvery = 15 * time.Second
	// proofMost movements are added up in the background of a page: half a second of a core. The pages of a longer journal show what the daily
	// proof found. With two million here, pages waited half a second for a core while it ran, and a snapshot held for long keeps the
	// database from tidying up behind its writers.
	proofMost = 100_000
)

// askProof has the whole ledger added up in the background. Nobody waits for it.
func (d *Desk) askProof(s survey) {
	if s.truth.Movements <= proofMost {
		d.proved.renew(d.x.ctx, d.x.now, proofEvery, d.x.Prove)
	}
}

// sumUp is the answer in one line.
func sumUp(v view.Overview) (view.Level, string) {
	switch {
	case len(v.Steps) > 0 && (len(v.Problems) == 0 || v.Problems[0].Level != view.Bad):
		return view.Quiet, "Spillway is ready; it needs a shop and its items."
	case len(v.Problems) > 0:
		p := v.Problems[0]
		if n := len(v.Problems) - 1; n > 0 {
			return p.Level, p.Text + " " + plural(n, "more thing needs", "more things need") + " an eye."
		}
		return p.Level, p.Text
	}
	s := "Everything is right: nothing is oversold, " + plural(len(v.Channels), "channel is told", "channels are told") + " the truth"
	switch {
	case v.Open == 0:
		s += ", no order waits."
	case v.DueCount.Hour > 0:
		s += ", " + plural(v.DueCount.Hour, "order leaves", "orders leave") + " within the hour."
	default:
		s += ", no order is late."
	}
	return view.Good, s
}

// Frame is what every page shows around its content.
func (d *Desk) Frame(ctx context.Context) (view.Frame, error) {
	f := view.Frame{Shop: d.o.Shop, Now: d.x.now(), Zones: d.o.Zones, Demo: d.o.Demo, Health: view.Good}
	s, err := d.survey(ctx)
	if err != nil {
		return f, err
	}
	err = d.look(ctx, "ops.Frame", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		problems := d.problems(s, ch)
		f.Text = plural(len(ch.rows), "channel is right.", "channels are right.")
		if len(ch.rows) == 0 {
			f.Health, f.Text = view.Quiet, "No shop is connected."
		}
		if len(problems) > 0 {
			f.Health, f.Text = problems[0].Level, problems[0].Text
		}
		for _, p := range problems {
			if p.Ref.Kind != view.KindProblems {
				f.Problems++
			}
		}
		f.Problems += s.parked
		f.Live, err = d.liveNow(tx, ch)
		return err
	})
	return f, err
}
