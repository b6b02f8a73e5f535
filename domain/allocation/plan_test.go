package allocation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"pgregory.net/rapid"
)

// one is a listing that takes one unit of item a.
func one(id string, kind Kind) Listing {
	return Listing{ID: id, Connection: id, Kind: kind, Components: []Component{{Item: "a", Quantity: 1}}}
}

func stock(n int) []Item { return []Item{{ID: "a", Pools: []Pool{{ID: "own", Promisable: n}}}} }

func unitsOf(targets []Target) map[string]int {
	m := map[string]int{}
	for _, t := range targets {
		m[t.Listing] = t.Units
	}
	return m
}

func decide(in Input, books Books, at time.Time) (map[string]int, Plan) {
	targets, plan := Decide(in, books, at)
	return unitsOf(targets), plan
}

// drawInput makes a random problem with books that satisfy the invariant as long as there is stock.
func drawInput(t *rapid.T) (Input, Books) {
	in, books := Input{}, Books{}
	for i := range rapid.IntRange(1, 3).Draw(t, "items") {
		it := Item{ID: string(rune('a' + i)), BufferPercent: rapid.SampledFrom([]int{0, 0, 10, 20}).Draw(t, "percent"),
			BufferUnits: rapid.SampledFrom([]int{0, 0, 5, 50}).Draw(t, "buffer")}
		for p := range rapid.IntRange(1, 3).Draw(t, "pools") {
			it.Pools = append(it.Pools, Pool{ID: string(rune('p' + p)), Promisable: rapid.IntRange(0, 400).Draw(t, "stock")})
		}
		in.Items = append(in.Items, it)
	}
	kinds := []Kind{Absolute, CompareAndSet, Delta}
	for i := range rapid.IntRange(1, 6).Draw(t, "listings") {
		l := Listing{ID: fmt.Sprint(i), Connection: fmt.Sprint(i), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Weight: rapid.IntRange(0, 5).Draw(t, "weight"), Min: rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "min")}
		for _, it := range in.Items {
			if len(l.Components) > 0 && rapid.Bool().Draw(t, "bundle") {
				continue
			}
			c := Component{Item: it.ID, Quantity: rapid.IntRange(1, 3).Draw(t, "quantity")}
			for _, p := range it.Pools {
				if rapid.Bool().Draw(t, "confined") {
					c.Pools = append(c.Pools, p.ID)
				}
			}
			l.Components = append(l.Components, c)
		}
		if rapid.IntRange(0, 4).Draw(t, "max?") == 0 {
			l.Max = ptr(l.Min + rapid.IntRange(0, 30).Draw(t, "max"))
		}
		in.Listings = append(in.Listings, l)
		b := Book{Version: BookVersion, Listing: l.ID, Kind: l.Kind, FloorKnown: true}
		b.Rate = Rate{At: t0}.Observe(rapid.IntRange(0, 50).Draw(t, "sold"), sec(float64(rapid.IntRange(1, 500).Draw(t, "when"))))
		books[l.ID] = b
	}
	e := make([]int, len(in.Listings))
	p := compile(in, books, t0)
	for i := range in.Listings {
		b := books[in.Listings[i].ID]
		e[i] = rapid.IntRange(0, max(0, min(300, p.room(i, e)))).Draw(t, "exposure")
		b.Exposure, b.Floor, b.Remaining, b.Told = e[i], e[i], e[i], e[i]
		books[b.Listing] = b
	}
	if err := in.Validate(); err != nil {
		t.Fatal(err)
	}
	return in, books
}

// fitsPools asserts Hall's condition by brute force: for every subset of an item's pools, what the listings confined
// to it may sell is within what it holds less the buffer.
func fitsPools(t *rapid.T, what string, in Input, e func(string) int) {
	for _, it := range in.Items {
		for set := uint64(1); set < 1<<len(it.Pools); set++ {
			used, all := 0, true
			for _, l := range in.Listings {
				for _, c := range l.Components {
					if c.Item == it.ID && it.mask(c.Pools)&^set == 0 {
						used += c.Quantity * e(l.ID)
					} else if c.Item == it.ID {
						all = false
					}
				}
			}
			limit := it.sum(set) - it.percent(it.sum(set))
			if all {
				limit -= it.BufferUnits
			}
			if used > 0 && used > limit {
				t.Fatalf("%s: item %s, pools %b: %d used of %d", what, it.ID, set, used, limit)
			}
		}
	}
}

