package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// packers stand at each warehouse of ours.
	packers = 6
	// labelWait is how long a packer waits for a label before the parcel is put aside and the next one is scanned.
	labelWait = 5 * time.Second
	// floorPause is between two looks of somebody who has nothing to do.
	floorPause = 100 * time.Millisecond
)

// shipFloor is people who scan: they do what the pages ask, and decide nothing.
type shipFloor struct {
	s      *ship
	cancel context.CancelFunc
	work   sync.WaitGroup
	scans  atomic.Int64
	waves  atomic.Int64
	asides atomic.Int64
	mu     sync.Mutex
	failed error
}

func newShipFloor(s *ship) *shipFloor { return &shipFloor{s: s, cancel: func() {}} }

func (f *shipFloor) start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(ctx)
	for _, node := range ourNodes {
		totes, aside := make(chan string, 1000), make(chan string, 1000)
		f.work.Go(func() { f.each(ctx, func() (bool, error) { return f.release(ctx, node) }) })
		picked := map[string]bool{}
		f.work.Go(func() { f.each(ctx, func() (bool, error) { return f.pick(ctx, node, picked, totes) }) })
		for n := range packers {
			p := &packer{f, node, fmt.Sprintf("s%d", n+1), aside}
			f.work.Go(func() { f.each(ctx, func() (bool, error) { return p.next(ctx, totes) }) })
		}
	}
}

func (f *shipFloor) stop() {
	f.cancel()
	f.work.Wait()
}

// each does something again and again, with a pause when there was nothing to do.
func (f *shipFloor) each(ctx context.Context, do func() (bool, error)) {
	for ctx.Err() == nil {
		did, err := do()
		if err != nil && ctx.Err() == nil {
			f.mu.Lock()
			f.failed = err
			f.mu.Unlock()
		}
		if did && err == nil {
			continue
		}
		select {
		case <-time.After(floorPause):
		case <-ctx.Done():
		}
	}
}

// release takes the waves that are proposed.
func (f *shipFloor) release(ctx context.Context, node string) (bool, error) {
	p, err := f.s.app.Desk().PlanWaves(ctx, view.FloorWaveDraft{Node: node})
	if err != nil || p.Waiting == 0 {
		return false, err
	}
	ids, err := f.s.app.Ops().ReleaseWaves(ctx, view.FloorWaveDraft{ID: id.New(), Node: node, Actor: "lead"})
	f.waves.Add(int64(len(ids)))
	if errs.Is(err, errs.Conflict) { // another look finds out
		return false, nil
	}
	return false, err // the next orders come together for a moment
}

// pick walks the waves that are released, and brings them to the stations.
func (f *shipFloor) pick(ctx context.Context, node string, done map[string]bool, totes chan<- string) (bool, error) {
	p, err := f.s.app.Desk().PlanWaves(ctx, view.FloorWaveDraft{Node: node})
	if err != nil {
		return false, err
	}
	did := false
	for _, w := range p.Open {
		if done[w.ID] {
			continue
		}
		for {
			walk, err := f.s.app.Desk().Pick(ctx, w.ID)
			if err != nil {
				return did, err
			}
			if walk.Now < 0 {
				break
			}
			t := walk.Tasks[walk.Now]
			if _, err := f.scan(ctx, f.s.app.Ops().PickScan, view.Scan{Wave: w.ID, Text: t.SKU, Qty: t.Left, Actor: "picker"}); err != nil {
				return did, err
			}
		}
		done[w.ID], did = true, true
		for range w.Parcels {
			totes <- w.ID
		}
	}
	return did, nil
}

// scan sends a scan with an id of its own. Every tenth is sent twice, as from a station that lost the answer.
func (f *shipFloor) scan(ctx context.Context, to func(context.Context, view.Scan) (view.ScanAnswer, error), s view.Scan) (view.ScanAnswer, error) {
	s.ID = id.New()
	a, err := to(ctx, s)
	if f.scans.Add(1)%10 == 0 && err == nil {
		again, err := to(ctx, s)
		if err != nil || !again.Repeat && a.OK || again.Say != a.Say && again.OK {
			return a, errs.New(errs.Internal, "bench.Ship", s.Text, "sent twice it says %q (%v) and then %q", a.Say, err, again.Say)
		}
	}
	return a, err
}

// packer is somebody at a pack station.
type packer struct {
	f             *shipFloor
	node, station string
	aside         chan string
}

