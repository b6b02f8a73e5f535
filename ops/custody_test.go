package ops

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/store"
)

var custodyNoon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// custodyHouse are the use-cases over an empty database and a key file in dir, not started.
func custodyHouse(t *testing.T, dir string) *Ops {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	ring, err := seal.Load(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return http.DefaultClient }
	x, err := New(Options{Store: st, Ring: ring, Now: func() time.Time { return custodyNoon }, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func packedEvent(parcel string, what custody.What) custody.Event {
	return custody.Event{ID: parcel + "/" + string(what), At: custodyNoon, What: what, Role: custody.Packer, Node: "wh", OrderID: "shop:1", ParcelID: parcel,
		Documents: []custody.Document{{Kind: "label", SHA256: sha256.Sum256([]byte(parcel))}}}
}

func (x *Ops) appendCustody(t *testing.T, es ...custody.Event) {
	t.Helper()
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error { return tx.CustodyAppend(es) }); err != nil {
		t.Fatal(err)
	}
	if spoilt, err := x.SequenceCustody(t.Context()); err != nil || spoilt != 0 {
		t.Fatalf("%d spoilt, %v", spoilt, err)
	}
}

func TestTheCustodyKeyIsMadeOnceAndStays(t *testing.T) {
	dir := t.TempDir()
	x := custodyHouse(t, dir)
	if _, _, err := x.CustodyHead(t.Context()); !errs.Is(err, errs.NotFound) {
		t.Errorf("before there is anything: %v", err)
	}
	x.appendCustody(t)
	x.appendCustody(t, packedEvent("P-1", custody.Packed))
	_, key, err := x.CustodyHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := custodyHouse(t, dir)
	again.appendCustody(t, packedEvent("P-1", custody.HandedOver), packedEvent("P-2", custody.Packed))
	checkpoint, same, err := again.CustodyHead(t.Context())
	if err != nil || same != key {
		t.Errorf("the key is %q and was %q (%v)", same, key, err)
	}
	tree, err := custody.OpenCheckpoint(checkpoint, key)
	if err != nil || tree.N != 3 {
		t.Errorf("%v, %v", tree, err)
	}
	p, err := again.CustodyProof(t.Context(), "", "P-1", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Check(key); err != nil || len(got.Events) != 2 || got.Events[1].What != custody.HandedOver {
		t.Errorf("%+v, %v", got, err)
	}
	leaves, err := again.CustodyEntries(t.Context(), 1)
	if err != nil || len(leaves) != 2 || !strings.Contains(leaves[0], "handed_over") {
		t.Errorf("%q, %v", leaves, err)
	}
	if tile, err := again.CustodyTile(t.Context(), 0, 0); err != nil || len(tile) != 3*sha256.Size {
		t.Errorf("%d bytes, %v", len(tile), err)
	}
	if _, err := again.CustodyTile(t.Context(), 0, 1); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such tile: %v", err)
	}
}

// TestEveryChangedByteOfTheSealedKeyIsFound completes what the suite of the store does for all that is not sealed.
func TestEveryChangedByteOfTheSealedKeyIsFound(t *testing.T) {
	x := custodyHouse(t, t.TempDir())
	x.appendCustody(t, packedEvent("P-1", custody.Packed))
	var key store.CustodyKey
	if err := x.st.View(t.Context(), func(tx *store.Tx) (err error) { key, _, err = tx.CustodyKeyGet(); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := x.openCustodyKey(key); err != nil {
		t.Fatal(err)
	}
	for i := range key.Sealed {
		changed := key
		changed.Sealed = bytes.Clone(key.Sealed)
		changed.Sealed[i] ^= 1
		if _, err := x.openCustodyKey(changed); err == nil {
			t.Errorf("byte %d of the sealed key does not matter", i)
		}
	}
	for i := range key.Verifier {
		changed := key
		b := []byte(key.Verifier)
		b[i] ^= 1
		if changed.Verifier = string(b); func() bool { _, err := x.openCustodyKey(changed); return err == nil }() {
			t.Errorf("byte %d of the published key does not matter", i)
		}
	}
	if r, err := x.CheckCustody(t.Context()); err != nil || len(r.Found) > 0 || r.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	other := custodyHouse(t, t.TempDir())
	x.o.Ring = other.o.Ring // another key file
	if r, err := x.CheckCustody(t.Context()); err != nil || len(r.Found) != 1 {
		t.Errorf("with another key file: %+v, %v", r, err)
	}
	if f, err := x.findCustody(t.Context()); err != nil || f.OK || f.Fix == "" {
		t.Errorf("%+v, %v", f, err)
	}
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error { return tx.CustodyAppend([]custody.Event{packedEvent("P-2", custody.Packed)}) }); err != nil {
		t.Fatal(err)
	}
	if _, err := x.SequenceCustody(t.Context()); err == nil {
		t.Error("the log went on without its key")
	}
}

// BenchmarkCustodySequence is the cost of an entry, appended and sequenced in batches.
func BenchmarkCustodySequence(b *testing.B) {
	dir := b.TempDir()
	st, err := store.Open(b.Context(), "sqlite:"+filepath.Join(dir, "db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	ring, err := seal.Load(filepath.Join(dir, "keys"))
	if err != nil {
		b.Fatal(err)
	}
	x := &Ops{o: Options{Ring: ring}, st: st}
	const batch = 1000
	for i := 0; b.Loop(); i++ {
		es := make([]custody.Event, batch)
		for j := range es {
			es[j] = packedEvent("P-"+strings.Repeat("x", j%7), custody.Packed)
			es[j].ID = time.Duration(i*batch + j).String()
		}
		if err := st.Update(b.Context(), func(tx *store.Tx) error { return tx.CustodyAppend(es) }); err != nil {
			b.Fatal(err)
		}
		if _, err := x.SequenceCustody(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*batch), "µs/entry")
}

// BenchmarkCustodyCheck is the cost of an entry when the whole log is hashed anew.
func BenchmarkCustodyCheck(b *testing.B) {
	dir := b.TempDir()
	st, err := store.Open(b.Context(), "sqlite:"+filepath.Join(dir, "db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	ring, err := seal.Load(filepath.Join(dir, "keys"))
	if err != nil {
		b.Fatal(err)
	}
	x := &Ops{o: Options{Ring: ring}, st: st}
	const entries = 20_000
	es := make([]custody.Event, entries)
	for i := range es {
		es[i] = packedEvent("P-1", custody.Packed)
		es[i].ID = time.Duration(i).String()
	}
	if err := st.Update(b.Context(), func(tx *store.Tx) error { return tx.CustodyAppend(es) }); err != nil {
		b.Fatal(err)
	}
	if _, err := x.SequenceCustody(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := x.CheckCustody(b.Context()); err != nil || len(r.Found) > 0 || r.Entries != entries {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*entries)/1000, "µs/entry")
}
