package ops

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// waveState is the name under which the last plan of all open orders is kept, for the pages of all processes.
	waveState = "wave"
	// waveDead is when a plan nobody has said anything of is taken for one whose process died.
	waveDead = 2 * time.Minute
	// waveBeat is how often a plan that is being made says that it is alive.
	waveBeat = 20 * time.Second
	// waveTime bounds one plan and its moves.
	waveTime = 30 * time.Minute
)

// waveKept is the last plan, and how far it is.
type waveKept struct {
	By      string    `json:"by"`
	Began   time.Time `json:"began"`
	Seen    time.Time `json:"seen"`
	Nodes   []string  `json:"nodes,omitempty"`
	Apply   bool      `json:"apply"`
	Running bool      `json:"running"`
	Done    int       `json:"done"`
	Total   int       `json:"total"`
	Failed  string    `json:"failed,omitzero"`
	Plan    WavePlan  `json:"plan"`
}

// StartWave plans all open orders together behind the answer. Errors: Conflict while one runs.
func (x *Ops) StartWave(ctx context.Context, nodes []string, apply bool, actor string) error {
	k := waveKept{By: actor, Nodes: nodes, Apply: apply, Running: true}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		var was waveKept
		if _, _, err := tx.HealthStateGet(waveState, &was); err != nil {
			return err
		}
		if was.Running && tx.Now().Sub(was.Seen) < waveDead {
			return errs.New(errs.Conflict, "ops.StartWave", "", "%s has all open orders planned just now; wait until that is done", was.By)
		}
		k.Began, k.Seen = tx.Now(), tx.Now()
		return tx.HealthStatePut(waveState, tx.Now(), k)
	})
	if err != nil {
		return err
	}
	x.work.Go(func() { x.runWave(k) })
	x.live.notify(RoutingTopic)
	return nil
}

// runWave plans, and says how far it is.
func (x *Ops) runWave(k waveKept) {
	ctx, cancel := context.WithTimeout(x.ctx, waveTime)
	defer cancel()
	var mu sync.Mutex
	keep := func(change func()) {
		mu.Lock()
		defer mu.Unlock()
		change()
		k.Seen = x.now()
		err := x.st.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.HealthStatePut(waveState, tx.Now(), k) })
		if err != nil {
			x.log.Warn("how far the plan of all orders is cannot be stored", "err", err)
		}
		x.live.notify(RoutingTopic)
	}
	over := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		tick := time.NewTicker(waveBeat)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				keep(func() {})
			case <-over:
				return
			}
		}
	})
	plan, err := x.Replan(ctx, k.Nodes, k.Apply, func(done, total int) { keep(func() { k.Done, k.Total = done, total }) })
	close(over)
	beat.Wait()
	keep(func() {
		k.Running, k.Plan = false, plan
		if err != nil {
			k.Failed = errs.Safe(err)
			x.log.Error("the plan of all open orders failed", "err", err)
		}
	})
	if err == nil && k.Apply {
		_ = x.st.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { // the plan itself is kept above; this is for followers of the log
			return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: "routing.replanned", Subject: "routing", Data: jsonOf(map[string]any{"by": k.By, "orders": plan.Orders, "moved": plan.Moved})}})
		})
	}
}

// StartWave plans all open orders together.
func (d *Desk) StartWave(ctx context.Context, a view.WaveDraft) (view.Done, error) {
	if err := d.x.StartWave(ctx, a.Nodes, a.Apply, a.Actor); err != nil {
		return view.Done{}, err
	}
	if a.Apply {
		return view.Done{Sentence: "All open orders are being planned, and those that are better off elsewhere move. You may leave this page; it goes on."}, nil
	}
	return view.Done{Sentence: "All open orders are being planned; nothing moves yet."}, nil
}

// waveView puts the last plan into words.
func (d *Desk) waveView(tx *store.Tx) (*view.Wave, error) {
	var k waveKept
	if _, found, err := tx.HealthStateGet(waveState, &k); err != nil || !found {
		return nil, err
	}
	p := &k.Plan
	v := &view.Wave{At: k.Began, By: k.By, Running: k.Running, Done: int64(k.Done), Total: int64(k.Total), Level: view.Quiet}
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: p.Currency}.String() }
	switch {
	case k.Running && tx.Now().Sub(k.Seen) >= waveDead:
		v.Running, v.Level, v.Sentence = false, view.Watch, "The program ended while it planned. What had moved stays; plan again."
		return v, nil
	case k.Running && k.Total == 0:
		v.Sentence = "All open orders are being planned."
		return v, nil
	case k.Running:
		v.Sentence = number(k.Done) + " of " + number(k.Total) + " orders have moved."
		return v, nil
	case k.Failed != "":
		v.Level, v.Sentence = view.Bad, "It could not be done: "+k.Failed+"."
		return v, nil
	case k.Apply:
		v.Level, v.Sentence = view.Good, plural(p.Moved, "order", "orders")+" of "+number(p.Orders)+" moved; together they cost "+amount(p.Best.Total)+" instead of "+amount(p.Now)+"."
		if p.Stayed > 0 {
			v.Level = view.Watch
			v.Sentence += " " + capital(plural(p.Stayed, "one stayed", "stayed")) + ": changed meanwhile, or no room."
		}
	default:
		v.CanApply = p.ToMove > 0
		v.Sentence = plural(p.ToMove, "order", "orders") + " of " + number(p.Orders) + " would move; together they would cost " + amount(p.Best.Total) + " instead of " + amount(p.Now) + "."
	}
	v.Figures = waveFigures(p, amount)
	cat := d.x.catalog.Load()
	names := func(ids []string) string {
		var out []string
		for _, id := range ids {
			out = append(out, cat.locationName(id))
		}
		return cmp.Or(and(out), "nowhere")
	}
	for _, m := range p.Moves {
		v.Moves = append(v.Moves, view.WaveMove{Order: m.Order, From: names(m.From), To: names(m.To)})
	}
	v.MoreMoves = int64(p.ToMove - len(p.Moves))
	return v, nil
}

func waveFigures(p *WavePlan, amount func(int64) string) []view.Input {
	bill := func(b routing.Bill) string {
		return amount(b.Total) + ", " + late(b) + " late, " + plural(b.Parts, "parcel", "parcels")
	}
	out := []view.Input{
		{Name: "As they are", Value: amount(p.Now), Text: "what each route was expected to cost when it was made"},
		{Name: "One by one, the most urgent first", Value: bill(p.Greedy), Text: "what routing each again would come to"},
		{Name: "All together", Value: bill(p.Best), Text: "this plan; it is never dearer than one by one"},
		{Name: "No plan is cheaper than", Value: amount(p.Lower), Text: "proven by prices of places and scarce units; this plan is at most " + share(p.Gap) + " above"},
		{Name: "Left as they are", Value: number(p.Started + p.Pinned + p.Odd), Text: number(p.Started) + " that somebody works on, " + number(p.Pinned) + " where a person chose, " + number(p.Odd) + " that routing does not take"},
	}
	if p.More {
		out = append(out, view.Input{Name: "Not planned", Value: "more", Text: "a plan takes " + number(routing.MaxOrders) + " orders; those due last were left out"})
	}
	return out
}

// late is how many orders are expected late.
func late(b routing.Bill) string {
	return number((int64(b.Late) + 500_000) / 1_000_000)
}
