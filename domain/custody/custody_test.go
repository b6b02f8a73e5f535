package custody

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123_456_789, time.UTC)

func anEvent(i int) Event {
	return Event{ID: fmt.Sprintf("event/%d", i), At: noon.Add(time.Duration(i) * time.Second), What: Packed, Role: Packer, Node: "wh-1",
		OrderID: fmt.Sprintf("shop:%d", i/3), ParcelID: fmt.Sprintf("P-%d", i/2)}
}

func leafOf(t testing.TB, e Event) []byte {
	t.Helper()
	b, err := Leaf(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drawEvent draws events with ids of every kind of letter.
func drawEvent(t *rapid.T) Event {
	e := Event{ID: rapid.StringN(1, 200, 300).Draw(t, "id"), At: time.UnixMicro(rapid.Int64Range(0, 7_000_000_000_000_000).Draw(t, "at")),
		What: rapid.SampledFrom(whats).Draw(t, "what"), Role: rapid.SampledFrom(roles).Draw(t, "role"), Node: rapid.String().Draw(t, "node"),
		OrderID: rapid.String().Draw(t, "order"), ParcelID: rapid.StringN(1, 50, 100).Draw(t, "parcel")}
	for range rapid.IntRange(0, 4).Draw(t, "documents") {
		e.Documents = append(e.Documents, Document{rapid.StringMatching("[a-z_]{1,40}").Draw(t, "kind"), sha256.Sum256([]byte{rapid.Byte().Draw(t, "sum")})})
	}
	return e
}

func TestLeavesReadBackAsTheirEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		leaf, err := Leaf(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.Normal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLeaf(leaf)
		if err != nil {
			t.Fatalf("%v\n%s", err, leaf)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if again, _ := Leaf(got); !bytes.Equal(again, leaf) {
			t.Errorf("written again it is\n%s and was\n%s", again, leaf)
		}
		if _, err := tlog.FormatRecord(1, leaf); err != nil {
			t.Errorf("the Go checksum database's tools do not take it: %v", err)
		}
	})
}

func TestOneChangedByteIsAnotherLeaf(t *testing.T) {
	e := anEvent(1)
	e.Documents = []Document{{"label", sha256.Sum256([]byte("label"))}}
	leaf := leafOf(t, e)
	for i := range leaf {
		for _, x := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(leaf)
			changed[i] ^= x
			if HashLeaf(changed) == HashLeaf(leaf) {
				t.Fatalf("byte %d does not matter", i)
			}
		}
	}
}

// TestNoPersonalDataInLeaves: ids that were made out of what identifies people are not written.
func TestNoPersonalDataInLeaves(t *testing.T) {
	for _, id := range []string{"jane.doe@example.com", "Jane Doe", "12 High Street\nLeeds", "+44 7700 900123", "Zoë", "山田太郎", "a\x00b"} {
		e := anEvent(1)
		e.ID, e.OrderID, e.ParcelID, e.Node = id, id, id, id
		leaf := leafOf(t, e)
		for word := range strings.FieldsSeq(id) {
			if len(word) > 2 && strings.Contains(string(leaf), word) {
				t.Errorf("%q is in the leaf\n%s", word, leaf)
			}
		}
		if Ref(Ref(id)) != Ref(id) || !strings.Contains(string(leaf), Ref(id)) {
			t.Errorf("Ref of %q is %q", id, Ref(id))
		}
	}
	for name, change := range map[string]func(*Event){
		"a name as a role":      func(e *Event) { e.Role = "Jane Doe" },
		"a sentence as what":    func(e *Event) { e.What = "packed by Jane" },
		"a name as a document":  func(e *Event) { e.Documents = []Document{{Kind: "Jane's photo"}} },
		"no id":                 func(e *Event) { e.ID = "" },
		"nothing it is about":   func(e *Event) { e.OrderID, e.ParcelID = "", "" },
		"no time":               func(e *Event) { e.At = time.Time{} },
		"too many documents":    func(e *Event) { e.Documents = make([]Document, maxDocuments+1) },
		"a time far off":        func(e *Event) { e.At = lastTime },
		"a document of no kind": func(e *Event) { e.Documents = make([]Document, 1) },
	} {
		e := anEvent(1)
		change(&e)
		if _, err := Leaf(e); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// memory is a log in memory: tiles as Grow makes them, read back through the proof of package tlog.
type memory struct {
	tree   tlog.Tree
	tiles  map[TileKey][]byte
	leaves []string
}

func newMemory() *memory {
	return &memory{tree: tlog.Tree{Hash: emptyRoot}, tiles: map[TileKey][]byte{}}
}

func (m *memory) Height() int                     { return TileHeight }
func (m *memory) SaveTiles([]tlog.Tile, [][]byte) {}
func (m *memory) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		data := m.tiles[TileKey{t.L, t.N}]
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s is not there", t.Path())
		}
		out = append(out, data[:t.W*tlog.HashSize])
	}
	return out, nil
}

