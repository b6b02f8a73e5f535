package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// countEvery is how often all orders are counted anew; settleTime after the rules have changed they are counted once more, since another
	// process may have taken orders in by the old ones meanwhile.
	countEvery, settleTime = 24 * time.Hour, time.Minute
	// countPage orders are read at a time by a full count and added up, correctRows sums put right in one transaction.
	countPage, correctRows = 1_000, 20_000
	// countTime bounds a full count: ten million orders take some minutes.
	countTime = 2 * time.Hour
	// countState names what became of the last full count.
	countState = "count"
	// flowKept is how long what passed through nodes is kept by the hour: forecasts learn from the last weeks.
	flowKept = 60 * 24 * time.Hour
)

// HealthCount is what became of a full count.
type HealthCount struct {
	Keys     map[string]string `json:"keys"`              // by what each shop's orders were counted, see judged
	Imported string            `json:"imported,omitzero"` // the last import of orders before it: imports write them without judging them
	At       time.Time         `json:"at"`
	Orders   int64             `json:"orders"`
	Differs  int64             `json:"differs"`        // sums and marks that were not as counted, and were put right
	First    bool              `json:"first,omitzero"` // of some shop the first by its rules: of course it differs
}

// holds reports whether a shop's figures are whole: all its orders were counted by its rules.
func (c *HealthCount) holds(rules *rulebook, connection, imported string) bool {
	j := rules.of[connection]
	return j != nil && !c.At.IsZero() && c.Keys[connection] == j.keys && c.Imported == imported
}

// holdsAll reports it of every shop.
func (c *HealthCount) holdsAll(rules *rulebook, imported string) bool {
	for connection := range rules.of {
		if !c.holds(rules, connection, imported) {
			return false
		}
	}
	return true
}

// keysOf are the keys of all shops.
func keysOf(rules *rulebook) map[string]string {
	keys := make(map[string]string, len(rules.of))
	for connection, j := range rules.of {
		keys[connection] = j.keys
	}
	return keys
}

// countLoop counts all orders anew when that is due, while this process has the scheduler's lease. Sums are added to meanwhile.
func (x *Ops) countLoop() {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		if !x.keeper.has(schedulerLease) || !x.countDue() {
			continue
		}
		_, err := x.CountHealth(x.ctx)
		if err != nil && x.ctx.Err() == nil && !failing {
			x.log.Error("the orders could not be counted anew; it is tried again", "err", err)
		}
		failing = err != nil
	}
}

// countDue reports whether all orders must be counted anew: never done under these rules or since the last import, a day ago, or just after a
// change of rules.
func (x *Ops) countDue() bool {
	rules := x.rules.Load()
	if len(rules.of) == 0 {
		return false
	}
	var last HealthCount
	var imported string
	err := x.st.View(x.ctx, func(tx *store.Tx) (err error) {
		last, imported, err = lastCount(tx)
		return err
	})
	age := x.now().Sub(last.At)
	return err == nil && (!last.holdsAll(rules, imported) || age >= countEvery || (last.First && age >= settleTime))
}

// HealthCounted notes a count that was made elsewhere, by the rules that hold here: for measurements.
func (x *Ops) HealthCounted(tx *store.Tx, orders int64) error {
	c := HealthCount{Keys: keysOf(x.rules.Load()), At: x.now(), Orders: orders}
	_, imported, err := lastCount(tx)
	if c.Imported = imported; err == nil {
		err = tx.HealthStatePut(countState, c.At, c)
	}
	return err
}

// lastCount is what became of the last full count, and the last import of orders there was.
func lastCount(tx *store.Tx) (last HealthCount, imported string, err error) {
	if _, _, err = tx.HealthStateGet(countState, &last); err == nil {
		imported, _, err = tx.SettingGet(store.OrdersSetting)
	}
	return last, imported, err
}

// CountHealth counts all orders anew on one snapshot of the database and puts right what the sums lack, as further additions: so orders taken in
// meanwhile lose nothing. It says how many sums differed.
func (x *Ops) CountHealth(ctx context.Context) (HealthCount, error) {
	const op = "ops.CountHealth"
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	rules := x.rules.Load()
	c := HealthCount{Keys: keysOf(rules)}
	lacks := sums{tallies: map[tallyKey]count{}, marks: map[markKey]int64{}, since: flow.HourOf(x.now().Add(-flowKept)) / 24 * 24}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		last, imported, err := lastCount(tx)
		if err != nil {
			return err
		}
		c.First, c.Imported = !last.holdsAll(rules, imported), imported
		if c.Orders, err = x.countOrders(tx, rules, &lacks); err != nil {
			return err
		}
		return lacks.lessKept(tx)
	})
	if err != nil {
		return c, errs.Wrap(op, "", err)
	}
	if c.Differs, err = x.correct(ctx, &lacks); err != nil {
		return c, errs.Wrap(op, "", err)
	}
	c.At = x.now()
	err = x.st.Update(ctx, func(tx *store.Tx) error { return tx.HealthStatePut(countState, c.At, c) })
	if err == nil && c.Differs > 0 && !c.First {
		x.log.Warn("figures of the shops' health were not as counted and have been put right", "figures", c.Differs)
	}
	x.tellHealth()
	return c, errs.Wrap(op, "", err)
}

// countOrders adds every order up as if it had just come.
func (x *Ops) countOrders(tx *store.Tx, rules *rulebook, sum *sums) (total int64, err error) {
	defer x.counting.Store(0)
	for after, n := "", countPage; n == countPage; {
		var page healthChange
		after, n, err = tx.OrdersAfter(after, countPage, func(o *order.Order) error {
			page.add(rules, nil, o)
			return nil
		})
		if err == nil {
			err = sum.addBatch(&page, 1)
		}
		if err != nil {
			return total, err
		}
		total += int64(n)
		x.counting.Store(total)
	}
	return total, nil
}

