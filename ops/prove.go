package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Proof says whether the books hold: the journal sums to the balances, nothing is promised that is not there, and what channels can
// still sell fits into what is free.
type Proof struct {
	At          time.Time
	Ledger      []stock.Discrepancy
	Short       int64         // units promised by a channel and not there
	OverExposed []OverExposed // items whose Σ exposure + buffer is more than A
	Books       []string      // exposure books that contradict themselves
	Items       int
	Listings    int
}

// OverExposed is an item of which more could be sold than is free.
type OverExposed struct {
	ItemID                     string
	Available, Buffer, Exposed int
	Shared                     bool // in shared mode this is the stated risk
}

// OK reports whether everything guarded holds.
func (p Proof) OK() bool {
	if len(p.Ledger) > 0 || p.Short > 0 || len(p.Books) > 0 {
		return false
	}
	for _, o := range p.OverExposed {
		if !o.Shared {
			return false
		}
	}
	return true
}

// Prove checks journal against balances and exposures against what is free, in one snapshot.
func (x *Ops) Prove(ctx context.Context) (Proof, error) {
	var p Proof
	err := x.st.View(ctx, func(tx *store.Tx) error {
		p = Proof{At: tx.Now()}
		var err error
		if p.Ledger, err = tx.LedgerCheck(); err != nil {
			return err
		}
		if p.Short, err = tx.ShortTotal(); err != nil {
			return err
		}
		return x.proveExposure(tx, &p)
	})
	if err == nil {
		x.proven.Store(&p)
	}
	return p, errs.Wrap("ops.Prove", "", err)
}

func (x *Ops) proveExposure(tx *store.Tx, p *Proof) error {
	cat := x.catalog.Load()
	problems := make([]string, 0, len(cat.members))
	for problem := range cat.members {
		problems = append(problems, problem)
	}
	p.Items, p.Listings = len(cat.items), len(cat.listings)
	for part := range chunks(problems, planBatch*4) {
		plans, err := x.planner.look(tx, part, tx.Balances)
		if err != nil {
			return err
		}
		for _, pl := range plans {
			for id, b := range pl.set.Books {
				if err := b.Check(); err != nil {
					p.Books = append(p.Books, id)
				}
			}
			for _, line := range allocation.NewReport(pl.in, pl.set.Books, pl.targets, tx.Now()).Items {
				// A buffer is the operator's margin: a cancellation may shift it by a unit, so the proof is about A itself.
				if line.Exposed > max(0, line.Promisable) {
					p.OverExposed = append(p.OverExposed, OverExposed{ItemID: line.Item, Available: line.Promisable, Buffer: line.Buffer,
						Exposed: line.Exposed, Shared: line.Mode == allocation.Shared})
				}
			}
		}
	}
	return nil
}

// String is the proof in one line, for logs.
func (p Proof) String() string {
	return fmt.Sprintf("%d discrepancies, %d units short, %d items over-exposed, %d broken books, %d items, %d listings",
		len(p.Ledger), p.Short, len(p.OverExposed), len(p.Books), p.Items, p.Listings)
}

// Received is how many units of an item ever came in from outside: deliveries, finds and returns, net of losses, as the journal says.
func (x *Ops) Received(ctx context.Context, itemID string) (int64, error) {
	var n int64
	err := x.st.View(ctx, func(tx *store.Tx) error {
		n = 0
		for before := int64(0); ; {
			page, err := tx.MovementsOfItem(itemID, before, journalPage)
			if err != nil {
				return err
			}
			for _, m := range page {
				before = m.Seq
				if m.Kind != stock.Ship {
					n += m.OnHand
				}
			}
			if len(page) < journalPage {
				return nil
			}
		}
	})
	return n, errs.Wrap("ops.Received", itemID, err)
}

// journalPage movements are read at once.
const journalPage = 1000
