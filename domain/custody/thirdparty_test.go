package custody_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/domain/custody"
)

// What follows up to the next line of equals signs is in docs/guides/verify.md, word for word: it uses nothing of ours.
// ============

// verify checks a custody proof with the libraries of the Go checksum database.
func verify(file []byte, key string) (leaves []string, err error) {
	var proof struct {
		Checkpoint string
		Entries    []struct {
			Index int64
			Leaf  string
			Proof tlog.RecordProof
		}
	}
	if err := json.Unmarshal(file, &proof); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	signed, err := note.Open([]byte(proof.Checkpoint), note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	var origin, root string
	var size int64
	if _, err := fmt.Sscanf(signed.Text, "%s\n%d\n%s\n", &origin, &size, &root); err != nil {
		return nil, err
	}
	hash, err := tlog.ParseHash(root)
	if err != nil {
		return nil, err
	}
	for _, e := range proof.Entries {
		if err := tlog.CheckRecord(e.Proof, size, hash, e.Index, tlog.RecordHash([]byte(e.Leaf))); err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		leaves = append(leaves, e.Leaf)
	}
	return leaves, nil
}

// ============

func TestAThirdPartyVerifiesWithNothingOfOurs(t *testing.T) {
	source, err := os.ReadFile("thirdparty_test.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(source), "// ============\n")
	if len(parts) < 3 || !strings.Contains(string(guide), strings.TrimSpace(parts[1])) {
		t.Error("the program in docs/guides/verify.md is not the one that is tested here")
	}

	seed := sha256.Sum256([]byte("third party"))
	skey, key, err := note.GenerateKey(bytes.NewReader(seed[:]), custody.Origin("x"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	var stored, hashes []tlog.Hash
	var leaves []string
	kept := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i := range 11 {
		leaf, err := custody.Leaf(custody.Event{ID: fmt.Sprint(i), At: time.Unix(1_800_000_000, 0), What: custody.Packed, Role: custody.Packer, ParcelID: "P"})
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(int64(i), leaf, kept)
		if err != nil {
			t.Fatal(err)
		}
		stored, hashes, leaves = append(stored, more...), append(hashes, custody.HashLeaf(leaf)), append(leaves, string(leaf))
	}
	tree, _, err := custody.Grow(custody.NewTree(), nil, hashes)
	if err != nil {
		t.Fatal(err)
	}
	p := custody.Proof{Key: key, ParcelID: "P"}
	if p.Checkpoint, err = custody.Sign(tree, signer); err != nil {
		t.Fatal(err)
	}
	for i, leaf := range leaves {
		way, err := tlog.ProveRecord(tree.N, int64(i), kept)
		if err != nil {
			t.Fatal(err)
		}
		p.Entries = append(p.Entries, custody.ProvenEntry{Index: int64(i), Leaf: leaf, Proof: way})
	}
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := verify(file, key); err != nil || len(got) != 11 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	for _, forged := range [][]byte{bytes.Replace(file, []byte("packed"), []byte("picked"), 1), bytes.Replace(file, []byte(`"index": 3`), []byte(`"index": 4`), 1),
		bytes.Replace(file, []byte(`\n11\n`), []byte(`\n10\n`), 1)} {
		if _, err := verify(forged, key); err == nil || bytes.Equal(forged, file) {
			t.Errorf("a forged file is taken (%v)", err)
		}
	}
}
