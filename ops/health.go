package ops

import (
	"context"
	"encoding/json"
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
	// itemsEvery is how old the figures of single items may be. An order of one of ten thousand items would touch rows that no other order of
	// that second touches: added up over minutes they are few.
	itemsEvery = 5 * time.Minute
)

// HealthTopic is told to pages when figures of any shop's health are new.
const HealthTopic = "health"

// judge appends what the orders of the batch change of the sums their shops are judged by, and forecasts learn from.
func (b *intakeWork) judge() error {
	rules := b.x.rules.Load()
	var change healthChange
	for _, id := range b.ids {
		if m := b.orders[id]; m.after != nil && (m.any || m.before == nil) {
			change.add(rules, m.before, m.after)
		}
	}
	return change.append(b.tx)
}

// healthChange is what orders change of all sums.
type healthChange struct {
	health health.Batch
	flow   flow.Batch
}

func (c *healthChange) add(rules *rulebook, before, after *order.Order) {
	if j := rules.judge(after.ConnectionID); j != nil {
		c.health.Add(j, after.ConnectionID, before, after)
		c.flow.Add(before, after)
	}
}

func (c *healthChange) append(tx *store.Tx) error {
	var ds []store.HealthDelta
	for _, part := range []struct {
		kind  string
		batch interface {
			Empty() bool
			MarshalBinary() ([]byte, error)
		}
	}{{store.DeltaHealth, &c.health}, {store.DeltaFlow, &c.flow}} {
		if part.batch.Empty() {
			continue
		}
		data, err := part.batch.MarshalBinary()
		if err != nil {
			return errs.Wrap("ops.judge", part.kind, err)
		}
		ds = append(ds, store.HealthDelta{Kind: part.kind, Data: data})
	}
	if len(ds) == 0 {
		return nil
	}
	return tx.HealthAppend(ds...)
}

// changeOf adds up what was appended.
func changeOf(rows []store.HealthDelta) (sum healthChange, err error) {
	for _, d := range rows {
		switch d.Kind {
		case store.DeltaHealth:
			var one health.Batch
			err = one.UnmarshalBinary(d.Data)
			sum.health.Merge(&one)
		case store.DeltaFlow:
			err = sum.flow.UnmarshalBinary(d.Data)
		default:
			err = errs.New(errs.Internal, "ops.changeOf", d.Kind, "a kind of sum that this program does not know")
		}
		if err != nil {
			return sum, errs.Wrap("ops.changeOf", d.Kind, err)
		}
	}
	return sum, nil
}

// healthLoop keeps the figures current while this process has the scheduler's lease.
func (x *Ops) healthLoop() {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	failing := false
	items := x.now()
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
		if now := x.now(); err == nil && now.Sub(items) >= itemsEvery {
			err, items = x.FoldItems(x.ctx), now
		}
		if err == nil && x.countDue() {
			_, err = x.CountHealth(x.ctx)
		}
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("the shops' health could not be brought up to date; it is tried again", "err", err)
		}
		failing = err != nil
	}
}

// FoldHealth adds to the sums what intakes have appended. What single items add is put by for FoldItems.
func (x *Ops) FoldHealth(ctx context.Context) error {
	n, err := x.fold(ctx, func(tx *store.Tx, rows []store.HealthDelta) error {
		sum, err := changeOf(rows)
		if err != nil {
			return err
		}
		if err := tx.FlowAdd(sum.flow.Counts(), sum.flow.Lags()); err != nil {
			return err
		}
		var now, later []health.Tally
		for _, t := range sum.health.Tallies() {
			if t.Facet == health.FacetItem {
				later = append(later, t)
			} else {
				now = append(now, t)
			}
		}
		if len(later) > 0 {
			data, err := json.Marshal(later)
			if err != nil {
				return errs.Wrap("ops.FoldHealth", store.DeltaItems, err)
			}
			if err := tx.HealthAppend(store.HealthDelta{Kind: store.DeltaItems, Data: data}); err != nil {
				return err
			}
		}
		return tx.HealthAdd(now, sum.health.Marks())
	}, store.DeltaHealth, store.DeltaFlow)
	if n > 0 {
		x.live.notify(HealthTopic)
	}
	return errs.Wrap("ops.FoldHealth", "", err)
}

// FoldItems adds to the sums what FoldHealth put by.
func (x *Ops) FoldItems(ctx context.Context) error {
	_, err := x.fold(ctx, func(tx *store.Tx, rows []store.HealthDelta) error {
		sum := sums{tallies: map[tallyKey]count{}}
		if err := sum.addItems(rows, 1); err != nil {
			return err
		}
		tallies, _, err := sum.lists()
		if err != nil {
			return err
		}
		return tx.HealthAdd(tallies, nil)
	}, store.DeltaItems)
	return errs.Wrap("ops.FoldItems", "", err)
}

// fold takes what was appended, a part at a time, until there is no more, and says how many rows there were.
func (x *Ops) fold(ctx context.Context, add func(*store.Tx, []store.HealthDelta) error, kinds ...string) (all int, err error) {
	for {
		taken := 0
		err := x.st.Update(ctx, func(tx *store.Tx) error {
			rows, err := tx.HealthTake(foldRows, kinds...)
			if taken = len(rows); err != nil || taken == 0 {
				return err
			}
			return add(tx, rows)
		})
		if all += taken; err != nil || taken < foldRows {
			return all, err
		}
	}
}
