package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/connector/all"
	"github.com/spillway/spillway/connector/dummy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// ShipOptions say how many orders go out of the door, and what goes wrong meanwhile.
type ShipOptions struct {
	Orders   int
	Seed     uint64
	Failing  float64 // share of calls that fail, of each way to fail
	Database string  // empty: embedded
	Patience time.Duration
	Log      *slog.Logger
	Report   *Report
	Out      io.Writer // how it goes on
}

const (
	// shipStart is a Tuesday morning in New York: deadlines that are counted in business days lie alike in every run.
	shipStart = "2026-03-03T14:00:00Z"
	// hadTime is how long before its deadline an order must have come to be counted on: an hour's work of a warehouse.
	hadTime = time.Hour
	// shipLook is how often the simulators' books are read.
	shipLook = 250 * time.Millisecond
	// shipLeap is how far time is moved on at once where nothing but time is missing, and shipPause the least between two such moves: what connectors
	// leave between their calls is of the machine's time, and news that has to be fetched must not look hours old for it.
	shipLeap, shipPause = 30 * time.Second, 3 * time.Second
	// shipStuck is how long nothing more is told before time is moved on although calls are due.
	shipStuck = 2 * time.Second
	// shipAfter is how long the simulators go on when all is told: calls whose answer was lost may be carried out late.
	shipAfter = 30 * time.Minute
)

// ship is one run.
type ship struct {
	o     ShipOptions
	app   *app.App
	clock *world.Virtual
	shops []*shipShop
	house *shipHouse
	floor *shipFloor
	all   []*shipOrder
	asked map[string]string // what a person was asked, by parcel or order
	began time.Time
	ahead time.Duration
	state string // of the last look, in words
	were  int    // orders not told at the last change of that, and when it was
	moved time.Time
}

// Ship takes orders of four simulated shops through routing, waves, scans, labels and hand-over until every shop knows its number, while every simulator
// fails, and counts in the simulators' own books what was paid and told.
func Ship(ctx context.Context, o ShipOptions) error {
	home, err := os.MkdirTemp("", "spillway-bench-")
	if err != nil {
		return errs.Wrap("bench.Ship", "", err)
	}
	defer os.RemoveAll(home)
	start, err := time.Parse(time.RFC3339, shipStart)
	if err != nil {
		return errs.Wrap("bench.Ship", "", err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	s := &ship{o: o, clock: world.NewVirtual(start), asked: map[string]string{}, began: time.Now()}
	o.Report.uses(ctx, o.Database)
	defer s.close()
	go s.tick(ctx)
	if s.app, err = app.New(ctx, app.Options{Home: home, Database: o.Database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: o.Log, Now: s.clock.Now,
		Vendors: append(all.All(), dummy.Vendor{}), Carriers: shipCarriers(s.clock)}); err != nil {
		return err
	}
	defer s.app.Stop(context.WithoutCancel(ctx))
	if err := s.app.Start(ctx); err != nil {
		return err
	}
	if err := s.furnish(ctx); err != nil {
		return err
	}
	s.floor = newShipFloor(s)
	defer s.floor.stop()
	s.floor.start(ctx)
	if err := s.run(ctx); err != nil {
		return err
	}
	return s.report(ctx)
}

// tick lets the clock run as the machine's does.
func (s *ship) tick(ctx context.Context) {
	const step = 5 * time.Millisecond
	t := time.NewTicker(step)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-t.C:
			now := time.Now()
			s.clock.Advance(now.Sub(last))
			last = now
		case <-ctx.Done():
			return
		}
	}
}

func (s *ship) close() {
	for _, c := range s.shops {
		c.stop()
	}
	if s.house != nil {
		s.house.stop()
	}
}

// run places the orders and watches until all of them are told.
func (s *ship) run(ctx context.Context) error {
	buyers := newShipBuyers(s)
	t := time.NewTicker(shipLook)
	defer t.Stop()
	said, leapt := time.Now(), time.Now()
	for round := 0; ; round++ {
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return errs.New(errs.Unavailable, "bench.Ship", "", "after %s %d of %d orders are not told: %s", s.o.Patience, s.open(), s.o.Orders, s.why(context.WithoutCancel(ctx)))
		}
		if err := buyers.come(); err != nil {
			return err
		}
		if err := s.house.expire(s.shops, round); err != nil {
			return err
		}
		done, still, err := s.look(ctx)
		if ctx.Err() != nil {
			continue // it is said above what is missing
		}
		if err != nil {
			return err
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(s.o.Out, "%s  %d of %d orders placed, %d told, %d things asked of a person, %s\n", time.Since(s.began).Round(time.Second), len(s.all), s.o.Orders, len(s.all)-s.open(), len(s.asked), s.state)
		}
		if done && len(s.all) == s.o.Orders {
			break
		}
		if still && len(s.all) == s.o.Orders && time.Since(leapt) >= shipPause {
			leapt = time.Now()
			s.ahead += shipLeap
			s.clock.Advance(shipLeap)
		}
	}
	for range shipAfter / shipLeap {
		s.clock.Advance(shipLeap)
		select {
		case <-time.After(20 * time.Millisecond): // what was late is carried out, and what it tells is heard
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// look reads the simulators' books for what was told since the last look, and asks the program whether anything but time is missing.
func (s *ship) look(ctx context.Context) (done, still bool, err error) {
	now := s.clock.Now()
	for _, o := range s.all {
		if !o.told.IsZero() {
			continue
		}
		if o.sent, err = o.shop.parcels(o.id); err != nil {
			return false, false, err
		}
		if unitsOf(o.sent) >= o.units {
			o.told = now
		}
	}
	p, err := s.parcels(ctx)
	if err != nil {
		return false, false, err
	}
	for k, v := range p.asked {
		s.asked[k] = v
	}
	s.state = fmt.Sprintf("%d not known, %d on the floor, %d calls due, %d under way, %s of time moved on", p.unknown, p.floor, p.due, p.open, s.ahead)
	if open := s.open(); open != s.were {
		s.were, s.moved = open, time.Now()
	}
	// A call under way has its time, by which it is told from one that was lost; what is only due may be waiting for its turn at a slow shipper.
	still = p.floor == 0 && p.unknown == 0 && p.open == 0 && (p.due == 0 || time.Since(s.moved) > shipStuck)
	return s.open() == 0 && p.floor == 0, still, nil
}

func (s *ship) open() (n int) {
	for _, o := range s.all {
		if o.told.IsZero() {
			n++
		}
	}
	return n
}

// why says of some orders what they wait for.
func (s *ship) why(ctx context.Context) string {
	var out []string
	for _, o := range s.all {
		if o.told.IsZero() && len(out) < 10 {
			out = append(out, s.standing(ctx, o))
		}
	}
	s.floor.mu.Lock()
	defer s.floor.mu.Unlock()
	if s.floor.failed != nil {
		out = append(out, s.floor.failed.Error())
	}
	return s.state + ": " + strings.Join(out, "; ")
}