func TestTargetsFitEverySetOfPools(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, books := drawInput(t)
		targets := unitsOf(Targets(in, books, sec(1000)))
		fitsPools(t, "targets", in, func(id string) int { return targets[id] })
		for _, l := range in.Listings {
			if l.Max != nil && targets[l.ID] > *l.Max {
				t.Fatalf("target %d of %s is above its maximum %d", targets[l.ID], l.ID, *l.Max)
			}
		}
	})
}

// Every push of a plan is safe at once, and all of them together.
func TestPlannedPushesKeepTheInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, books := drawInput(t)
		targets := Targets(in, books, sec(1000))
		plan := NewPlan(in, books, targets, sec(1000))
		for i, p := range plan.Pushes {
			p.ID = fmt.Sprint(i)
			b, err := books[p.Listing].PushSent(p, sec(1000), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			books[p.Listing] = b
		}
		fitsPools(t, "exposure", in, func(id string) int { return books[id].Exposure })
		if again := NewPlan(in, books, targets, sec(1000)); len(again.Pushes) > 0 {
			t.Fatalf("a second plan is not empty: %+v after %+v", again.Pushes, plan.Pushes)
		}
	})
}

// Confirm everything, reach every barrier, plan again: it comes to rest within a few rounds, and then nobody who could
// be served stands at zero.
func TestPlansComeToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, books := drawInput(t)
		at := sec(1000)
		for range 20 {
			plan := NewPlan(in, books, Targets(in, books, at), at)
			if plan.Empty() {
				for i, target := range Targets(in, books, at) {
					if p := compile(in, books, at); target.Units > 0 && books[target.Listing].Exposure == 0 && p.room(i, exposures(in, books)) > 0 {
						t.Fatalf("listing %s is at zero with a target of %d and room for %d", target.Listing, target.Units, p.room(i, exposures(in, books)))
					}
				}
				return
			}
			for i, p := range plan.Pushes {
				p.ID = fmt.Sprint(i)
				b, err := books[p.Listing].PushSent(p, at, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				after := b.Remaining + p.Delta
				if b, err = b.PushConfirmed(p.ID, Answer{At: at, ChannelAt: at, After: &after}); err != nil {
					t.Fatal(err)
				}
				b, drift := b.SalesKnownUntil(at, at)
				if drift != nil {
					t.Fatalf("drift: %+v", drift)
				}
				books[p.Listing] = b
			}
		}
		t.Fatal("no rest after 20 rounds")
	})
}

func exposures(in Input, books Books) []int {
	e := make([]int, len(in.Listings))
	for i, l := range in.Listings {
		e[i] = books[l.ID].Exposure
	}
	return e
}

// A known sale is reserved from pools so that nobody else's promise breaks.
func TestServeKeepsOtherPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, books := drawInput(t)
		for i := range in.Items {
			in.Items[i].BufferPercent, in.Items[i].BufferUnits = 0, 0
		}
		l := rapid.SampledFrom(in.Listings).Draw(t, "listing")
		if books[l.ID].Exposure == 0 {
			return
		}
		qty := rapid.IntRange(1, books[l.ID].Exposure).Draw(t, "sold")
		before := in
		in.Items = slices.Clone(in.Items)
		for i := range in.Items {
			in.Items[i].Pools = slices.Clone(in.Items[i].Pools)
			for _, c := range l.Components {
				if c.Item != in.Items[i].ID {
					continue
				}
				taken := 0
				for _, take := range Serve(before, books, l.ID, c.Item, qty*c.Quantity, nil) {
					k := slices.IndexFunc(in.Items[i].Pools, func(p Pool) bool { return p.ID == take.Pool })
					in.Items[i].Pools[k].Promisable -= take.Units
					taken += take.Units
				}
				if taken != qty*c.Quantity {
					t.Fatalf("%d taken, want %d", taken, qty*c.Quantity)
				}
			}
		}
		books[l.ID] = books[l.ID].SaleKnown(qty, sec(1000), sec(1000))
		fitsPools(t, "after the sale", in, func(id string) int { return books[id].Exposure })
	})
}

