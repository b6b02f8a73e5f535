package connector

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
)

func pushOf(id string) driver.Push {
	return driver.Push{ID: id, Kind: driver.Absolute, Quantity: 1, Ref: driver.ListingRef{ProductID: "p", SKUID: id}}
}

func confirmAll(_ context.Context, pushes []driver.Push) ([]driver.Result, error) {
	var out []driver.Result
	for _, p := range pushes {
		out = append(out, driver.Result{PushID: p.ID, Outcome: driver.Confirmed})
	}
	return out, nil
}

func TestPushIsRepeatedOnlyWhenSurelyNotApplied(t *testing.T) {
	for _, c := range []struct {
		name  string
		errs  []error
		want  driver.Outcome
		calls int
	}{
		{"fine", nil, driver.Confirmed, 1},
		{"throttled", []error{&driver.Error{Class: driver.RetryAfter}}, driver.Confirmed, 2},
		{"no connection", []error{&driver.Error{Class: driver.Retry}}, driver.Confirmed, 2},
		{"answer lost", []error{&driver.Error{Class: driver.Retry, Applied: true}}, driver.Unknown, 1},
		{"not classed", []error{fmt.Errorf("strange")}, driver.Unknown, 1},
		{"given up", []error{&driver.Error{Class: driver.GiveUp}}, driver.Refused, 1},
		{"throttled without end", slices.Repeat([]error{&driver.Error{Class: driver.RetryAfter}}, 9), driver.Refused, 1 + maxRetries},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{call: failing(c.errs...), set: confirmAll}
				got, err := session(t, f).SetQuantities(t.Context(), []driver.Push{pushOf("1"), pushOf("2")})
				if err != nil || len(got) != 2 || got[0].Outcome != c.want || got[1].Outcome != c.want || f.count() != c.calls {
					t.Errorf("%+v, %v after %d calls", got, err, f.count())
				}
			})
		})
	}
}

// TestRestOfABatch: what has a result is not sent again, and what the vendor passes over in silence is unknown.
func TestRestOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent [][]string
		f := &fake{}
		f.set = func(_ context.Context, pushes []driver.Push) ([]driver.Result, error) {
			var ids []string
			for _, p := range pushes {
				ids = append(ids, p.ID)
			}
			sent = append(sent, ids)
			if len(sent) == 1 {
				return []driver.Result{{PushID: "2", Outcome: driver.Confirmed}, {PushID: "other", Outcome: driver.Confirmed}}, &driver.Error{Class: driver.RetryAfter}
			}
			return []driver.Result{{PushID: "1", Outcome: driver.Refused, Err: &driver.Error{Class: driver.GiveUp}}}, nil
		}
		got, _ := session(t, f).SetQuantities(t.Context(), []driver.Push{pushOf("1"), pushOf("2"), pushOf("3")})
		if fmt.Sprint(sent) != "[[1 2 3] [1 3]]" {
			t.Errorf("sent %v", sent)
		}
		if got[0].Outcome != driver.Refused || got[1].Outcome != driver.Confirmed || got[2].Outcome != driver.Unknown {
			t.Errorf("results %+v", got)
		}
		if got[2].Err == nil || !got[2].Err.Applied {
			t.Errorf("a push passed over in silence: %v", got[2].Err)
		}
	})
}

// TestEveryPushGetsOneResult holds for any pushes and whatever the vendor does.
func TestEveryPushGetsOneResult(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pushes := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) driver.Push {
			return driver.Push{
				ID:       rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(rt, "id"),
				Kind:     rapid.SampledFrom([]driver.WriteKind{driver.Absolute, driver.Absolute, "x"}).Draw(rt, "kind"),
				Quantity: rapid.Int64Range(-2, 1002).Draw(rt, "quantity"),
				Ref: driver.ListingRef{ProductID: rapid.SampledFrom([]string{"p", "p", "p", "q"}).Draw(rt, "product"),
					SKUID: rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(rt, "sku"), Locations: []string{"w"}},
				Split: rapid.SampledFrom([]map[string]int64{nil, {"w": 1}, {"v": 1}}).Draw(rt, "split"),
			}
		}), 0, 6).Draw(rt, "pushes")
		mode := rapid.IntRange(0, 3).Draw(rt, "mode")
		reached := map[string]bool{}
		f := &fake{}
		f.set = func(ctx context.Context, ps []driver.Push) ([]driver.Result, error) {
			for _, p := range ps {
				reached[p.ID] = true
			}
			all, _ := confirmAll(ctx, ps)
			switch mode {
			case 0:
				return all, nil
			case 1:
				return all[:len(all)/2], &driver.Error{Class: driver.GiveUp, Applied: true}
			case 2:
				return append(all, all...), nil
			}
			return nil, &driver.Error{Class: driver.GiveUp}
		}
		got, err := session(t, f).SetQuantities(t.Context(), pushes)
		if err != nil || len(got) != len(pushes) {
			rt.Fatalf("%d results for %d pushes, %v", len(got), len(pushes), err)
		}
		for i, r := range got {
			if r.PushID != pushes[i].ID || r.Outcome == "" || (r.Outcome == driver.Confirmed) != (r.Err == nil) {
				rt.Fatalf("result %d of push %+v: %+v", i, pushes[i], r)
			}
			if (r.Outcome == driver.Confirmed || r.Outcome == driver.Unknown) && !reached[r.PushID] {
				rt.Fatalf("push %q is %s and was never sent", r.PushID, r.Outcome)
			}
		}
	})
}

func TestBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := session(t, &fake{})
		var pushes []driver.Push
		for i, group := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 40).Draw(rt, "groups") {
			p := pushOf(fmt.Sprint(i))
			p.Ref.ProductID = fmt.Sprint(group)
			pushes = append(pushes, p)
		}
		seen := map[string]bool{}
		for _, b := range s.Batches(pushes) {
			if len(b) == 0 || len(b) > s.Vendor().Limits.SetQuantities {
				rt.Fatalf("a batch of %d", len(b))
			}
			for _, p := range b {
				if seen[p.ID] || p.Ref.ProductID != b[0].Ref.ProductID {
					rt.Fatalf("push %s is in a batch twice, or in one of another group", p.ID)
				}
				seen[p.ID] = true
			}
		}
		if len(seen) != len(pushes) {
			rt.Fatalf("%d of %d pushes are in a batch", len(seen), len(pushes))
		}
	})
}
