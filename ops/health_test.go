package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	vendor "github.com/spillway/spillway/connector/dummy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/store"
)

// testRules are counted by the carrier's scan since a day in the middle of what the tests make happen, and by being ready before it.
const testRules = `
market: US
version: test-1
zone: America/Los_Angeles
sources:
  T: {title: "Made for tests"}
business: {week: monday to friday, source: T, confidence: unverified}
rates:
  - {id: ldr-ready, metric: ldr, until: 2026-03-02, counts: order, anchor: ready, test: ready_late, spare: [platform_fulfilled], days: 7, source: T, confidence: unverified}
  - {id: ldr-scan, metric: ldr, from: 2026-03-02, counts: order, anchor: handed_over, test: handed_over_late, spare: [platform_fulfilled], days: 7, source: T, confidence: unverified}
  - {id: sfcr, metric: sfcr, counts: order, anchor: placed, test: cancelled_seller, exclude: [sample, platform_fulfilled], days: 30, source: T, confidence: unverified}
  - {id: otdr, metric: otdr, counts: order, anchor: deliver_by, test: delivered_on_time, exclude: [platform_fulfilled], days: 7, lag: 1, source: T, confidence: unverified}
bands:
  - {metric: ldr, kind: target, limit: "4 %", source: T, confidence: unverified}
  - {metric: ldr, kind: enforcement, limit: "10 %", source: T, confidence: unverified}
  - {metric: sfcr, kind: enforcement, limit: "2.5 %", source: T, confidence: unverified}
  - {metric: otdr, kind: enforcement, limit: "80 %", source: T, confidence: unverified}
`

// judging is a vendor that judges shops by testRules.
type judging struct {
	driver.Vendor
	rules string
}

func (j judging) Describe() driver.Description {
	d := j.Vendor.Describe()
	d.Policies = []driver.Policy{{Market: "US", YAML: []byte(j.rules)}}
	return d
}

