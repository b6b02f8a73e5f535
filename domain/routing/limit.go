package routing

import "strings"

// limits are the rules' limits, those of one item where they are found by it.
type limits struct {
	general []limit
	byItem  map[string][]limit
}

type limit struct {
	connection, region string
	allowed            uint64 // sites, by bit
	reason             string
}

func (d *Desk) compile(list []Limit) limits {
	out := limits{byItem: map[string][]limit{}}
	for _, l := range list {
		var mask uint64
		for _, id := range l.Nodes {
			if i, ok := d.where[id]; ok { // a node that is gone takes nothing
				mask |= 1 << i
			}
		}
		if l.Never {
			mask = ^mask
		}
		x := limit{l.Connection, l.Region, mask, l.Reason}
		if l.Item == "" {
			out.general = append(out.general, x)
		} else {
			out.byItem[l.Item] = append(out.byItem[l.Item], x)
		}
	}
	return out
}

func (l *limit) holds(o *Order) bool {
	if l.connection != "" && l.connection != o.Connection {
		return false
	}
	return within(o.Dest.Region, l.region)
}

// within reports whether a region is, or lies in, another; every region lies in the empty one.
func within(region, area string) bool {
	if area == "" || region == area {
		return true
	}
	country, _, _ := strings.Cut(region, "-")
	return country == area
}
