package custody

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/kit/errs"
)

// Range is a run of entries [Start, End) whose hash is one node of the tree: Start is a multiple of the smallest power of two that is no
// less than its length. Every tree of the log is the range from 0 to its size.
type Range struct{ Start, End int64 }

func (r Range) valid() bool {
	if r.Start < 0 || r.Start >= r.End {
		return false
	}
	ceil := bits.Len64(uint64(r.End - r.Start - 1)) // of a power of two
	return bits.TrailingZeros64(uint64(r.Start)) >= ceil
}

// maxPath is the longest way through a tree: sizes are int64.
const maxPath = 63

// CheckInclusion verifies that the entry n with this hash is in a range with this root. Errors: Conflict.
func CheckInclusion(n int64, leaf tlog.Hash, in Range, root tlog.Hash, proof []tlog.Hash) error {
	if !in.valid() || n < in.Start || n >= in.End || len(proof) > maxPath ||
		tlog.CheckRecord(proof, in.End-in.Start, root, n-in.Start, leaf) != nil {
		return errs.New(errs.Conflict, "custody.CheckInclusion", "", "entry %d is not in the log of this checkpoint: it was changed, or the proof belongs to another entry", n)
	}
	return nil
}

// CheckConsistency verifies that a tree is the beginning, unchanged, of a later one. From a tree of no entries there is nothing to verify, so
// that fails. Errors: Conflict.
func CheckConsistency(old, now tlog.Tree, proof []tlog.Hash) error {
	if len(proof) > 2*maxPath || tlog.CheckTree(proof, now.N, now.Hash, old.N, old.Hash) != nil {
		return errs.New(errs.Conflict, "custody.CheckConsistency", "", "the later log does not hold the earlier one unchanged")
	}
	return nil
}

// CheckPart verifies that a range with this root is a part, unchanged, of a tree: for who keeps a piece of the log, such as the entries of a tile.
// The range of no entries is a part of every tree. Errors: Conflict.
func CheckPart(part Range, root tlog.Hash, now tlog.Tree, proof []tlog.Hash) error {
	failed := errs.New(errs.Conflict, "custody.CheckPart", "", "these entries are not a part of the log")
	if part.Start == part.End && part.Start >= 0 && part.End <= now.N {
		if len(proof) != 0 || root != emptyRoot {
			return failed
		}
		return nil
	}
	if !part.valid() || part.End > now.N || len(proof) > 2*maxPath {
		return failed
	}
	of, whole, ok := climb(part, root, now.N-1, proof)
	if !ok || of != root || whole != now.Hash {
		return failed
	}
	return nil
}

// emptyRoot is the hash of a tree of no entries, by RFC 6962.
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// climb goes from the last entry of a part up to the root of the tree whose last entry is end, and works out the roots of both on the way.
// left and right are where on the present level the part begins and ends; while they differ the part's own root is still being made. Where the
// part ends in a whole node of the tree the way begins at that node, which may be the part itself.
func climb(part Range, partRoot tlog.Hash, end int64, proof []tlog.Hash) (of, whole tlog.Hash, ok bool) {
	left, right := part.Start, part.End-1
	for left != right && (right == end || right&1 == 1) {
		left, right, end = left>>1, right>>1, end>>1
	}
	of, whole = partRoot, partRoot
	if left != right {
		if len(proof) == 0 {
			return of, whole, false
		}
		of, whole, proof = proof[0], proof[0], proof[1:]
	}
	for _, h := range proof {
		if end == 0 {
			return of, whole, false
		}
		if right&1 == 1 || right == end {
			if left != right {
				of = tlog.NodeHash(h, of)
			}
			whole = tlog.NodeHash(h, whole)
			for right&1 == 0 { // right is end and not 0: the node above has it alone
				left, right, end = left>>1, right>>1, end>>1
			}
		} else {
			whole = tlog.NodeHash(whole, h)
		}
		left, right, end = left>>1, right>>1, end>>1
	}
	return of, whole, end == 0
}