// correct adds to the sums in the database, a part at a time, and says how many there were.
func (x *Ops) correct(ctx context.Context, lacks *sums) (int64, error) {
	tallies, marks, err := lacks.lists()
	if err != nil {
		return 0, err
	}
	counts, lags := lacks.flow.Counts(), lacks.flow.Lags()
	n := int64(len(tallies) + len(marks) + len(counts) + len(lags))
	if err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.FlowAdd(counts, lags); err != nil {
			return err
		}
		return tx.FlowPrune(lacks.since)
	}); err != nil {
		return 0, err
	}
	slices.SortFunc(tallies, func(a, b health.Tally) int { // each part's row is written once
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Day, b.Day))
	})
	for len(tallies)+len(marks) > 0 {
		t, m := min(len(tallies), correctRows), min(len(marks), correctRows)
		if err := x.st.Update(ctx, func(tx *store.Tx) error {
			if err := tx.HealthAddParts(tallies[:t]); err != nil {
				return err
			}
			return tx.HealthAdd(tallies[:t], marks[:m])
		}); err != nil {
			return 0, err
		}
		tallies, marks = tallies[t:], marks[m:]
	}
	return n, nil
}

// sums are tallies and marks added up by their keys.
type sums struct {
	tallies map[tallyKey]count
	marks   map[markKey]int64
	flow    flow.Batch
	since   flow.Hour // what passed before is not counted
}

type count struct{ num, den int64 }

type tallyKey struct {
	connection, rate, facet, value string
	day                            policy.Day
}

type markKey struct {
	connection, rate, order, reason, facets string
	day                                     policy.Day
}

func (s *sums) addTally(t health.Tally, sign int64) {
	k := tallyKey{t.Connection, t.Rate, t.Facet, t.Value, t.Day}
	c := s.tallies[k]
	c.num, c.den = c.num+sign*t.Num, c.den+sign*t.Den
	if c == (count{}) {
		delete(s.tallies, k)
		return
	}
	s.tallies[k] = c
}

// addMark adds a mark, but none of what may still happen: those follow from the orders under way, see markOverdue.
func (s *sums) addMark(m health.Mark, sign int64) error {
	if m.Reason.Pending() {
		return nil
	}
	return s.putMark(m, sign)
}

func (s *sums) putMark(m health.Mark, sign int64) error {
	facets, err := json.Marshal(m.Facets)
	if err != nil {
		return err
	}
	k := markKey{m.Connection, m.Rate, m.OrderID, string(m.Reason), string(facets), m.Day}
	if s.marks[k] += sign * m.N; s.marks[k] == 0 {
		delete(s.marks, k)
	}
	return nil
}

func (s *sums) addCount(c flow.Count, sign int64) {
	if c.Hour >= s.since {
		c.N *= sign
		s.flow.Count(c)
	}
}

func (s *sums) addLag(l flow.Lag, sign int64) {
	if l.Ended >= s.since {
		l.N *= sign
		s.flow.Lag(l)
	}
}

func (s *sums) addBatch(b *healthChange, sign int64) error {
	for _, t := range b.health.Tallies() {
		s.addTally(t, sign)
	}
	for _, c := range b.flow.Counts() {
		s.addCount(c, sign)
	}
	for _, l := range b.flow.Lags() {
		s.addLag(l, sign)
	}
	for _, m := range b.health.Marks() {
		if err := s.addMark(m, sign); err != nil {
			return err
		}
	}
	return nil
}

// lessKept takes off what the sums in the database hold and what waits to be added to them.
func (s *sums) lessKept(tx *store.Tx) error {
	if err := tx.HealthScan(func(t health.Tally) error { s.addTally(t, -1); return nil },
		func(m health.Mark) error { return s.addMark(m, -1) }); err != nil {
		return err
	}
	if err := tx.FlowScan(func(c flow.Count) { s.addCount(c, -1) }, func(l flow.Lag) { s.addLag(l, -1) }); err != nil {
		return err
	}
	rows, err := tx.HealthPending()
	if err != nil {
		return err
	}
	var whole, parts []store.HealthDelta
	for _, d := range rows {
		if d.Kind == store.DeltaParts {
			parts = append(parts, d)
		} else {
			whole = append(whole, d)
		}
	}
	waiting, err := changeOf(whole)
	if err == nil {
		err = s.addBatch(&waiting, -1)
	}
	if err != nil {
		return err
	}
	if waiting, err = changeOf(parts); err != nil {
		return err
	}
	for _, t := range waiting.health.Tallies() {
		if t.Facet != health.FacetAll && t.Facet != health.FacetUnjudged {
			s.addTally(t, -1)
		}
	}
	return nil
}

// lists are the sums in no order.
func (s *sums) lists() (tallies []health.Tally, marks []health.Mark, err error) {
	for k, c := range s.tallies {
		tallies = append(tallies, health.Tally{Connection: k.connection, Rate: k.rate, Facet: k.facet, Value: k.value, Day: k.day, Num: c.num, Den: c.den})
	}
	for k, n := range s.marks {
		m := health.Mark{Connection: k.connection, Rate: k.rate, Day: k.day, OrderID: k.order, Reason: health.Reason(k.reason), N: n}
		if err := json.Unmarshal([]byte(k.facets), &m.Facets); err != nil {
			return nil, nil, err
		}
		marks = append(marks, m)
	}
	return tallies, marks, nil
}
