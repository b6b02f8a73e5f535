package packing

import "math/bits"

// reach[d] is the greatest length of at most d mm that edges of the goods can make up laid end to end. It tells how much of a gap is lost
// for certain: a gap of 50 mm is worth 40 when nothing and no sum of things comes closer.
type reach []int32

// maxReach is the longest gap worked out, mm. Longer ones are taken to be usable whole, which is nearly true.
const maxReach = 8192

// within is the usable part of a gap.
func (r reach) within(d int32) int32 {
	if int(d) < len(r) {
		return r[d]
	}
	return d
}

// reachOf sums every unit at most once, by any of its edges that pick chooses.
func reachOf(kinds []kind, longest int32, edges func(turn) (int32, int32)) reach {
	longest = min(longest, maxReach-1)
	set := make([]uint64, longest/64+1)
	set[0] = 1
	was := make([]uint64, len(set))
	for i := range kinds {
		var es []int32
		for _, t := range kinds[i].turns {
			a, b := edges(t)
			es = addEdge(addEdge(es, a), b)
		}
		for range kinds[i].units {
			copy(was, set)
			for _, e := range es {
				orShifted(set, was, e)
			}
		}
	}
	r := make(reach, longest+1)
	last := int32(0)
	for d := range r {
		if set[d/64]>>(d%64)&1 == 1 {
			last = int32(d)
		}
		r[d] = last
	}
	return r
}

func addEdge(es []int32, e int32) []int32 {
	for _, k := range es {
		if k == e {
			return es
		}
	}
	return append(es, e)
}

// orShifted sets every bit of from in set, by places higher up.
func orShifted(set, from []uint64, by int32) {
	words, rest := int(by/64), uint(by%64)
	for i := len(set) - 1; i >= words; i-- {
		v := from[i-words] << rest
		if rest > 0 && i > words {
			v |= from[i-words-1] >> (bits.UintSize - rest)
		}
		set[i] |= v
	}
}