// clock is a hand-set clock.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// healthOps are use-cases whose workers do not run, with shops that are judged.
func healthOps(t testing.TB, url, rules string, c *clock, shops ...string) *Ops {
	t.Helper()
	st, err := store.Open(t.Context(), url, store.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return http.DefaultClient }
	x, err := New(Options{Store: st, Vendors: []driver.Vendor{judging{vendor.Vendor{}, rules}}, Ring: ring, Now: c.now, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		for _, id := range shops {
			if err := tx.ConnectionPut(store.Connection{ID: id, Vendor: "dummy", Name: "Shop " + id, AppID: "app", Region: "US", State: store.Paused, CreatedAt: c.now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = x.reloadCatalogue(t.Context())
	}
	if err == nil {
		err = x.followRules(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// eachDatabase runs a test on both.
func eachDatabase(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite:"+filepath.Join(t.TempDir(), "health.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, pgtest.Start(t)) })
}

var healthDay = time.Date(2026, time.February, 20, 18, 0, 0, 0, time.UTC)

// lives makes the facts of some orders' lives, each order's in the sequence in which they happened.
func lives(dice *rand.Rand, shop string, orders int) (out []order.Fact) {
	for i := range orders {
		placed := healthDay.Add(time.Duration(dice.IntN(20*24*60)) * time.Minute)
		d := order.Detail{Fulfilment: order.BySeller, CreatedAt: placed, PaidAt: placed, WarehouseRef: fmt.Sprint("w", dice.IntN(3)), Region: "US-CA",
			Deadlines: order.Deadlines{ShipBy: placed.Add(48 * time.Hour), HandOverBy: placed.Add(60 * time.Hour), DeliverBy: placed.Add(6 * 24 * time.Hour)},
			Lines:     []order.Line{{ExternalLineID: "1", ExternalSKU: fmt.Sprint("S", dice.IntN(5)), SellerSKU: fmt.Sprint("SKU", dice.IntN(5)), Qty: 1}}}
		at := placed
		tell := func(s order.Status) {
			e := d
			out = append(out, order.Fact{Kind: order.Snapshot, ExternalID: fmt.Sprintf("%s-%04d", shop, i), UpdatedAt: at, ReadAt: at.Add(time.Minute), Status: s,
				StatusText: string(s), Detail: &e})
		}
		later := func(hours int) time.Time {
			at = at.Add(time.Duration(1+dice.IntN(hours*60)) * time.Minute)
			return at
		}
		tell(order.AwaitingShipment)
		if dice.IntN(10) == 0 {
			d.Moments.CancelledAt = later(20)
			d.CancelReport = order.Cancel{Role: order.RoleSeller, Reason: "seller_cancel_reason_out_of_stock"}
			tell(order.Cancelled)
			continue
		}
		d.Moments.ReadyAt = later(55)
		d.Parcels = []order.Parcel{{Ref: "P" + fmt.Sprint(i), Carrier: "UPS", Tracking: "1Z999AA10123456784"}}
		tell(order.AwaitingCollection)
		d.Moments.HandedOverAt = later(30)
		tell(order.InTransit)
		if dice.IntN(4) > 0 {
			d.Moments.DeliveredAt = later(100)
			tell(order.Delivered)
		}
	}
	return out
}

// However facts come, at whichever process, in whichever batches, with rounds of adding up in between: the sums are what a count of all orders
// finds. A count that finds something else puts it right.
func TestFiguresAreWhatACountFinds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		dice := rand.New(rand.NewPCG(7, 1))
		c := &clock{at: healthDay.Add(30 * 24 * time.Hour)}
		x := healthOps(t, url, testRules, c, "a", "b")
		type come struct {
			shop string
			fact order.Fact
		}
		var all []come
		for _, shop := range []string{"a", "b"} {
			for _, f := range lives(dice, shop, 60) {
				all = append(all, come{shop, f})
				if dice.IntN(5) == 0 {
					all = append(all, come{shop, f})
				}
			}
		}
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for len(all) > 0 {
			n := min(len(all), 1+dice.IntN(9))
			for _, one := range all[:n] {
				got, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: one.shop, Source: SourcePoll, Facts: []order.Fact{one.fact}})
				if err != nil || len(got.Refused) > 0 {
					t.Fatal(err, got.Refused)
				}
			}
			if all = all[n:]; dice.IntN(3) == 0 {
				fold(t, x)
			}
			if dice.IntN(9) == 0 {
				foldParts(t, x)
			}
		}
		first, err := x.CountHealth(t.Context())
		if err != nil || first.Orders != 120 || first.Differs != 0 {
			t.Fatalf("counted before the last batches were added up: %+v, %v", first, err)
		}
		fold(t, x)
		foldParts(t, x)
		if again, err := x.CountHealth(t.Context()); err != nil || again.Differs != 0 {
			t.Fatalf("counted after: %+v, %v", again, err)
		}
		was := figures(t, x)
		if was["a ldr"].Den == 0 || was["a ldr"].Num == 0 || was["b sfcr"].Num == 0 || was["b otdr"].Den == 0 {
			t.Fatalf("nothing was counted: %+v", was)
		}
		spoil(t, x)
		if mended, err := x.CountHealth(t.Context()); err != nil || mended.Differs < 3 {
			t.Fatalf("a count of spoiled figures finds %+v, %v", mended, err)
		}
		if is := figures(t, x); fmt.Sprint(is) != fmt.Sprint(was) {
			t.Errorf("after mending:\n%v\nbefore:\n%v", is, was)
		}
	})
}

