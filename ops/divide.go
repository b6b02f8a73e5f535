package ops

import (
	"slices"
	"strings"
	"time"
)

// holdings is who has what, as one look found it.
type holdings struct {
	me    string
	alive []string // full processes, this one too
	mine  []string // leases of connections, those being given away left out
	owner map[string]string
	free  map[string]time.Duration // for how long nobody has had it
	grace time.Duration            // after which a free one is taken above one's share
}

// divide tells which leases to take and which to give, so that every process comes to the same number of connections, or one more. It gives only
// what a process with less than its share can take.
func divide(h holdings, wanted []string) (take, give []string) {
	if _, owned := h.owner[schedulerLease]; !owned {
		take = append(take, schedulerLease)
	}
	n := max(1, len(h.alive))
	share := (len(wanted) + n - 1) / n
	count := len(h.mine)
	for _, name := range wanted {
		if _, owned := h.owner[name]; owned || slices.Contains(h.mine, name) {
			continue
		}
		if count < share || h.free[name] > h.grace {
			take, count = append(take, name), count+1
		}
	}
	excess := min(len(h.mine), max(h.above(share), h.above(len(wanted)/n)))
	return take, h.mine[len(h.mine)-excess:]
}

// above is how many connections this process has beyond a share, as far as others that have less than it can take them.
func (h holdings) above(share int) int {
	owns := map[string]int{}
	for name, owner := range h.owner {
		if strings.HasPrefix(name, connectionLease) {
			owns[owner]++
		}
	}
	lack := 0
	for _, p := range h.alive {
		if p != h.me {
			lack += max(0, share-owns[p])
		}
	}
	return min(lack, max(0, len(h.mine)-share))
}
