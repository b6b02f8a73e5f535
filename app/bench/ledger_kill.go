package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/internal/pgserver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// killTimes is how often the process is killed on each engine, stopTimes how often the database is stopped under it.
	killTimes, stopTimes = 20, 5
	killCallers          = 64
	killItem             = "hot"
	// upTime is how long a process may take to acknowledge again after its database came back.
	upTime = time.Minute
)

// acknowledge reserves without end and writes each id after its answer. An order whose fate is unknown is told again with the same id, as
// every caller is asked to.
func acknowledge(ctx context.Context, c *contender, spec sellerSpec, out io.Writer) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed := make(chan error, spec.Callers)
	for range spec.Callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				order := id.New()
				_, err := c.reserve(ctx, order, spec.Item)
				for errs.Is(err, errs.Unavailable) && err != nil || errs.Is(err, errs.Busy) && err != nil {
					select {
					case <-ctx.Done():
						return
					case <-time.After(20 * time.Millisecond):
					}
					_, err = c.reserve(ctx, order, spec.Item)
				}
				if err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Fprintln(out, order) // one write to a pipe: it comes out whole
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// LedgerKill kills the selling process with SIGKILL, again and again, and stops PostgreSQL under it, and shows that every order that was
// told yes is there, once.
func LedgerKill(ctx context.Context, o LedgerOptions) (err error) {
	dir, err := os.MkdirTemp("", "spillway-kill-")
	if err != nil {
		return errs.Wrap("bench ledger", "", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	table := o.Report.table("kill", "", "kills of the process", "stops of the database", "orders told yes", "lost", "held twice", "held in all", "journal")
	for _, engine := range o.Engines {
		k := &ledgerKill{o: o, table: table, engine: engine, url: "sqlite:" + filepath.Join(dir, "kill.db")}
		if engine == "postgres" {
			if k.pg, err = pgserver.Start(pgserver.Options{Settings: pgSettings, Socket: true}); err != nil {
				if errors.Is(err, pgserver.ErrNotInstalled) {
					o.Report.leave(err)
					continue
				}
				return errs.Wrap("bench ledger", "postgres", err)
			}
			k.url = k.pg.URL()
		}
		o.Report.uses(ctx, k.url)
		err := k.run(ctx)
		if k.pg != nil {
			err = errors.Join(err, k.pg.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type ledgerKill struct {
	o      LedgerOptions
	table  *Table
	engine string
	url    string
	pg     *pgserver.Server
	acked  []string
}

func (k *ledgerKill) run(ctx context.Context) error {
	c, err := spillway(ctx, k.engine, k.url)
	if err != nil {
		return err
	}
	if err := errors.Join(c.stock(ctx, []string{killItem}, endless), c.close()); err != nil {
		return err
	}
	for range killTimes {
		if err := k.kill(ctx); err != nil {
			return err
		}
	}
	stops := 0
	if k.pg != nil {
		if err := k.stop(ctx); err != nil {
			return err
		}
		stops = stopTimes
	}
	held, err := k.verify(ctx)
	if err != nil {
		return err
	}
	// What was lost or held twice has failed above.
	k.table.row(k.engine, figure("kills", killTimes, "%d"), figure("stops", stops, "%d"), figure("acknowledged", len(k.acked), "%d"), figure("lost", 0, "%d"), figure("held_twice", 0, "%d"),
		figure("held", held, "%d"), words("equals balances"))
	return nil
}

func (k *ledgerKill) start(ctx context.Context) (*child, error) {
	c, err := startChild(ctx, k.o.Binary, "seller", sellerSpec{URL: k.url, Item: killItem, Callers: killCallers, Acks: true}, os.Stderr)
	if err != nil {
		return nil, err
	}
	return c, c.read(&sellerNews{})
}

// kill lets a process sell for a moment and kills it.
func (k *ledgerKill) kill(ctx context.Context) error {
	c, err := k.start(ctx)
	if err != nil {
		return err
	}
	if err := c.say("go"); err != nil {
		return err
	}
	if !c.out.Scan() {
		return errs.New(errs.Internal, "bench ledger", "kill", "the process ended by itself: %v", c.out.Err())
	}
	k.acked = append(k.acked, c.out.Text())
	late := time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	k.drain(c)
	_ = c.cmd.Wait() // it was killed
	return ctx.Err()
}

// drain reads what was acknowledged until the process is gone. A line that its death cut short is none.
func (k *ledgerKill) drain(c *child) {
	for c.out.Scan() {
		if len(c.out.Text()) == len(k.acked[0]) {
			k.acked = append(k.acked, c.out.Text())
		}
	}
}

// stop stops the database under a selling process, as a crash would, and starts it again. The process must go on by itself.
func (k *ledgerKill) stop(ctx context.Context) error {
	c, err := k.start(ctx)
	if err != nil {
		return err
	}
	if err := c.say("go"); err != nil {
		return err
	}
	lines := make(chan string, 1024)
	go func() {
		defer close(lines)
		for c.out.Scan() {
			lines <- strings.Clone(c.out.Text())
		}
	}()
	defer func() {
		_ = c.cmd.Process.Kill()
		for l := range lines {
			if len(l) == len(k.acked[0]) {
				k.acked = append(k.acked, l)
			}
		}
		_ = c.cmd.Wait()
	}()
	for range stopTimes {
		if err := k.take(ctx, lines, 500); err != nil { // it sells
			return err
		}
		down := make(chan error, 1)
		go func() { down <- errors.Join(k.pg.Down(), k.pg.Up()) }()
	restarting:
		for {
			select {
			case l, ok := <-lines:
				if !ok {
					return errs.New(errs.Internal, "bench ledger", "kill", "the process ended with the database")
				}
				k.acked = append(k.acked, l)
			case err := <-down:
				if err != nil {
					return errs.Wrap("bench ledger", "postgres", err)
				}
				break restarting
			}
		}
	}
	return k.take(ctx, lines, 2000) // more than were under way: it sells again
}

// take waits for n more acknowledgements.
func (k *ledgerKill) take(ctx context.Context, lines <-chan string, n int) error {
	late := time.NewTimer(upTime)
	defer late.Stop()
	for range n {
		select {
		case l, ok := <-lines:
			if !ok {
				return errs.New(errs.Internal, "bench ledger", "kill", "the process ended by itself")
			}
			k.acked = append(k.acked, l)
		case <-late.C:
			return errs.New(errs.Internal, "bench ledger", "kill", "nothing was acknowledged for %s after the database came back", upTime)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// verify looks every acknowledged order up, proves the ledger and counts what is held.
func (k *ledgerKill) verify(ctx context.Context) (held int64, err error) {
	st, err := store.Open(ctx, k.url, store.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return held, st.View(ctx, func(tx *store.Tx) error {
		there := make(map[string]int64, len(k.acked))
		if err := tx.ReservationsAll(func(r stock.Reservation) bool {
			there[r.OrderID] += r.Held
			held += r.Held
			return true
		}); err != nil {
			return err
		}
		lost := slices.IndexFunc(k.acked, func(order string) bool { return there["api:"+order] != 1 })
		if lost >= 0 {
			return errs.New(errs.Internal, "bench ledger", k.acked[lost], "was told yes and holds %d units", there["api:"+k.acked[lost]])
		}
		for order, n := range there {
			if n != 1 {
				return errs.New(errs.Internal, "bench ledger", order, "holds %d units, not 1", n)
			}
		}
		found, err := tx.LedgerCheck()
		if len(found) > 0 {
			return errs.New(errs.Internal, "bench ledger", k.engine, "the ledger does not prove: %v", found[0])
		}
		return err
	})
}