func (p *packer) scan(ctx context.Context, text string) (view.ScanAnswer, error) {
	return p.f.scan(ctx, p.f.s.app.Ops().PackScan, view.Scan{Node: p.node, Station: p.station, Text: text, Actor: p.station})
}

// next opens a parcel of a tote, or one that was put aside, and packs it to its end.
func (p *packer) next(ctx context.Context, totes <-chan string) (bool, error) {
	var code string
	select {
	case code = <-totes:
	default:
		select {
		case code = <-totes:
		case code = <-p.aside:
		default:
			var err error
			if code, err = p.left(ctx); err != nil || code == "" {
				return false, err
			}
		}
	}
	v, err := p.f.s.app.Desk().Pack(ctx, p.node, p.station)
	if err != nil {
		return false, err
	}
	if v.Stage != "" { // what this station has comes first
		p.aside <- code
		return true, p.pack(ctx)
	}
	a, err := p.scan(ctx, code)
	if err != nil || !a.OK {
		return false, err // it was stopped, or somebody else has it
	}
	return true, p.pack(ctx)
}

// left is a parcel that was picked, or put aside for its label, and that nobody has: packers look through what stands about when no tote comes.
func (p *packer) left(ctx context.Context) (code string, err error) {
	err = p.f.s.app.Store().View(ctx, func(tx *store.Tx) error {
		for _, step := range []shipping.StepKind{shipping.Pack, shipping.Hand} {
			all, err := tx.ShipmentsAt(p.node, step, store.ShipmentPlace{}, 50)
			if err != nil {
				return err
			}
			for _, s := range all {
				wave, err := tx.WalksOf(s.Wave)
				claims, cerr := tx.ClaimsGet(s.ID)
				if err != nil || cerr != nil {
					return errors.Join(err, cerr)
				}
				picked := !slices.ContainsFunc(wave, func(t store.FloorTask) bool { return t.Left() > 0 })
				free := len(claims) == 0 && step == shipping.Pack || len(claims) > 0 && !p.f.s.clock.Now().Before(claims[0].Until) // packed and without a claim it waits for the van
				if s.Wave != "" && picked && free {
					code = s.ID
					return nil
				}
			}
		}
		return nil
	})
	return code, err
}

func (p *packer) pack(ctx context.Context) error {
	waited := time.Now()
	for ctx.Err() == nil {
		v, err := p.f.s.app.Desk().Pack(ctx, p.node, p.station)
		if err != nil {
			return err
		}
		text := ""
		switch v.Stage {
		case "":
			return nil
		case "check":
			for _, i := range v.Items {
				if i.In < i.Qty {
					text = fmt.Sprintf("%d*%s", i.Qty-i.In, i.SKU)
					break
				}
			}
		case "weigh":
			text = "412"
		case "label":
			if v.Label == "" {
				if time.Since(waited) > labelWait {
					p.f.asides.Add(1)
					_, err := p.scan(ctx, "SW-ASIDE")
					p.aside <- v.Parcel
					return err
				}
				select {
				case <-time.After(floorPause):
				case <-ctx.Done():
				}
				continue
			}
			return p.finish(ctx, v.Parcel)
		}
		waited = time.Now()
		if _, err := p.scan(ctx, text); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// finish scans the label that came out of the printer, and puts the parcel on the van.
func (p *packer) finish(ctx context.Context, parcel string) error {
	var label string
	err := p.f.s.app.Store().View(ctx, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(parcel)
		label = s.Label.Tracking
		return err
	})
	if err != nil {
		return err
	}
	a, err := p.scan(ctx, label)
	if err == nil && strings.Contains(a.Say, "it has left already") {
		return nil // the simulated carriers go by their clock, and one was faster than this packer: there is nothing left to do with it
	}
	if err != nil || !strings.HasPrefix(a.Say, "Packed") {
		return errs.New(errs.Internal, "bench.Ship", parcel, "its label was refused: %q (%v)", a.Say, err)
	}
	h, err := p.f.scan(ctx, p.f.s.app.Ops().HandScan, view.Scan{Node: p.node, Text: label, Actor: "dispatcher"})
	if err != nil || !h.OK {
		return errs.New(errs.Internal, "bench.Ship", parcel, "it did not get on the van: %q (%v)", h.Say, err)
	}
	return nil
}