func TestAdoptionOfCopiedStockIsCutWithoutRisk(t *testing.T) {
	// Three channels show the same 100 units, as every merchant's do on the first day.
	in := Input{Items: stock(100)}
	books := Books{}
	for _, id := range []string{"x", "y", "z"} {
		in.Listings = append(in.Listings, one(id, Absolute))
		b := settledBook(t, Absolute, 100)
		b.Listing = id
		books[id] = b
	}
	_, plan := decide(in, books, sec(0))
	zeroed := 0
	for _, p := range plan.Pushes {
		if p.Quantity != 0 {
			t.Errorf("nothing but 0 is safe while 300 are promised of 100: %+v", p)
		}
		zeroed++
	}
	if zeroed < 2 {
		t.Errorf("%d listings set to 0, want at least 2", zeroed)
	}
}

func TestHoldIsALevel(t *testing.T) {
	in := Input{Items: stock(600), Listings: []Listing{one("live", Absolute), one("other", Absolute)}}
	in = admit(t, in, Hold{ID: "h", Item: "a", Listing: "live", Quantity: 500, From: sec(100), Until: sec(200)})
	bare := in
	bare.Holds = nil
	for _, at := range []float64{0, 99.9, 200, 300} {
		if got, want := unitsOf(Targets(in, nil, sec(at))), unitsOf(Targets(bare, nil, sec(at))); got["live"] != want["live"] || got["other"] != want["other"] {
			t.Errorf("at %v the targets are %v, without the hold %v", at, got, want)
		}
	}
	during := unitsOf(Targets(in, nil, sec(100)))
	if during["live"] < 500 || during["other"] > 100 {
		t.Errorf("during the hold: %v", during)
	}
	in.Holds[0].Sold = 450
	in.Items = stock(150) // 450 sold
	if later := unitsOf(Targets(in, nil, sec(150))); later["other"] > 100 || later["live"] < 50 {
		t.Errorf("with 50 left in the hold and 150 in stock: %v", later)
	}
	if _, plan := decide(in, nil, sec(0)); !plan.NextWakeAt.Equal(sec(100)) {
		t.Errorf("next wake %v, want the beginning of the hold", plan.NextWakeAt)
	}
	if _, plan := decide(in, nil, sec(150)); !plan.NextWakeAt.Equal(sec(200)) {
		t.Errorf("next wake %v, want the end of the hold", plan.NextWakeAt)
	}
}

func TestOverlappingHoldsAddUpAndTooManyAreRefused(t *testing.T) {
	in := Input{Items: stock(600), Listings: []Listing{one("x", Absolute), one("y", Delta), one("z", Absolute)}}
	hold := func(id, listing string, n int, from, until float64) Hold {
		return Hold{ID: id, Item: "a", Listing: listing, Quantity: n, From: sec(from), Until: sec(until)}
	}
	in = admit(t, in, hold("1", "x", 300, 0, 100), hold("2", "y", 200, 50, 150))
	if got := unitsOf(Targets(in, nil, sec(60))); got["x"] < 300 || got["y"] < 200 || got["z"] > 100 {
		t.Errorf("both holds: %v", got)
	}
	if _, err := in.WithHold(hold("3", "z", 200, 90, 200)); !errs.Is(err, errs.Insufficient) {
		t.Errorf("700 units held of 600: %v", err)
	}
	in = admit(t, in, hold("3", "z", 400, 100, 120)) // begins when the first has ended
	in.Items = stock(250)                            // sold before the holds began: they keep what there is
	if err := in.Validate(); !errs.Is(err, errs.Insufficient) {
		t.Errorf("holds of 900 units, 250 there: %v", err)
	}
	if got := unitsOf(Targets(in, nil, sec(60))); got["x"]+got["y"] < 200 || got["z"] > 0 {
		t.Errorf("holds of 500 units, 250 there: %v", got)
	}
}

