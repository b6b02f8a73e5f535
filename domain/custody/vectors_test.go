package custody

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// vectors of transparency-dev/merkle, an implementation that shares no code with ours or with tlog. Numbers beyond int64 come out negative,
// which is as wrong as they are.
const (
	vectorFile  = "../../../shared/data/merkle-proof-vectors/vectors.jsonl"
	vectorCount = 261
)

type vector struct {
	Kind, Case string
	Vector     struct {
		LeafIdx, TreeSize  uint64
		Size1, Size2       uint64
		Start, End, Size   uint64
		Root, Root1, Root2 []byte
		LeafHash           []byte
		Proof              [][]byte
		WantErr            bool
		Desc               string
	}
}

// hashes are the bytes as hashes. Some vectors have a word where a hash does not matter: its own hash stands for it, which is as different from
// all others as the word was.
func hashes(in ...[]byte) (out []tlog.Hash) {
	for i, b := range in {
		switch len(b) {
		case tlog.HashSize:
			out = append(out, tlog.Hash(b))
		case 0: // nothing is not even equal to nothing
			out = append(out, sha256.Sum256(fmt.Appendf(nil, "nothing %d", i)))
		default:
			out = append(out, sha256.Sum256(b))
		}
	}
	return out
}

func (v *vector) check() error {
	x := &v.Vector
	proof := hashes(x.Proof...)
	roots := hashes(x.Root1, x.Root2, x.Root, x.LeafHash)
	switch v.Kind {
	case "inclusion":
		return CheckInclusion(int64(x.LeafIdx), roots[3], Range{0, int64(x.TreeSize)}, roots[2], proof)
	case "subtreeinclusion":
		return CheckInclusion(int64(x.LeafIdx), roots[3], Range{int64(x.Start), int64(x.End)}, roots[2], proof)
	case "consistency":
		return CheckConsistency(tlog.Tree{N: int64(x.Size1), Hash: roots[0]}, tlog.Tree{N: int64(x.Size2), Hash: roots[1]}, proof)
	}
	return CheckPart(Range{int64(x.Start), int64(x.End)}, roots[0], tlog.Tree{N: int64(x.Size), Hash: roots[1]}, proof)
}

func TestVectorsOfAnIndependentImplementation(t *testing.T) {
	f, err := os.Open(vectorFile)
	if err != nil {
		t.Skipf("SKIPPED: %s is not there: proofs are not checked against vectors of an independent implementation", vectorFile)
	}
	defer f.Close()
	n, good := 0, 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("vector %d: %v", n, err)
		}
		n++
		if v.Vector.WantErr != (v.check() != nil) {
			t.Errorf("%s %s (%s): refused should be %v", v.Kind, v.Case, v.Vector.Desc, v.Vector.WantErr)
		}
		if !v.Vector.WantErr {
			good++
		}
	}
	if lines.Err() != nil || n < vectorCount || good == 0 {
		t.Fatalf("%d vectors read, %d of them good, want at least %d: %v", n, good, vectorCount, lines.Err())
	}
	t.Logf("%d vectors: %d good accepted, %d forged refused", n, good, n-good)
}
