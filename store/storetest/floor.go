package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var floorCases = []testcase{
	{"waves and their walks are kept, and released once", wavesKept},
	{"of many who want a parcel one has it", claimsRace},
	{"of many who pick at once none is lost", picksRace},
	{"a scan counts once, however often it is sent", scansOnce},
	{"the exceptions bench", troublesKept},
	{"orders that may ship as one, and bags", togetherKept},
	{"carriers' manifests, and a label on one of them", manifestsKept},
	{"of two who put a label on a manifest one does", manifestsRace},
}

func floorWave(id string) (store.FloorWave, store.FloorTask) {
	return store.FloorWave{ID: id, Node: "main", Wave: floor.Wave{Method: floor.Singles, Parcels: []string{"a"}, Units: 9, Due: day}, By: "ann", At: day},
		store.FloorTask{ID: id + "-1", Wave: id, Place: 1, Task: floor.Task{Bin: "A-1", Item: "MUG", Feeds: []floor.Feed{{Parcel: "a", Qty: 9, Due: day}}}}
}

func wavesKept(t *testing.T, d *database) {
	w, k := floorWave("w1")
	add := func(want bool) {
		d.update(t, func(tx *store.Tx) error {
			fresh, err := tx.WavesAdd([]store.FloorWave{w}, []store.FloorTask{k})
			if fresh[w.ID] != want {
				t.Errorf("new: %v, want %v", fresh, want)
			}
			return err
		})
	}
	add(true)
	add(false)
	w.Version, k.Version = 1, 1
	d.view(t, func(tx *store.Tx) error {
		open, err := tx.WavesOpen("main", 10)
		if diff := cmp.Diff([]store.FloorWave{w}, open); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		tasks, err := tx.WalksOf("w1", "none")
		if diff := cmp.Diff([]store.FloorTask{k}, tasks); diff != "" {
			t.Error(diff)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { w.Done = true; return tx.WaveSave(w) })
	d.view(t, func(tx *store.Tx) error {
		if open, err := tx.WavesOpen("main", 10); err != nil || len(open) != 0 {
			t.Errorf("%v %v", open, err)
		}
		got, err := tx.WaveGet("w1")
		if !got.Done || got.Version != 2 {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.WaveGet("none"); return err })
}

func claimsRace(t *testing.T, d *database) {
	won := 0
	for _, err := range together(6, func(i int) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			had, err := tx.ClaimsGet("a")
			if err != nil {
				return err
			}
			c := store.FloorClaim{Pack: floor.Open([]floor.Need{{Item: "MUG", Qty: 2}})}
			if len(had) > 0 {
				c = had[0]
			}
			if c.Claim, err = floor.Take(c.Claim, "a", string(rune('0'+i)), "ann", tx.Now()); err != nil {
				return err
			}
			return tx.ClaimPut(c)
		})
	}) {
		switch {
		case err == nil:
			won++
		case !errs.Is(err, errs.Conflict):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d have it", won)
	}
	d.update(t, func(tx *store.Tx) error {
		had, err := tx.ClaimsGet("a", "b")
		if len(had) != 1 || had[0].Stage != floor.Check || had[0].Items[0].Qty != 2 {
			t.Errorf("%+v", had)
		}
		if err != nil {
			return err
		}
		of, err := tx.ClaimsOf(had[0].Station)
		if err != nil || len(of) != 1 {
			t.Errorf("%+v %v", of, err)
		}
		return tx.ClaimDrop("a")
	})
	d.view(t, func(tx *store.Tx) error {
		had, err := tx.ClaimsGet("a")
		if len(had) != 0 {
			t.Errorf("%+v", had)
		}
		return err
	})
}

func picksRace(t *testing.T, d *database) {
	w, k := floorWave("w1")
	d.update(t, func(tx *store.Tx) error {
		_, err := tx.WavesAdd([]store.FloorWave{w}, []store.FloorTask{k})
		return err
	})
	for _, err := range together(6, func(int) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			ts, err := tx.WalksOf("w1")
			if err != nil {
				return err
			}
			if err := ts[0].Pick(1); err != nil {
				return err
			}
			return tx.WalksSave(ts)
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	d.view(t, func(tx *store.Tx) error {
		ts, err := tx.WalksOf("w1")
		if ts[0].Picked != 6 {
			t.Errorf("%d of 6 are known", ts[0].Picked)
		}
		return err
	})
}

func scansOnce(t *testing.T, d *database) {
	counted := 0
	for _, err := range together(6, func(int) error {
		mine := false
		err := d.Update(d.ctx, func(tx *store.Tx) error {
			said, again, err := tx.ScanOnce("s1")
			if err != nil {
				return err
			}
			if mine = !again; again {
				if string(said) != `{"ok": true}` {
					t.Errorf("said %s", said)
				}
				return nil
			}
			return tx.ScanKeep("s1", json.RawMessage(`{"ok": true}`))
		})
		if mine && err == nil {
			counted++
		}
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if counted != 1 {
		t.Errorf("it counted %d times", counted)
	}
	d.update(t, func(tx *store.Tx) error {
		n, err := tx.ScansPrune(tx.Now().Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("%d are forgotten", n)
		}
		return err
	})
}

func troublesKept(t *testing.T, d *database) {
	a := store.FloorTrouble{Shipment: "a", Node: "main", At: day, Kind: "short", Text: "1 mug", Orders: []string{"c:a"}, Lacks: []floor.Need{{Item: "MUG", Qty: 1}}}
	b := store.FloorTrouble{Shipment: "b", Node: "main", At: day.Add(time.Hour), Kind: "aside", Text: "torn", Orders: []string{"c:b"}}
	d.update(t, func(tx *store.Tx) error { return tx.TroublePut(a, b) })
	a.Note, a.Settled = "routed again", true
	d.update(t, func(tx *store.Tx) error { return tx.TroublePut(a) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.Troubles("main", 10)
		if diff := cmp.Diff([]store.FloorTrouble{b, a}, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		one, err := tx.TroublesGet("a", "x")
		if len(one) != 1 || one[0].Shipment != "a" {
			t.Errorf("%+v", one)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.TroubleDrop("a") })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.Troubles("main", 10)
		if len(got) != 1 {
			t.Errorf("%+v", got)
		}
		return err
	})
}
