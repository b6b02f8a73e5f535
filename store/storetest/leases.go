package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var leaseCases = []testcase{
	{"a lease has one owner", oneOwner},
	{"a lease passes on when its time is over", leasePasses},
	{"of many who want a lease one gets it", racingForLease},
	{"what is written under a lost lease is refused", fencedWrite},
	{"nobody takes a lease while its owner writes", takerWaits},
	{"processes", processes},
}

// take asks for a lease.
func (d *database) take(tb testing.TB, name, owner string, last time.Duration) (l store.Lease, got bool) {
	tb.Helper()
	d.update(tb, func(tx *store.Tx) (err error) {
		l, got, err = tx.LeaseTake(name, owner, last)
		return err
	})
	return l, got
}

func oneOwner(t *testing.T, d *database) {
	a, got := d.take(t, "connection:c", "a", time.Hour)
	if !got || a.Owner != "a" || a.Token != 1 || !a.Until.After(a.Since) {
		t.Fatalf("%t %+v", got, a)
	}
	if l, got := d.take(t, "connection:c", "b", time.Hour); got || l.Owner != "a" || l.Token != 1 {
		t.Fatalf("taken from its owner: %+v", l)
	}
	a.Info = `{"waiting":3}`
	d.update(t, func(tx *store.Tx) error {
		return tx.LeaseRenew([]store.Lease{a, {Name: "connection:c", Owner: "b", Token: 1, Info: "b"}, {Name: "none", Owner: "a", Token: 1}}, 2*time.Hour)
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.LeaseList()
		if len(got) != 1 || got[0].Info != a.Info || !got[0].Until.After(a.Until) || got[0].Token != 1 || !got[0].Since.Equal(a.Since) {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.LeaseRelease("b", []string{"connection:c"}) })
	if _, got := d.take(t, "connection:c", "b", time.Hour); got {
		t.Fatal("released by one who does not own it")
	}
	d.update(t, func(tx *store.Tx) error { return tx.LeaseRelease("a", []string{"connection:c", "none"}) })
	if l, got := d.take(t, "connection:c", "b", time.Hour); !got || l.Owner != "b" || l.Token != 2 || l.Info != "" {
		t.Fatalf("%t %+v", got, l)
	}
	if l, got := d.take(t, "connection:c", "b", time.Hour); !got || l.Token != 3 {
		t.Fatalf("its owner takes it anew: %t %+v", got, l)
	}
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { _, _, err := tx.LeaseTake("x", "", time.Hour); return err })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { _, _, err := tx.LeaseTake("x", "a", 0); return err })
}

func leasePasses(t *testing.T, d *database) {
	a, _ := d.take(t, "scheduler", "a", 50*time.Millisecond)
	for {
		l, got := d.take(t, "scheduler", "b", time.Hour)
		if !got {
			continue
		}
		if l.Since.Before(a.Until) || l.Token != a.Token+1 {
			t.Fatalf("taken before %v: %+v", a.Until, l)
		}
		break
	}
	d.update(t, func(tx *store.Tx) error { return tx.LeaseRenew([]store.Lease{a}, time.Hour) }) // too late
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.LeaseList()
		if len(got) != 1 || got[0].Owner != "b" {
			t.Errorf("%+v", got)
		}
		return err
	})
}

func racingForLease(t *testing.T, d *database) {
	both := []*database{d, open(t, d.url)}
	for round := range 5 {
		owners := make([]store.Lease, 20)
		won := make([]bool, len(owners))
		for _, err := range together(len(owners), func(i int) error {
			return both[i%2].Update(d.ctx, func(tx *store.Tx) (err error) {
				owners[i], won[i], err = tx.LeaseTake("connection:c", orderID(round*100+i), time.Hour)
				return err
			})
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		at := slices.Index(won, true)
		if at < 0 || slices.Contains(won[at+1:], true) || owners[at].Token != int64(round+1) {
			t.Fatalf("round %d: won %v, %+v", round, won, owners)
		}
		d.update(t, func(tx *store.Tx) error { return tx.LeaseRelease(owners[at].Owner, []string{"connection:c"}) })
	}
}

func fencedWrite(t *testing.T, d *database) {
	a, _ := d.take(t, "connection:c", "a", time.Hour)
	b, _ := d.take(t, "connection:d", "a", time.Hour)
	lost := func() (out []string) {
		d.update(t, func(tx *store.Tx) (err error) {
			out, err = tx.LeaseLost(map[string]int64{a.Name: a.Token, b.Name: b.Token, "none": 1})
			return err
		})
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff([]string{"none"}, lost()); diff != "" {
		t.Error(diff)
	}
	d.update(t, func(tx *store.Tx) error { return tx.LeaseRelease("a", []string{a.Name}) })
	if diff := cmp.Diff([]string{a.Name, "none"}, lost()); diff != "" {
		t.Error("given back:", diff)
	}
	d.take(t, a.Name, "b", time.Hour)
	if diff := cmp.Diff([]string{a.Name, "none"}, lost()); diff != "" {
		t.Error("taken by another:", diff)
	}
}

// takerWaits: while a transaction has checked its lease, whoever would take it waits for the commit.
func takerWaits(t *testing.T, d *database) {
	a, _ := d.take(t, "connection:c", "a", time.Millisecond)
	other := open(t, d.url)
	checked, taken := make(chan struct{}), make(chan error, 1)
	go func() {
		<-checked
		taken <- other.Update(d.ctx, func(tx *store.Tx) error {
			for {
				if _, got, err := tx.LeaseTake("connection:c", "b", time.Hour); got || err != nil {
					return err
				}
			}
		})
	}()
	d.update(t, func(tx *store.Tx) error {
		lost, err := tx.LeaseLost(map[string]int64{a.Name: a.Token})
		if err != nil || len(lost) > 0 {
			t.Errorf("%v, %v", lost, err)
			close(checked)
			return err
		}
		close(checked)
		for range 20 { // the other has time to try
			select {
			case err := <-taken:
				t.Errorf("taken while its owner writes: %v", err)
				return nil
			default:
			}
			if _, err := tx.ItemCount(); err != nil {
				return err
			}
		}
		return tx.SettingSet("under", "a")
	})
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.LeaseList()
		if got[0].Owner != "b" || got[0].Token != 2 {
			t.Errorf("%+v", got)
		}
		return err
	})
}

func processes(t *testing.T, d *database) {
	p := store.Process{ID: "a", Host: "h", PID: 7, Version: "v1", Role: "full"}
	d.update(t, func(tx *store.Tx) error { return tx.ProcessSeen(p) })
	var first store.Process
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ProcessList()
		if len(got) != 1 || got[0].Started.IsZero() || !got[0].Seen.Equal(got[0].Started) {
			t.Fatalf("%+v", got)
		}
		first = got[0]
		p.Started, p.Seen = first.Started, first.Seen
		if diff := cmp.Diff(p, first); diff != "" {
			t.Error(diff)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.ProcessSeen(store.Process{ID: "b"}) })
	d.update(t, func(tx *store.Tx) error { return tx.ProcessSeen(p) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ProcessList()
		if len(got) != 2 || got[0].ID != "a" || !got[0].Started.Equal(first.Started) || !got[0].Seen.After(first.Seen) {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.ProcessGone("a") })
	d.update(t, func(tx *store.Tx) error {
		now, err := tx.Clock()
		if err != nil {
			return err
		}
		return tx.ProcessPrune(now.Add(time.Second))
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ProcessList()
		if len(got) != 0 {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.ProcessSeen(store.Process{}) })
}
