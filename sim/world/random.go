package world

import (
	"hash/fnv"
	"math/rand/v2"
)

// Stream gives a source of randomness that depends on the seed and the name only, so that a draw added to one part of
// a simulation does not change the draws of another. The result is not safe for concurrent use.
func Stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails to write
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