func (m *memory) reader() tlog.HashReader { return tlog.TileHashReader(m.tree, m) }

func (m *memory) grow(t testing.TB, n int) {
	t.Helper()
	var hashes []tlog.Hash
	for range n {
		leaf := leafOf(t, anEvent(len(m.leaves)))
		m.leaves, hashes = append(m.leaves, string(leaf)), append(hashes, HashLeaf(leaf))
	}
	tree, tiles, err := Grow(m.tree, m.reader(), hashes)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tiles {
		m.tiles[x.TileKey] = x.Data
	}
	m.tree = tree
}

// proof makes a proof file of some entries.
func (m *memory) proof(t testing.TB, s note.Signer, key string, since int64, entries ...int64) *Proof {
	t.Helper()
	p := &Proof{Format: ProofFormat, Key: key}
	var err error
	if p.Checkpoint, err = Sign(m.tree, s); err != nil {
		t.Fatal(err)
	}
	for _, n := range entries {
		way, err := tlog.ProveRecord(m.tree.N, n, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		p.Entries = append(p.Entries, ProvenEntry{n, m.leaves[n], way})
	}
	if since > 0 {
		way, err := tlog.ProveTree(m.tree.N, since, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		p.Since = &SinceProof{since, way}
	}
	return p
}

// TestTreesGrowAsPackageTlogGrowsThem compares trees, tiles and proofs, whatever the steps in which a log grew.
func TestTreesGrowAsPackageTlogGrowsThem(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, stored := newMemory(), []tlog.Hash{}
		kept := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
			for _, i := range at {
				out = append(out, stored[i])
			}
			return out, nil
		})
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			m.grow(t, rapid.IntRange(0, 400).Draw(rt, "step"))
		}
		if m.tree.N == 0 {
			return
		}
		for n, leaf := range m.leaves {
			more, err := tlog.StoredHashes(int64(n), []byte(leaf), kept)
			if err != nil {
				rt.Fatal(err)
			}
			stored = append(stored, more...)
		}
		want, err := tlog.TreeHash(m.tree.N, kept)
		if err != nil || want != m.tree.Hash {
			rt.Fatalf("root %v, tlog has %v (%v)", m.tree.Hash, want, err)
		}
		counted := 0
		r := NewRecount(func(x Tile) error {
			counted++
			if !bytes.Equal(m.tiles[x.TileKey], x.Data) {
				rt.Errorf("tile %v is not as it grew", x.TileKey)
			}
			return nil
		})
		for _, leaf := range m.leaves {
			if err := r.Add(HashLeaf([]byte(leaf))); err != nil {
				rt.Fatal(err)
			}
		}
		if err := r.End(); err != nil || r.Tree() != m.tree || counted != len(m.tiles) {
			rt.Errorf("counted anew: %v with %d tiles, grown: %v with %d (%v)", r.Tree(), counted, m.tree, len(m.tiles), err)
		}
		n := rapid.Int64Range(0, m.tree.N-1).Draw(rt, "n")
		way, err := tlog.ProveTree(m.tree.N, n+1, m.reader())
		if err != nil {
			rt.Fatal(err)
		}
		oldRoot, err := tlog.TreeHash(n+1, kept)
		if err != nil {
			rt.Fatal(err)
		}
		old := tlog.Tree{N: n + 1, Hash: oldRoot}
		if err := CheckConsistency(old, m.tree, way); err != nil {
			rt.Error(err)
		}
		if err := CheckPart(Range{0, old.N}, old.Hash, m.tree, way); err != nil {
			rt.Errorf("ours does not take what tlog proves: %v", err)
		}
		if len(way) > 0 {
			way[rapid.IntRange(0, len(way)-1).Draw(rt, "at")][7] ^= 1
			if CheckPart(Range{0, old.N}, old.Hash, m.tree, way) == nil || CheckConsistency(old, m.tree, way) == nil {
				rt.Error("a changed proof is taken")
			}
		}
	})
}

func keys(t testing.TB, name string) (note.Signer, string) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed[:]), Origin(name))
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

