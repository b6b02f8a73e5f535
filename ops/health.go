package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// How shops are judged is kept current in three steps. Intake appends, in its own transaction, what its batch changes of the sums (judge). The
// scheduler adds that to the sums every second (foldHealth). And once a day, or when rules have changed, it counts all orders anew and puts
// right what differs (countHealth): the sums are a help for reading, the orders are the record.

const (
	// foldEvery is how old figures may be; foldRows batches are added up in one transaction.
	foldEvery, foldRows = time.Second, 1_000
	// partsEvery is how old the figures of single nodes, carriers, items… may be. Each order changes several of them, which a second's orders
	// would not have in common.
	partsEvery = 30 * time.Second
)

// HealthTopic is told to pages when figures of any shop's health are new.
const HealthTopic = "health"

// tellHealth tells the pages of health, and those of each shop alone, which do not listen to the others.
func (x *Ops) tellHealth() {
	topics := []string{HealthTopic}
	for connection := range x.rules.Load().of {
		topics = append(topics, HealthTopic+":"+connection)
	}
	x.live.notify(topics...)
}

// judge appends what the orders of the batch change of the sums their shops are judged by, and forecasts learn from.
func (b *intakeWork) judge() error {
	rules := b.x.rules.Load()
	change := newHealthChange()
	for _, id := range b.ids {
		if m := b.orders[id]; m.after != nil && (m.any || m.before == nil) {
			change.add(rules, m.before, m.after)
		}
	}
	d, err := change.delta()
	if err != nil {
		return errs.Wrap("ops.judge", "", err)
	}
	return b.tx.HealthAppend(d)
}

// healthChange is what orders change of all sums.
type healthChange struct {
	health health.Batch
	flow   flow.Batch
}

// newHealthChange makes one without marks of what may still happen: those follow from the orders under way, see markOverdue.
func newHealthChange() *healthChange {
	return &healthChange{health: health.Batch{SettledOnly: true}}
}

func (c *healthChange) add(rules *rulebook, before, after *order.Order) {
	if j := rules.judge(after.ConnectionID); j != nil {
		c.health.Add(j, after.ConnectionID, before, after)
		c.flow.Add(before, after)
	}
}

// delta is the change as it is stored.
func (c *healthChange) delta() (d store.HealthDelta, err error) {
	if d.Days, err = c.health.Days(); err != nil {
		return d, err
	}
	if d.Parts, err = c.health.Parts(); err != nil {
		return d, err
	}
	d.Flow, err = c.flow.Record()
	return d, err
}

// healthSums are stored changes added up.
type healthSums struct {
	health health.Sums
	flow   flow.Sums
}

func (s *healthSums) add(d store.HealthDelta) error {
	if len(d.Days) > 0 {
		if err := s.health.AddDays(d.Days); err != nil {
			return err
		}
	}
	if len(d.Parts) > 0 {
		if err := s.health.AddParts(d.Parts); err != nil {
			return err
		}
	}
	if len(d.Flow) > 0 {
		return s.flow.AddRecord(d.Flow)
	}
	return nil
}

// healthLoop keeps the figures current while this process has the scheduler's lease.
func (x *Ops) healthLoop() {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	failing := false
	parts := x.now()
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		if !x.keeper.has(schedulerLease) {
			continue
		}
		err := x.FoldHealth(x.ctx)
		if now := x.now(); err == nil && now.Sub(parts) >= partsEvery {
			err, parts = x.FoldParts(x.ctx), now
		}
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("the shops' health could not be brought up to date; it is tried again", "err", err)
		}
		failing = err != nil
	}
}

// FoldHealth adds to the sums of whole days, and to the marks, what intakes have appended. The rest is FoldParts'.
func (x *Ops) FoldHealth(ctx context.Context) error {
	n, err := x.fold(ctx, func(tx *store.Tx) (int, error) {
		rows, err := tx.HealthTake(foldRows)
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		var sum health.Sums
		for _, days := range rows {
			if err := sum.AddDays(days); err != nil {
				return 0, err
			}
		}
		return len(rows), tx.HealthAdd(sum.Whole(), sum.Marks())
	})
	if n > 0 {
		x.tellHealth()
	}
	return errs.Wrap("ops.FoldHealth", "", err)
}

// FoldParts adds to the sums by facet, and to what passed through nodes, what intakes have appended.
func (x *Ops) FoldParts(ctx context.Context) error {
	_, err := x.fold(ctx, func(tx *store.Tx) (int, error) {
		rows, err := tx.HealthTakeParts(foldRows)
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		var sum healthSums
		for _, d := range rows {
			if err := sum.add(d); err != nil {
				return 0, err
			}
		}
		if err := tx.FlowAdd(sum.flow.Counts(), sum.flow.Lags()); err != nil {
			return 0, err
		}
		return len(rows), tx.HealthAddParts(sum.health.Parts())
	})
	return errs.Wrap("ops.FoldParts", "", err)
}

// fold runs add, each time in a transaction, until it finds less than there may be, and says how many rows it found.
func (x *Ops) fold(ctx context.Context, add func(*store.Tx) (int, error)) (all int, err error) {
	for {
		n := 0
		err := x.st.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = add(tx)
			return err
		})
		if all += n; err != nil || n < foldRows {
			return all, err
		}
	}
}