func fold(t testing.TB, x *Ops) {
	t.Helper()
	if err := x.FoldHealth(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// foldParts adds up what is left for later, now and then.
func foldParts(t testing.TB, x *Ops) {
	t.Helper()
	if err := x.FoldParts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// spoil damages the sums: one added, one lost, a mark too many.
func spoil(t *testing.T, x *Ops) {
	t.Helper()
	err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		key := health.Key(x.rules.Load().of["a"].rules, x.rules.Load().of["a"].rules.Rates[1])
		day := policy.DayOf(healthDay.Add(15*24*time.Hour), time.UTC)
		if err := tx.HealthAddParts(health.PartsOf([]health.Tally{{Connection: "a", Rate: key, Facet: health.FacetNode, Value: "w0", Day: day, Den: 1}})); err != nil {
			return err
		}
		return tx.HealthAdd([]health.Tally{{Connection: "a", Rate: key, Day: day, Num: 3, Den: -2}},
			[]health.Mark{{Connection: "a", Rate: key, Day: day, OrderID: "a:none", Reason: "x", N: 1}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// figures are all shops' counts on a day near the end of what happens.
func figures(t testing.TB, x *Ops) map[string]health.DayCount {
	t.Helper()
	all, err := x.Rates(context.Background(), "", healthDay.Add(19*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]health.DayCount{}
	for _, shop := range all {
		for _, s := range shop.Standings {
			out[shop.Connection.ID+" "+string(s.Metric)] = health.DayCount{Num: s.Num, Den: s.Den, Unjudged: s.Unjudged}
		}
	}
	return out
}

// A rule that changes is counted by anew: until then figures say that they are not whole.
func TestAChangedRuleIsCountedAnew(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		c := &clock{at: healthDay.Add(25 * 24 * time.Hour)}
		x := healthOps(t, url, testRules, c, "a")
		for _, f := range lives(rand.New(rand.NewPCG(3, 3)), "a", 80) {
			if _, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: "a", Source: SourcePoll, Facts: []order.Fact{f}}); err != nil {
				t.Fatal(err)
			}
		}
		if !x.countDue() {
			t.Error("never counted, and no count is due")
		}
		if got, err := x.Rates(t.Context(), "a", c.now()); err != nil || !got[0].Counted.IsZero() {
			t.Errorf("never counted: %+v, %v", got, err)
		}
		fold(t, x)
		if _, err := x.CountHealth(t.Context()); err != nil {
			t.Fatal(err)
		}
		if x.countDue() {
			t.Error("just counted, and a count is due")
		}
		c.set(c.now().Add(settleTime))
		if !x.countDue() {
			t.Error("what another process counted by older rules meanwhile is not counted")
		}
		fold(t, x)
		before := figures(t, x)
		if before["a sfcr"].Num == 0 {
			t.Fatalf("nothing was counted: %v", before)
		}
		follow := func(rules string) {
			t.Helper()
			x.vendors["dummy"] = judging{vendor.Vendor{}, rules}
			if err := x.followRules(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		follow(strings.Replace(testRules, `limit: "4 %"`, `limit: "5 %"`, 1))
		if got, err := x.Rates(t.Context(), "a", c.now()); err != nil || got[0].Counted.IsZero() {
			t.Errorf("a limit moved, and orders are to be counted anew: %+v, %v", got, err)
		}
		follow(strings.Replace(testRules, "exclude: [sample, platform_fulfilled]", "exclude: [platform_fulfilled, sample]", 1))
		if got, err := x.Rates(t.Context(), "a", c.now()); err != nil || !got[0].Counted.IsZero() {
			t.Errorf("counted by other rules: %+v, %v", got, err)
		}
		n, err := x.CountHealth(t.Context())
		if err != nil || !n.First {
			t.Fatalf("%+v, %v", n, err)
		}
		if after := figures(t, x); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%v, before %v", after, before)
		}
	})
}

// A shop whose channel has no rules for its market is shown as such and holds up nobody.
func TestAShopWithoutRules(t *testing.T) {
	c := &clock{at: healthDay}
	x := healthOps(t, "sqlite:"+filepath.Join(t.TempDir(), "health.db"), testRules, c, "a")
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "z", Vendor: "dummy", Name: "Elsewhere", AppID: "app", Region: "ZZ", State: store.Paused})
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.followRules(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range lives(rand.New(rand.NewPCG(3, 3)), "z", 5) {
		if _, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: "z", Source: SourcePoll, Facts: []order.Fact{f}}); err != nil {
			t.Fatal(err)
		}
	}
	fold(t, x)
	got, err := x.Rates(t.Context(), "z", c.now())
	if err != nil || len(got) != 1 || got[0].Rules != nil || len(got[0].Standings) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	none, err := x.Rates(t.Context(), "a", c.now())
	if err != nil || none[0].Standings[0].State != health.Nothing {
		t.Errorf("a shop without orders: %+v, %v", none, err)
	}
	if _, err := x.Rates(t.Context(), "nobody", c.now()); err == nil {
		t.Error("an unknown shop is answered")
	}
	if err := x.Foresee(t.Context()); err != nil {
		t.Error(err)
	}
}

// A node that cannot keep up is seen before the rate breaks: the outlook of a queue of late orders says how many, names them and what to do.
func TestAnOutlookOfAQueue(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		at := time.Date(2026, time.March, 11, 17, 0, 0, 0, time.UTC) // a Wednesday, 10 in the morning in the zone
		c := &clock{at: at}
		x := healthOps(t, url, testRules, c, "a")
		var facts []order.Fact
		for i := range 400 { // three weeks at 25 orders a working day, all in time
			placed := at.AddDate(0, 0, -28).Add(time.Duration(i) * 90 * time.Minute)
			facts = append(facts, queued(i, placed, placed.Add(20*time.Hour)))
		}
		for i := range 300 { // and a spike this morning
			facts = append(facts, queued(1000+i, at.Add(-time.Duration(i)*time.Minute), time.Time{}))
		}
		if _, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: "a", Source: SourcePoll, Facts: facts}); err != nil {
			t.Fatal(err)
		}
		fold(t, x)
		foldParts(t, x)
		if err := x.Foresee(t.Context()); err != nil {
			t.Fatal(err)
		}
		var o Outlook
		if err := x.st.View(t.Context(), func(tx *store.Tx) (err error) {
			o, _, err = outlookOf(tx, "a")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if o.Open != 700 || o.AtRisk < 100 || o.Late < 100 || len(o.Risks) != o.AtRisk {
			t.Errorf("%d open, %d at risk, %.0f late, %d rows", o.Open, o.AtRisk, o.Late, len(o.Risks))
		}
		ldr := false
		for _, m := range o.Metrics {
			ldr = ldr || m.Metric == policy.LDR && m.Chance(policy.Enforcement) > 0.9
		}
		if !ldr {
			t.Errorf("late dispatch is not expected to break: %+v", o.Metrics)
		}
		for _, a := range o.Advice {
			if a.A.Reached && a.A.Chance < adviseChance || !a.A.Reached && a.A.After == a.A.Before || a.Count == 0 {
				t.Errorf("advice that does not help: %+v", a)
			}
		}
		if a := o.Alarms[policy.LDR]; a.On || a.Run != 1 {
			t.Errorf("the alarm after one look: %+v", a)
		}
		c.set(at.Add(alarmEvery))
		if err := x.Foresee(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := x.st.View(t.Context(), func(tx *store.Tx) (err error) {
			o, _, err = outlookOf(tx, "a")
			return err
		}); err != nil || !o.Alarms[policy.LDR].On {
			t.Errorf("the alarm after two looks: %+v, %v", o.Alarms, err)
		}
	})
}