func TestProofFiles(t *testing.T) {
	m := newMemory()
	m.grow(t, 300)
	old := m.tree
	m.grow(t, 100)
	s, key := keys(t, "a")
	p := m.proof(t, s, key, 300, 10, 11, 256, 399)
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseProof(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, trusted := range []string{"", key} {
		got, err := read.Check(trusted)
		if err != nil || got.Tree != m.tree || len(got.Events) != 4 || got.Events[2].ID != "event/256" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if err := read.CheckSince(old, m.tree); err != nil {
		t.Error(err)
	}
	if err := read.CheckSince(m.tree, m.tree); err != nil {
		t.Error(err)
	}
	_, other := keys(t, "b")
	if _, err := read.Check(other); !errs.Is(err, errs.Conflict) {
		t.Errorf("another key: %v", err)
	}
	forged := old
	forged.Hash[0] ^= 1
	for name, c := range map[string]struct {
		old tlog.Tree
		now tlog.Tree
		is  errs.Kind
	}{
		"another beginning": {forged, m.tree, errs.Conflict},
		"set back":          {m.tree, old, errs.Conflict},
		"another of a size": {tlog.Tree{N: 400, Hash: old.Hash}, m.tree, errs.Conflict},
		"not told":          {tlog.Tree{N: 299, Hash: old.Hash}, m.tree, errs.Invalid},
	} {
		if err := read.CheckSince(c.old, c.now); !errs.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryChangedByteOfAProofIsFound changes each letter of a file. What still verifies says the very same.
func TestEveryChangedByteOfAProofIsFound(t *testing.T) {
	m := newMemory()
	m.grow(t, 20)
	s, key := keys(t, "a")
	p := m.proof(t, s, key, 7, 3, 19)
	file, _ := p.Encode()
	want, err := p.Check(key)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := tlog.TreeHash(7, m.reader())
	passed := 0
	for i := range file {
		for _, x := range []byte{1, 2, 0x20} {
			changed := bytes.Clone(file)
			changed[i] ^= x
			q, err := ParseProof(changed)
			if err != nil {
				continue
			}
			got, err := q.Check(key)
			if err != nil || q.CheckSince(tlog.Tree{N: 7, Hash: old}, got.Tree) != nil {
				continue
			}
			passed++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("byte %d %q as %q verifies and says something else: %s", i, file[i], changed[i], diff)
			}
		}
	}
	if passed > 400 { // blanks, small letters of field names as great ones, what comes after a signature's meaning
		t.Errorf("%d changes of %d passed", passed, 3*len(file))
	}
}

func TestForgedProofsAreRefused(t *testing.T) {
	m := newMemory()
	m.grow(t, 20)
	s, key := keys(t, "a")
	for name, change := range map[string]func(*Proof){
		"entry twice":        func(p *Proof) { p.Entries[1] = p.Entries[0] },
		"another place":      func(p *Proof) { p.Entries[0].Index++ },
		"proof of another":   func(p *Proof) { p.Entries[0].Proof = p.Entries[1].Proof },
		"beyond the end":     func(p *Proof) { p.Entries[1].Index = 20 },
		"another parcel":     func(p *Proof) { p.ParcelID = "P-77" },
		"another order":      func(p *Proof) { p.OrderID = "shop:77" },
		"unsigned":           func(p *Proof) { p.Checkpoint = p.Checkpoint[:strings.Index(p.Checkpoint, "\n\n")+2] },
		"greater checkpoint": func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n20\n", "\n21\n", 1) },
		"no checkpoint":      func(p *Proof) { p.Checkpoint = "" },
		"leaf of no event": func(p *Proof) {
			other := newMemory()
			tree, tiles, _ := Grow(other.tree, other.reader(), []tlog.Hash{HashLeaf([]byte("free text\n"))})
			other.tree, other.leaves = tree, []string{"free text\n"}
			for _, x := range tiles {
				other.tiles[x.TileKey] = x.Data
			}
			*p = *other.proof(t, s, key, 0, 0)
		},
	} {
		p := m.proof(t, s, key, 0, 3, 19)
		change(p)
		if _, err := p.Check(key); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseProof(f *testing.F) {
	m := newMemory()
	m.grow(f, 9)
	s, key := keys(f, "a")
	file, _ := m.proof(f, s, key, 4, 1, 8).Encode()
	f.Add(file)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"format":"` + ProofFormat + `","entries":[{"index":-1,"leaf":"","proof":[""]}]}`))
	cp, _ := Sign(m.tree, s)
	f.Add([]byte(cp))
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := EarlierCheckpoint(in, key); err != nil && errs.KindOf(err) == errs.Internal {
			t.Fatal(err)
		}
		p, err := ParseProof(in)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		got, err := p.Check(key)
		if err != nil {
			if errs.KindOf(err) == errs.Internal {
				t.Fatal(err)
			}
			return
		}
		if got.Tree != m.tree { // nobody else has the key
			t.Fatalf("forged: %s", in)
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := ParseProof(again); err != nil || !cmp.Equal(p, q) {
			t.Fatalf("written again it is another: %v", err)
		}
	})
}

func FuzzParseLeaf(f *testing.F) {
	e := anEvent(1)
	e.Documents = []Document{{"label", sha256.Sum256(nil)}}
	leaf, _ := Leaf(e)
	f.Add(leaf)
	f.Add([]byte(leafHead + "\nid a\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := ParseLeaf(in)
		if err != nil {
			return
		}
		if again, err := Leaf(e); err != nil || !bytes.Equal(again, in) {
			t.Fatalf("two leaves of one event:\n%s\n%s (%v)", in, again, err)
		}
	})
}
