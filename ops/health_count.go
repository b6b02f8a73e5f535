package ops

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
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
	// countPage orders are read at a time by a full count. Once countSums sums of single values have come together they are packed, which takes a
	// tenth of the memory.
	countPage, countSums = 1_000, 1 << 20
	// correctRows sums and marks, and correctParts rows of sums of single values, are put right in one transaction.
	correctRows, correctParts = 20_000, 100
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
	lacks := newSums()
	lacks.since = flow.HourOf(x.now().Add(-flowKept)) / 24 * 24
	err := x.st.View(ctx, func(tx *store.Tx) error {
		last, imported, err := lastCount(tx)
		if err != nil {
			return err
		}
		c.First, c.Imported = !last.holdsAll(rules, imported), imported
		if c.Orders, err = x.countOrders(tx, rules, lacks); err != nil {
			return err
		}
		return lacks.lessKept(tx)
	})
	if err != nil {
		return c, errs.Wrap(op, "", err)
	}
	if c.Differs, err = x.correct(ctx, lacks); err != nil {
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
	var found health.Sums
	for after, n := "", countPage; n == countPage; {
		page := newHealthChange()
		after, n, err = tx.OrdersAfter(after, countPage, func(o *order.Order) error {
			page.add(rules, nil, o)
			return nil
		})
		if err == nil {
			err = found.Add(&page.health)
		}
		if err == nil {
			err = sum.addFlow(&page.flow)
		}
		if err == nil && found.Len() >= countSums {
			err = sum.pack(&found, 1)
			found = health.Sums{}
		}
		if err != nil {
			return total, err
		}
		total += int64(n)
		x.counting.Store(total)
	}
	return total, sum.pack(&found, 1)
}

// correct adds to the sums in the database, a part at a time, and says how many there were.
func (x *Ops) correct(ctx context.Context, lacks *sums) (int64, error) {
	tallies, parts, marks, err := lacks.lists()
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
	for some := range slices.Chunk(parts, correctParts) {
		for _, p := range some {
			n += int64(p.Len())
		}
		if err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.HealthAddParts(some) }); err != nil {
			return 0, err
		}
	}
	for len(tallies)+len(marks) > 0 {
		t, m := min(len(tallies), correctRows), min(len(marks), correctRows)
		if err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.HealthAdd(tallies[:t], marks[:m]) }); err != nil {
			return 0, err
		}
		tallies, marks = tallies[t:], marks[m:]
	}
	return n, nil
}

// sums are sums of whole days, packed sums of single values, and marks, each by their keys.
type sums struct {
	whole map[dayKey]wholeDay
	parts map[dayKey][]byte // as of health.DayParts: many values at some bytes each, read only to be merged
	marks map[markKey]int64
	flow  flow.Sums
	since flow.Hour // what passed before is not counted
}

func newSums() *sums {
	return &sums{whole: map[dayKey]wholeDay{}, parts: map[dayKey][]byte{}, marks: map[markKey]int64{}}
}

type wholeDay struct{ num, den, unjudged int64 }

type dayKey struct {
	connection, rate string
	day              policy.Day
}

type markKey struct {
	connection, rate, order, reason, facets string
	day                                     policy.Day
}

// pack adds sums, each times sign.
func (s *sums) pack(found *health.Sums, sign int64) error {
	for _, t := range found.Whole() {
		s.addTally(t, sign)
	}
	for _, p := range found.Parts() {
		if err := s.addParts(p, sign); err != nil {
			return err
		}
	}
	for _, m := range found.Marks() {
		if err := s.addMark(m, sign); err != nil {
			return err
		}
	}
	return nil
}

// addTally adds a tally of a whole day, or of its unjudged.
func (s *sums) addTally(t health.Tally, sign int64) {
	k := dayKey{t.Connection, t.Rate, t.Day}
	w := s.whole[k]
	if t.Facet == health.FacetUnjudged {
		w.unjudged += sign * t.Den
	} else {
		w.num, w.den = w.num+sign*t.Num, w.den+sign*t.Den
	}
	if s.whole[k] = w; w == (wholeDay{}) {
		delete(s.whole, k)
	}
}

func (s *sums) addParts(p health.DayParts, sign int64) error {
	k := dayKey{p.Connection, p.Rate, p.Day}
	data, err := health.MergeParts(s.parts[k], p.Data, sign)
	if s.parts[k] = data; data == nil {
		delete(s.parts, k)
	}
	return err
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
	k := markKey{m.Connection, m.Rate, strings.Clone(m.OrderID), string(m.Reason), string(facets), m.Day}
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

func (s *sums) addFlow(b *flow.Batch) error {
	if b.Empty() {
		return nil
	}
	data, err := b.Record()
	if err != nil {
		return err
	}
	var one flow.Sums
	if err := one.AddRecord(data); err != nil {
		return err
	}
	s.putFlow(&one, 1)
	return nil
}

func (s *sums) putFlow(f *flow.Sums, sign int64) {
	for _, c := range f.Counts() {
		s.addCount(c, sign)
	}
	for _, l := range f.Lags() {
		s.addLag(l, sign)
	}
}

// lessKept takes off what the sums in the database hold and what waits to be added to them.
func (s *sums) lessKept(tx *store.Tx) error {
	if err := tx.HealthScan(func(t health.Tally) error { s.addTally(t, -1); return nil },
		func(p health.DayParts) error { return s.addParts(p, -1) },
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
	var waiting healthSums
	for _, d := range rows {
		if err := waiting.add(d); err != nil {
			return err
		}
	}
	s.putFlow(&waiting.flow, -1)
	return s.pack(&waiting.health, -1)
}

// lists are the sums in no order.
func (s *sums) lists() (tallies []health.Tally, parts []health.DayParts, marks []health.Mark, err error) {
	for k, w := range s.whole {
		t := health.Tally{Connection: k.connection, Rate: k.rate, Day: k.day, Num: w.num, Den: w.den}
		tallies = append(tallies, t)
		if w.unjudged != 0 {
			t.Facet, t.Num, t.Den = health.FacetUnjudged, 0, w.unjudged
			tallies = append(tallies, t)
		}
	}
	for k, data := range s.parts {
		parts = append(parts, health.DayParts{Connection: k.connection, Rate: k.rate, Day: k.day, Data: data})
	}
	for k, n := range s.marks {
		m := health.Mark{Connection: k.connection, Rate: k.rate, Day: k.day, OrderID: k.order, Reason: health.Reason(k.reason), N: n}
		if err := json.Unmarshal([]byte(k.facets), &m.Facets); err != nil {
			return nil, nil, nil, err
		}
		marks = append(marks, m)
	}
	return tallies, parts, marks, nil
}