func admit(t *testing.T, in Input, holds ...Hold) Input {
	t.Helper()
	for _, h := range holds {
		var err error
		if in, err = in.WithHold(h); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func TestBundlePublishesTheLeastOfItsParts(t *testing.T) {
	in := Input{
		Items:    []Item{{ID: "a", Pools: []Pool{{ID: "own", Promisable: 30}}}, {ID: "b", Pools: []Pool{{ID: "own", Promisable: 7}}}},
		Listings: []Listing{{ID: "set", Kind: Absolute, Components: []Component{{Item: "a", Quantity: 3}, {Item: "b", Quantity: 2}}}},
	}
	if got := unitsOf(Targets(in, nil, t0)); got["set"] != 3 {
		t.Errorf("bundle of 3a+2b from 30a, 7b: %d, want 3", got["set"])
	}
}

func TestPlatformStockIsNeverPushed(t *testing.T) {
	in := Input{Items: []Item{{ID: "a", Pools: []Pool{{ID: "own", Promisable: 10}, {ID: "fbt", Promisable: 90, Platform: true}}}},
		Listings: []Listing{one("own", Absolute), {ID: "fbt", Kind: Absolute, Platform: true, Components: []Component{{Item: "a", Quantity: 1, Pools: []string{"fbt"}}}}}}
	books := Books{"own": settledBook(t, Absolute, 0), "fbt": settledBook(t, Absolute, 90)}
	targets, plan := decide(in, books, sec(0))
	if targets["own"] != 10 || targets["fbt"] != 0 {
		t.Errorf("targets %v: the platform's stock must not be promised elsewhere", targets)
	}
	for _, p := range plan.Pushes {
		if p.Listing == "fbt" {
			t.Errorf("pushed to the platform's listing: %+v", p)
		}
	}
}

func TestSharedModeShowsAllEverywhereAndSaysTheRisk(t *testing.T) {
	in := Input{Items: stock(50), Listings: []Listing{one("x", Absolute), one("y", Delta)}}
	in.Items[0].Mode = Shared
	x, y := settledBook(t, Absolute, 50), settledBook(t, Delta, 50)
	x.Listing, y.Listing = "x", "y"
	x.Rate, y.Rate = x.Rate.Observe(40, sec(0)), y.Rate.Observe(40, sec(0))
	books := Books{"x": x.SaleKnown(1, sec(0), sec(0)), "y": y}
	in.Items = stock(49)
	in.Items[0].Mode = Shared
	targets, plan := decide(in, books, sec(1))
	if targets["x"] != 49 || targets["y"] != 49 || len(plan.Pushes) != 1 || plan.Pushes[0].Listing != "y" || plan.Pushes[0].Delta != -1 {
		t.Errorf("targets %v, pushes %+v; want one push that takes the sold unit from y", targets, plan.Pushes)
	}
	line := NewReport(in, books, Targets(in, books, sec(1)), sec(1)).Items[0]
	if line.Oversell.Units != 50 || line.Oversell.AtSellOut <= 0 || line.Oversell.AtSellOut > 50 {
		t.Errorf("risk %+v; want 50 units promised twice and an expected loss", line.Oversell)
	}
}

func TestAcceptedQuantileLetsMoreThroughAndSaysTheRisk(t *testing.T) {
	in := Input{Items: stock(100), Listings: []Listing{one("l", Absolute)}}
	b := settledBook(t, Absolute, 40)
	b.Rate = Rate{At: sec(-600)}
	for i := range 20 { // two a minute
		b.Rate = b.Rate.Observe(1, sec(float64(30*i-600)))
	}
	books := Books{"l": b}
	if _, plan := decide(in, books, sec(0)); len(plan.Pushes) != 1 || plan.Pushes[0].Quantity != 60 {
		t.Fatalf("worst case: %+v; want a set to the 60 that are free", plan.Pushes)
	}
	in.Listings[0].Quantile = 0.999
	_, plan := decide(in, books, sec(0))
	if len(plan.Pushes) != 1 || plan.Pushes[0].Quantity <= 60 || plan.Pushes[0].Unseen == nil {
		t.Fatalf("with a quantile: %+v; want more than 60", plan.Pushes)
	}
	plan.Pushes[0].ID = "p"
	books["l"] = must(t)(b.PushSent(plan.Pushes[0], sec(0), time.Minute))
	if e := books["l"].Exposure; e > 100 {
		t.Errorf("exposure %d of 100", e)
	}
	if risk := NewReport(in, books, nil, sec(0)).Items[0].Oversell.Accepted; risk <= 0 || risk > 0.01 {
		t.Errorf("accepted risk %v units; want a small number above 0", risk)
	}
}

func TestDriftIsRepairedWithoutAReasonToSell(t *testing.T) {
	in := Input{Items: stock(100), Listings: []Listing{one("l", Absolute)}}
	b := settledBook(t, Absolute, 100)
	b = must(t)(b.ReadStarted(sec(0)))
	b = b.ReadDone(b.Reading.ID, 70, Answer{At: sec(1)})
	b, drift := b.SalesKnownUntil(sec(1), sec(2))
	if drift == nil {
		t.Fatal("no drift found")
	}
	_, plan := decide(in, Books{"l": b}, sec(3))
	if len(plan.Pushes) > 1 || plan.Desired["l"] < 70 {
		t.Errorf("repair plan: %+v", plan)
	}
}

// A push in doubt keeps a listing above its limit; sending 0 again and again would not change that.
func TestDoubtIsNotPushedAgainst(t *testing.T) {
	in := Input{Items: stock(100), Listings: []Listing{one("l", Absolute)}}
	in.Listings[0].Max = ptr(10)
	b := settledBook(t, Absolute, 0)
	b = must(t)(b.PushSent(absolute(20), sec(0), time.Minute))
	b = must(t)(b.PushUnknown("p", sec(1)))
	_, plan := decide(in, Books{"l": b}, sec(2))
	if len(plan.Pushes) > 0 || !plan.NextWakeAt.Equal(sec(60)) {
		t.Errorf("plan %+v; want to wait for the end of the doubt", plan)
	}
	if _, plan = decide(in, Books{"l": b}, sec(60)); len(plan.Reads) != 1 {
		t.Errorf("plan %+v; want a reading once the push is dead", plan)
	}
}

// A channel that stopped selling gives back to one that ran dry, although no event says so.
func TestShortListingIsLookedAtAgain(t *testing.T) {
	in := Input{Items: stock(20), Listings: []Listing{one("hot", Absolute), one("dry", Absolute)}}
	hot, dry := settledBook(t, Absolute, 20), settledBook(t, Absolute, 0)
	hot.Listing, dry.Listing = "hot", "dry"
	hot.Rate = Rate{At: sec(-1)}.Observe(200, sec(0))
	books := Books{"hot": hot, "dry": dry}
	_, plan := decide(in, books, sec(0))
	for at := 0.0; len(plan.Pushes) == 0; {
		if plan.NextWakeAt.IsZero() || at > 7*86400 {
			t.Fatalf("after %.0f s: dry forever: %+v", at, plan)
		}
		at = plan.NextWakeAt.Sub(t0).Seconds()
		_, plan = decide(in, books, sec(at))
	}
}

// A hot listing is added to, but where it is known to stand below 0: an addition would be swallowed there and nobody told, so its number is set.
func TestAHotListingBelowZeroIsSet(t *testing.T) {
	for shown, want := range map[int]Kind{-20: CompareAndSet, 0: CompareAndSet, 1: Delta} {
		in := Input{Items: stock(15), Listings: []Listing{one("l", CompareAndSet)}}
		b := NewBook("l", CompareAndSet, shown, sec(-10), sec(-9), sec(-9))
		b, _ = b.SalesKnownUntil(sec(-8), sec(-7))
		b.Rate = Rate{At: sec(-1)}.Observe(200, sec(0))
		targets, plan := decide(in, Books{"l": b}, sec(0))
		if len(plan.Pushes) != 1 || plan.Pushes[0].Kind != want {
			t.Fatalf("showing %d: %+v", shown, plan.Pushes)
		}
		push, target := plan.Pushes[0], targets["l"]
		if want == CompareAndSet && (push.From != shown || push.Quantity != target) || want == Delta && push.Delta != target-shown {
			t.Errorf("showing %d, wanted %d: %+v", shown, target, push)
		}
		b.Demand = &ReadDemand{Reason: ReadNoQuantity, NotBefore: sec(1), Since: sec(-1)}
		if _, plan := decide(in, Books{"l": b}, sec(0)); len(plan.Pushes) != 1 || plan.Pushes[0].Kind != Delta {
			t.Errorf("showing %d, as far as is known: %+v", shown, plan.Pushes)
		}
	}
}

func TestUnknownListingsBlockNothingAndGetNoPush(t *testing.T) {
	in := Input{Items: stock(100), Listings: []Listing{one("l", Absolute), one("unread", Absolute)}}
	_, plan := decide(in, Books{"l": settledBook(t, Absolute, 0)}, sec(0))
	if len(plan.Pushes) != 1 || plan.Pushes[0].Listing != "l" {
		t.Errorf("pushes %+v; want one, to the listing that has been read", plan.Pushes)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	good := func() Input { return Input{Items: stock(10), Listings: []Listing{one("l", Absolute)}} }
	for name, spoil := range map[string]func(*Input){
		"twice the listing": func(in *Input) { in.Listings = append(in.Listings, one("l", Delta)) },
		"unknown kind":      func(in *Input) { in.Listings[0].Kind = "guess" },
		"unknown item":      func(in *Input) { in.Listings[0].Components[0].Item = "z" },
		"no quantity":       func(in *Input) { in.Listings[0].Components[0].Quantity = 0 },
		"unknown pool":      func(in *Input) { in.Listings[0].Components[0].Pools = []string{"z"} },
		"minimum above max": func(in *Input) { in.Listings[0].Min, in.Listings[0].Max = 5, ptr(4) },
		"certainty":         func(in *Input) { in.Listings[0].Quantile = 1 },
		"buffer of 101 %":   func(in *Input) { in.Items[0].BufferPercent = 101 },
		"hold that is over": func(in *Input) {
			in.Holds = []Hold{{ID: "h", Item: "a", Listing: "l", Quantity: 1, From: sec(1), Until: sec(1)}}
		},
		"hold for a stranger": func(in *Input) {
			in.Holds = []Hold{{ID: "h", Item: "a", Listing: "z", Quantity: 1, From: sec(1), Until: sec(2)}}
		},
	} {
		in := good()
		if err := in.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(&in)
		if in.Validate() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

func TestRateRisesWithinSecondsAndForgetsNothingWhileSoldOut(t *testing.T) {
	r := Rate{At: t0}
	for i := range 48 { // an order every half hour for a day
		r = r.Observe(1, sec(float64(i*1800)))
	}
	day := 48.0 * 1800
	if got := r.PerSecond(sec(day)) * 3600; got < 1 || got > 3 {
		t.Errorf("a quiet day gives %.2f orders an hour, want about 2", got)
	}
	for i := range 50 { // then five a second
		r = r.Observe(1, sec(day+float64(i)/5))
	}
	if got := r.PerSecond(sec(day + 10)); got < 2 {
		t.Errorf("ten seconds into a spike of 5/s the rate is %.2f", got)
	}
	closed := r.Close(sec(day + 10))
	if a, b := closed.PerSecond(sec(day+10)), closed.PerSecond(sec(day+5000)); a != b {
		t.Errorf("sold out for an hour: %.3f became %.3f", a, b)
	}
}

func BenchmarkDecide(b *testing.B) {
	in := Input{Items: stock(500)}
	books := Books{}
	for i := range 5 {
		l := one(fmt.Sprint(i), Absolute)
		in.Listings = append(in.Listings, l)
		books[l.ID] = Book{Version: BookVersion, Listing: l.ID, Kind: Absolute, Exposure: 80, Floor: 80, Remaining: 80, FloorKnown: true,
			Rate: Rate{At: t0}.Observe(40, sec(100))}
	}
	for b.Loop() {
		NewPlan(in, books, Targets(in, books, sec(200)), sec(200))
	}
}
