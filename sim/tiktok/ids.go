package tiktok

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/spillway/spillway/sim/world"
)

// ids makes identifiers of the platform's shape: decimal strings of 18 or 19 digits, too big for a double. Two
// simulators with different seeds share none, so that they can be shops of one merchant.
type ids struct {
	rnd  *rand.Rand
	next map[string]uint64
}

func newIDs(seed uint64) *ids {
	return &ids{rnd: world.Stream(seed, "tiktok:ids"), next: map[string]uint64{}}
}

// bases are the leading digits seen on real identifiers of each kind.
var bases = map[string]uint64{
	"order":     576_000_000_000_000_000,
	"line":      577_000_000_000_000_000,
	"product":   1_729_000_000_000_000_000,
	"sku":       1_730_000_000_000_000_000,
	"package":   1_153_000_000_000_000_000,
	"warehouse": 7_068_000_000_000_000_000,
	"shop":      7_494_000_000_000_000_000,
	"after":     4_035_000_000_000_000_000,
	"notice":    7_327_000_000_000_000_000,
	"user":      7_493_000_000_000_000_000,
	"goods":     1_731_000_000_000_000_000,
}

// of makes the next identifier of a kind.
func (g *ids) of(kind string) string {
	n, ok := g.next[kind]
	if !ok {
		n = bases[kind] + g.rnd.Uint64N(900_000)*1_000_000_000
	}
	n += 1 + g.rnd.Uint64N(9)
	g.next[kind] = n
	return strconv.FormatUint(n, 10)
}

// secret makes an opaque text such as a token or a cipher.
func (g *ids) secret(prefix string, bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(g.rnd.Uint64())
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// request makes a request id of the platform's shape: a time and a random tail.
func (g *ids) request(unix int64) string {
	return fmt.Sprintf("%d%016X", unix, g.rnd.Uint64())
}