// What may still happen is no mark of a day to come: only once the day is there, and only as long as nothing has happened.
func TestOverdueOrdersAreMarked(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		at := healthDay.Add(7 * 24 * time.Hour)
		c := &clock{at: at}
		x := healthOps(t, url, testRules, c, "a")
		take := func(facts ...order.Fact) {
			t.Helper()
			if got, err := x.IntakeAlone(t.Context(), Incoming{ConnectionID: "a", Source: SourcePoll, Facts: facts}); err != nil || len(got.Refused) > 0 {
				t.Fatal(err, got.Refused)
			}
			fold(t, x)
			if err := x.Foresee(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		marks := func() (n int) {
			t.Helper()
			if err := x.st.View(t.Context(), func(tx *store.Tx) error {
				got, err := tx.HealthPendingMarks("a")
				n = len(got)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		sent := queued(1, at.Add(-24*time.Hour), at) // due in a week
		take(sent, queued(2, at.Add(-24*time.Hour), at))
		if n := marks(); n != 0 {
			t.Errorf("%d marks before anything is due", n)
		}
		c.set(at.Add(8 * 24 * time.Hour))
		take()
		if n := marks(); n != 2 {
			t.Errorf("%d marks of two overdue orders", n)
		}
		take()
		if n, err := x.CountHealth(t.Context()); err != nil || n.Differs != 0 || marks() != 2 {
			t.Errorf("counted anew: %+v, %v, %d marks", n, err, marks())
		}
		d := *sent.Detail
		d.Moments.DeliveredAt = c.now()
		sent.Detail, sent.Status, sent.UpdatedAt, sent.ReadAt = &d, order.Delivered, c.now(), c.now()
		take(sent)
		if n := marks(); n != 1 {
			t.Errorf("%d marks after one was delivered", n)
		}
		late := 0
		if err := x.st.View(t.Context(), func(tx *store.Tx) error {
			key := health.Key(x.rules.Load().of["a"].rules, x.rules.Load().of["a"].rules.Rates[3])
			got, err := tx.HealthMarks("a", key, 0, policy.DayOf(c.now(), time.UTC)+1, "", 10)
			for _, m := range got {
				if m.Reason != health.NotDeliveredYet {
					late++
				}
			}
			return err
		}); err != nil || late != 1 {
			t.Errorf("%d orders delivered late: %v", late, err)
		}
	})
}

// queued is an order that waits, or was handed over at a time.
func queued(i int, placed, done time.Time) order.Fact {
	d := &order.Detail{Fulfilment: order.BySeller, CreatedAt: placed, PaidAt: placed, WarehouseRef: "w1",
		Deadlines: order.Deadlines{ShipBy: placed.Add(48 * time.Hour), HandOverBy: placed.Add(60 * time.Hour), DeliverBy: placed.Add(8 * 24 * time.Hour)},
		Lines:     []order.Line{{ExternalLineID: "1", ExternalSKU: "S", SellerSKU: "S", Qty: 1}}}
	f := order.Fact{Kind: order.Snapshot, ExternalID: fmt.Sprint("q", i), UpdatedAt: placed, ReadAt: placed, Status: order.AwaitingShipment, StatusText: "x", Detail: d}
	if !done.IsZero() {
		d.Moments = order.Moments{ReadyAt: done.Add(-6 * time.Hour), HandedOverAt: done}
		f.Status, f.UpdatedAt, f.ReadAt = order.InTransit, done, done
	}
	return f
}

// An override that does not fit the shipped rules any more is left out; the others hold.
func TestAnOverrideThatDoesNotFitIsLeftOut(t *testing.T) {
	c := &clock{at: healthDay}
	x := healthOps(t, "sqlite:"+filepath.Join(t.TempDir(), "health.db"), testRules, c, "a")
	x.log = slog.New(slog.DiscardHandler)
	put := func(id string, data string) {
		t.Helper()
		if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
			return tx.PolicyOverridePut(store.PolicyOverride{ID: id, Market: "US", Actor: "ann", Data: json.RawMessage(data)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	good, err := json.Marshal(policy.Override{Author: "ann", Reason: "the account manager said so", At: healthDay,
		Band: &policy.Band{Metric: policy.LDR, Kind: policy.Enforcement, Limit: 80_000}})
	if err != nil {
		t.Fatal(err)
	}
	put("1", `{"author":"ann","reason":"x","at":"2026-02-20T18:00:00Z","enable":"a rule that is gone"}`)
	put("2", string(good))
	put("3", `{`)
	if err := x.followRules(t.Context()); err != nil {
		t.Fatal(err)
	}
	bands := x.rules.Load().of["a"].rules.BandsOn(policy.LDR, policy.DayOf(healthDay, time.UTC))
	found := false
	for _, b := range bands {
		found = found || b.Limit == 80_000
	}
	if !found {
		t.Errorf("the override that fits does not hold: %+v", bands)
	}
}

// A shop that comes is counted by itself: figures of the others stay whole. Orders that were imported are counted before figures are whole again,
// and an import of stock counts nothing.
func TestWholeFiguresOfOneShopAtATime(t *testing.T) {
	c := &clock{at: healthDay.Add(25 * 24 * time.Hour)}
	x := healthOps(t, "sqlite:"+filepath.Join(t.TempDir(), "health.db"), testRules, c, "a")
	whole := func() (names string) {
		t.Helper()
		all, err := x.Rates(t.Context(), "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if !r.Counted.IsZero() {
				names += r.Connection.ID
			}
		}
		return names
	}
	count := func() {
		t.Helper()
		if _, err := x.CountHealth(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	set := func(name string) {
		t.Helper()
		if err := x.st.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet(name, "x") }); err != nil {
			t.Fatal(err)
		}
	}
	count()
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "b", Vendor: "dummy", Name: "Shop b", AppID: "app", Region: "US", State: store.Paused, CreatedAt: c.now()})
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.followRules(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := whole(); got != "a" || !x.countDue() {
		t.Errorf("whole after a shop came: %q", got)
	}
	count()
	if got := whole(); got != "ab" {
		t.Errorf("whole after a count: %q", got)
	}
	set(store.CatalogueSetting)
	if got := whole(); got != "ab" {
		t.Errorf("whole after an import of stock: %q", got)
	}
	set(store.OrdersSetting)
	if got := whole(); got != "" || !x.countDue() {
		t.Errorf("whole after an import of orders: %q", got)
	}
	count()
	if got := whole(); got != "ab" {
		t.Errorf("whole after they were counted: %q", got)
	}
}
