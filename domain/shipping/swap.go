package shipping

import "slices"

// Swap says that n units of an item of an order's line are sent as units of another item. It returns how many were found to swap, at most n; the
// channel's ids of units stay with the line's first entry.
func (s *Shipment) Swap(orderID, key, item, by string, n int64) (swapped int64) {
	i := slices.IndexFunc(s.Lines, func(l Line) bool { return l.OrderID == orderID && l.Key == key && l.ItemID == item })
	if i < 0 || n < 1 {
		return 0
	}
	swapped = min(n, s.Lines[i].Qty)
	k := slices.IndexFunc(s.Lines, func(l Line) bool { return l.OrderID == orderID && l.Key == key && l.ItemID == by })
	switch {
	case k < 0 && swapped == s.Lines[i].Qty:
		s.Lines[i].ItemID = by
		return swapped
	case k < 0:
		s.Lines = slices.Insert(slices.Clone(s.Lines), i+1, Line{OrderID: orderID, Key: key, ItemID: by, Qty: swapped})
	default:
		s.Lines = slices.Clone(s.Lines)
		s.Lines[k].Qty += swapped
	}
	if s.Lines[i].Qty -= swapped; s.Lines[i].Qty == 0 {
		units := s.Lines[i].Units
		s.Lines = slices.Delete(s.Lines, i, i+1)
		j := slices.IndexFunc(s.Lines, func(l Line) bool { return l.OrderID == orderID && l.Key == key })
		s.Lines[j].Units = append(slices.Clone(s.Lines[j].Units), units...)
	}
	return swapped
}
