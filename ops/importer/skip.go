package importer

import (
	"strconv"
	"strings"
)

// skips counts the rows that rules leave out.
type skips struct {
	rules  []rule
	counts []Skip
}

func newSkips(p preset) *skips {
	s := &skips{rules: p.rules, counts: make([]Skip, len(p.rules))}
	for i, r := range p.rules {
		s.counts[i].Rule = r.name
	}
	return s
}

// leavesOut reports whether a rule leaves the row out, and counts it.
func (s *skips) leavesOut(t *table) bool {
	if len(s.rules) == 0 {
		return false
	}
	quantity, err := strconv.ParseInt(t.get("quantity"), 10, 64)
	if err != nil {
		return false // whoever needs the quantity tells what is wrong with it
	}
	order, sku, free := t.get("order"), t.get("sku"), isFree(t.get("unit_price"))
	for i, r := range s.rules {
		if r.fits(order, sku, quantity, free) {
			s.counts[i].Rows++
			s.counts[i].Units += quantity
			return true
		}
	}
	return false
}

// list is what was left out, by rule.
func (s *skips) list() []Skip {
	var out []Skip
	for _, c := range s.counts {
		if c.Rows > 0 {
			out = append(out, c)
		}
	}
	return out
}

// isFree reports whether a price is nothing: zero written in any way.
func isFree(price string) bool { return strings.Trim(price, "0.") == "" }
