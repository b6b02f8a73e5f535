package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// The script repeats in acts of this length.
const (
	actLength = 5 * time.Minute
	// quietTime is the everyday business before the video goes viral.
	quietTime = 25 * time.Second
	// spikeTime is how long the spike lasts; baseline orders a minute of the hot item are multiplied by spikeFactor.
	spikeTime   = 90 * time.Second
	spikeFactor = 50
	hotPerMin   = 8
	// liveAfter and liveTime place the LIVE, for which units of another item are held on the outlet.
	liveAfter = 130 * time.Second
	liveTime  = 60 * time.Second
	liveUnits = 150
	// historyPerMin is the pace at which real order history is replayed.
	historyPerMin = 90
	// cancelShare of the buyers change their minds within the remorse period.
	cancelShare = 0.04
	// packTime is how long the warehouse takes from order to carrier.
	packTime = 45 * time.Second
)

// Run plays buyers and the warehouse until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	// The LIVE's units can be kept once every listing's number is known.
	if err := stage.WaitTold(ctx, d.app, len(d.history.Articles)*len(d.channels)); err != nil {
		return err
	}
	rnd := world.Stream(d.o.Seed, "demo")
	for act := 1; ctx.Err() == nil; act++ {
		if act > 1 {
			if err := d.receive(ctx, restock); err != nil {
				return err
			}
		}
		if err := d.play(ctx, act, rnd); err != nil {
			return err
		}
	}
	return nil
}

func restock(i int) int64 {
	if i == 0 {
		return hotUnits
	}
	return perArticle / 4
}

func (d *Demo) say(format string, args ...any) {
	fmt.Fprintf(d.o.Out, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// play runs one act: history all along, the spike, the LIVE.
func (d *Demo) play(ctx context.Context, act int, rnd *rand.Rand) error {
	hot, live := d.history.Articles[0], d.history.Articles[1]
	began := time.Now().UTC()
	hold := store.Hold{ID: id.New(), ItemID: live.SKU, ConnectionID: d.conns[2], Qty: liveUnits, Title: "LIVE: evening show",
		From: began.Add(liveAfter - 20*time.Second), Until: began.Add(liveAfter + liveTime + 20*time.Second), CreatedBy: "demo"}
	if err := d.app.Ops().PutHold(ctx, hold); errs.Is(err, errs.Insufficient) {
		d.say("no units can be kept for the LIVE: %s", errs.Safe(err))
	} else if err != nil {
		return err
	}
	traffic, err := world.Arrivals(world.Profile{
		Seed: d.o.Seed + uint64(act), Length: actLength, Hot: hot.SKU, HotShare: 1,
		Flows: []world.Flow{{Channel: "0", PerMinute: hotPerMin}, {Channel: "1", PerMinute: hotPerMin / 2}, {Channel: "2", PerMinute: hotPerMin / 4}},
		Spikes: []world.Spike{{Channel: "0", Start: quietTime, Length: spikeTime, Factor: spikeFactor},
			{Channel: "1", Start: quietTime + 5*time.Second, Length: spikeTime, Factor: spikeFactor / 10}},
	})
	if err != nil {
		return err
	}
	show, err := world.Arrivals(world.Profile{Seed: d.o.Seed + 100 + uint64(act), Length: liveAfter + liveTime, Hot: live.SKU, HotShare: 1,
		Flows:  []world.Flow{{Channel: "2", PerMinute: 4}},
		Spikes: []world.Spike{{Channel: "2", Start: liveAfter, Length: liveTime, Factor: 40}}})
	if err != nil {
		return err
	}
	var cast sync.WaitGroup
	actCtx, end := context.WithTimeout(ctx, actLength)
	defer end()
	w := &warehouse{d: d, rnd: rnd}
	cast.Go(func() { w.run(actCtx) })
	cast.Go(func() { d.replay(actCtx, act, w) })
	clock := world.Wall()
	buy := func(a world.Arrival) { w.sell(int(a.Channel[0]-'0'), []stage.Line{{SKU: a.SKU, Qty: a.Qty}}) }
	stopHot, _ := world.Play(clock, traffic, 1, buy)
	stopShow, _ := world.Play(clock, show, 1, buy)
	defer stopHot()
	defer stopShow()
	d.narrate(actCtx, hot, live)
	<-actCtx.Done()
	cast.Wait()
	return nil
}

// narrate tells the person in front of the terminal what happens when.
func (d *Demo) narrate(ctx context.Context, hot, live stage.Article) {
	go func() {
		for _, line := range []struct {
			after time.Duration
			text  string
		}{
			{0, "everyday business: real order history on three channels"},
			{quietTime, fmt.Sprintf("a video goes viral: %s sells %d times its usual rate; there are not enough units for everyone", hot.Title, spikeFactor)},
			{spikeTime, "the spike is over"},
			{liveAfter - spikeTime - quietTime, fmt.Sprintf("LIVE on the outlet: %d units of %s are kept for it", liveUnits, live.Title)},
			{liveTime, "the LIVE is over: what is left of its units returns to everyone"},
		} {
			select {
			case <-time.After(line.after):
				d.say("%s", line.text)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// replay places the baskets of the history in their order, each on one channel.
func (d *Demo) replay(ctx context.Context, act int, w *warehouse) {
	tick := time.NewTicker(time.Minute / historyPerMin)
	defer tick.Stop()
	for i := act * 1000; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s := d.history.Sales[i%len(d.history.Sales)]
		w.sell(i%len(d.channels), s.Lines[:min(len(s.Lines), 4)])
	}
}

// warehouse ships what was sold, and plays the buyers who change their minds.
type warehouse struct {
	d   *Demo
	mu  sync.Mutex
	rnd *rand.Rand
	due []parcel
}

type parcel struct {
	channel int
	id      string
	at      time.Time
	cancel  bool
}

func (w *warehouse) sell(channel int, lines []stage.Line) {
	order, err := w.d.channels[channel].Place(lines)
	if err != nil {
		return // the shop shows too few: a real buyer sees "sold out"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := parcel{channel: channel, id: order, at: time.Now().Add(packTime)}
	if w.rnd.Float64() < cancelShare {
		p.cancel, p.at = true, time.Now().Add(remorse/2)
	}
	w.due = append(w.due, p)
}

func (w *warehouse) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, p := range w.ready(time.Now()) {
			c := w.d.channels[p.channel]
			if p.cancel {
				_ = c.Cancel(p.id) // too late is a buyer's luck
			} else {
				_ = c.Ship(p.id) // an order cancelled meanwhile is not shipped
			}
		}
	}
}

func (w *warehouse) ready(now time.Time) []parcel {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out, rest []parcel
	for _, p := range w.due {
		if p.at.After(now) {
			rest = append(rest, p)
		} else {
			out = append(out, p)
		}
	}
	w.due = rest
	return out
}
