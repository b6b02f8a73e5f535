package tiktok

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

const (
	// combinablePage is the largest page of what may be combined (its documentation), and combinablePages how many are read for one parcel.
	combinablePage  = 50
	combinablePages = 20
)

// undivided are the markets in which an order is split by SKU before it ships: Southeast Asia and Brazil (facts, section 9.1), and by our reading Mexico,
// where packages are made and shipped as there.
var undivided = []string{"BR", "ID", "MX", "MY", "PH", "SG", "TH", "VN"}

// free reports whether packages are made while they are shipped, so that there is nothing to group: in the US always, elsewhere where the seller marks
// line items as shipped and the parcel holds one order.
func (c *channel) free(o *parcelOrders, p driver.Parcel) bool {
	region := c.region(p)
	return region == "US" || o.ShippingType != "TIKTOK" && markRegions[region] && len(o.with) == 0
}

// Packaged implements driver.Packager.
func (c *channel) Packaged(ctx context.Context, p driver.Parcel) (driver.Package, bool, error) {
	o, err := c.ordersOf(ctx, driver.OpGroup, p)
	if err != nil {
		return driver.Package{}, false, err
	}
	if c.free(o, p) {
		return driver.Package{Free: true}, true, nil
	}
	lines, _ := o.wanted(p.Lines)
	pk, ok := o.holding(lines)
	if !ok || !digits(pk.id) {
		return driver.Package{}, false, nil
	}
	is, err := c.alone(ctx, driver.OpGroup, o, pk)
	return driver.Package{ID: pk.id}, is, err
}

// alone reports whether a package holds no order besides those of a parcel. That is read where an order says that it is combined.
func (c *channel) alone(ctx context.Context, op driver.Operation, o *parcelOrders, pk pack) (bool, error) {
	strangers, err := c.strangers(ctx, op, o, pk)
	return len(strangers) == 0, err
}

func (o *parcelOrders) ids() []string {
	out := []string{o.ID}
	for i := range o.with {
		out = append(out, o.with[i].ID)
	}
	return out
}

// strangers are the orders of a package that are not of the parcel.
func (c *channel) strangers(ctx context.Context, op driver.Operation, o *parcelOrders, pk pack) ([]string, error) {
	combined := func(w wireShipping) bool { return w.Combined == "COMBINED" }
	if pk.arranged || !combined(o.wireShipping) && !slices.ContainsFunc(o.with, combined) {
		return nil, nil
	}
	data, _, err := call[wirePackage](ctx, c, op, getPackage, pathOf(getPackage, "package_id", pk.id), nil, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range data.Orders {
		if !slices.Contains(o.ids(), r.ID) {
			out = append(out, r.ID)
		}
	}
	return out, nil
}

// refusedAsDone are the codes of a package that is not as it was: another worker may have split the order meanwhile.
var refusedAsDone = []string{"21011005", "21011006", "21011020", "21011031", "21011035"}

// MakePackage implements driver.Packager. What is refused is believed after looking again.
func (c *channel) MakePackage(ctx context.Context, g driver.Grouping) (driver.Package, error) {
	pkg, err := c.regroup(ctx, g)
	if coded(err, refusedAsDone...) {
		if again, is, e := c.Packaged(ctx, g.Parcel); e == nil && is {
			return again, nil
		}
	}
	return pkg, err
}

// regroup looks, and makes the one call that comes next. Orders of others leave a combined package first, then an order is split, or the orders are
// combined.
func (c *channel) regroup(ctx context.Context, g driver.Grouping) (driver.Package, error) {
	const op = driver.OpGroup
	o, err := c.ordersOf(ctx, op, g.Parcel)
	if err != nil {
		return driver.Package{}, driver.BeforeCall(err)
	}
	if c.free(o, g.Parcel) {
		return driver.Package{Free: true}, nil
	}
	lines, _ := o.wanted(g.Parcel.Lines)
	pk, ok := o.holding(lines)
	if ok && pk.arranged {
		return driver.Package{ID: pk.id}, nil
	}
	if err := o.may(op, o.ShippingType == "TIKTOK"); err != nil {
		return driver.Package{}, err
	}
	left, err := c.leave(ctx, o, lines)
	switch {
	case err != nil || left:
		return driver.Package{}, err
	case ok && digits(pk.id):
		return driver.Package{ID: pk.id}, nil
	case len(o.with) > 0:
		return c.combine(ctx, o)
	}
	return c.split(ctx, o, lines, g.Others)
}

// leave takes orders of others out of a package that holds all of a parcel's, or the parcel's out of one that holds some. It reports whether there were
// any.
func (c *channel) leave(ctx context.Context, o *parcelOrders, lines []string) (bool, error) {
	for _, pk := range o.packs() {
		if pk.arranged || !digits(pk.id) || !slices.ContainsFunc(pk.lines, func(id string) bool { return slices.Contains(lines, id) }) {
			continue
		}
		out, err := c.strangers(ctx, driver.OpGroup, o, pk)
		if err != nil {
			return false, driver.BeforeCall(err)
		}
		if len(out) == 0 {
			continue
		}
		if in := o.inside(pk); len(in) < len(o.with)+1 || len(in) == 1 {
			out = in
		}
		_, _, err = call[wireUncombined](ctx, c, driver.OpGroup, uncombine, pathOf(uncombine, "package_id", pk.id), nil, wireUncombine{Orders: out})
		return true, err
	}
	return false, nil
}

// inside are the orders of a parcel that a package holds lines of.
func (o *parcelOrders) inside(pk pack) (ids []string) {
	has := func(w *wireShipping) bool {
		return slices.ContainsFunc(w.LineItems, func(l wireShipLine) bool { return l.PackageID == pk.id && l.DisplayStatus != "CANCELLED" })
	}
	first := o.wireShipping
	first.LineItems = first.LineItems[:len(first.LineItems)-o.extra()]
	if has(&first) {
		ids = append(ids, o.ID)
	}
	for i := range o.with {
		if has(&o.with[i]) {
			ids = append(ids, o.with[i].ID)
		}
	}
	return ids
}

// extra is how many of the line items are those of the other orders.
func (o *parcelOrders) extra() (n int) {
	for i := range o.with {
		n += len(o.with[i].LineItems)
	}
	return n
}

// combine has the platform combine the orders. What may be combined changes by the minute, so it is asked first, and the id it has now is used.
func (c *channel) combine(ctx context.Context, o *parcelOrders) (driver.Package, error) {
	const op = driver.OpGroup
	ids, cursor := o.ids(), ""
	for range combinablePages {
		page, err := c.Combinable(ctx, cursor)
		if err != nil {
			return driver.Package{}, driver.BeforeCall(err)
		}
		for _, x := range page.Offers {
			if !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(x.Orders, id) }) {
				return c.combineBy(ctx, x.ID, ids)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return driver.Package{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: "the platform does not let these orders ship as one, or not any more"}
}

func (c *channel) combineBy(ctx context.Context, offer string, ids []string) (driver.Package, error) {
	body := wireCombine{Entries: []wireCombinable{{ID: offer, Orders: ids}}}
	data, _, err := call[wireCombineDone](ctx, c, driver.OpGroup, combinePackages, combinePackages.path, nil, body)
	if err != nil {
		return driver.Package{}, err
	}
	for _, e := range data.Errors {
		return driver.Package{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpGroup, Code: strconv.FormatInt(e.Code, 10), Message: e.Message, Applied: !documentedRefusal(e.Code)}
	}
	for _, p := range data.Packages {
		if len(p.Orders) == len(ids) {
			return driver.Package{ID: p.ID}, nil
		}
	}
	return driver.Package{}, nil
}

// splitFirst refuses what the platform ships in several packages only. It is asked of orders that are not split yet, in the markets where that is done before
// they ship; elsewhere a package holds what is named while it is shipped.
func (c *channel) splitFirst(ctx context.Context, op driver.Operation, o *parcelOrders, region string) error {
	if !slices.Contains(undivided, region) {
		return nil
	}
	may, _, err := call[wireSplittable](ctx, c, op, splitAttributes, splitAttributes.path, url.Values{"order_ids": {strings.Join(o.ids(), ",")}}, nil)
	if err != nil {
		return driver.BeforeCall(err)
	}
	for _, x := range may.Orders {
		if !x.MustSplit {
			continue
		}
		why := "the platform ships order " + x.OrderID + " in several packages only"
		for _, r := range x.Because {
			if r.Category != "" && r.Most != "" {
				why += ", with at most " + r.Most + " units of category " + r.Category + " in one"
			} else if r.Type != "" {
				why += " (" + r.Type + ")"
			}
		}
		return &driver.Error{Class: driver.GiveUp, Op: op, Message: why + ": divide it into several parcels at the pack station, or send a part of it from elsewhere"}
	}
	return nil
}

// split has the platform divide an order: the parcel's lines, those of each other parcel that waits, and what is in none.
func (c *channel) split(ctx context.Context, o *parcelOrders, lines []string, others [][]string) (driver.Package, error) {
	const op = driver.OpGroup
	may, _, err := call[wireSplittable](ctx, c, op, splitAttributes, splitAttributes.path, url.Values{"order_ids": {o.ID}}, nil)
	if err != nil {
		return driver.Package{}, driver.BeforeCall(err)
	}
	if len(may.Orders) != 1 || !may.Orders[0].CanSplit {
		why := "the platform does not let this order be split"
		if len(may.Orders) == 1 && may.Orders[0].Reason != "" {
			why += ": " + may.Orders[0].Reason
		}
		return driver.Package{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: why}
	}
	groups := o.groups(lines, others)
	if len(groups) < 2 {
		return driver.Package{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: "the platform has this order in several packages: put them together in Seller Center first"}
	}
	done, _, err := call[wireSplitDone](ctx, c, op, splitOrder, pathOf(splitOrder, "order_id", o.ID), nil, wireSplit{Groups: groups})
	if err != nil {
		return driver.Package{}, err
	}
	for _, p := range done.Packages {
		if p.Group == groups[0].ID {
			return driver.Package{ID: p.ID}, nil
		}
	}
	return driver.Package{}, nil
}

// groups are the line items that wait, each once, those of the parcel first.
func (o *parcelOrders) groups(lines []string, others [][]string) (out []wireSplitGroup) {
	taken := map[string]bool{}
	add := func(wanted func(id string) bool) {
		g := wireSplitGroup{ID: strconv.Itoa(len(out) + 1)}
		for i := range o.LineItems {
			if l := &o.LineItems[i]; l.DisplayStatus == "AWAITING_SHIPMENT" && !taken[l.ID] && wanted(l.ID) {
				g.Lines, taken[l.ID] = append(g.Lines, l.ID), true
			}
		}
		if len(g.Lines) > 0 {
			out = append(out, g)
		}
	}
	add(func(id string) bool { return slices.Contains(lines, id) })
	for _, other := range others {
		add(func(id string) bool { return slices.Contains(other, id) })
	}
	add(func(string) bool { return true })
	return out
}

// Combinable implements driver.Packager. In the US a label is bought for one order, so nothing is combined.
func (c *channel) Combinable(ctx context.Context, cursor string) (driver.CombinablePage, error) {
	var out driver.CombinablePage
	if c.conn.Shop.Region == "US" {
		return out, nil
	}
	query := url.Values{"page_size": {strconv.Itoa(combinablePage)}, "page_token": {cursor}}
	data, _, err := call[wireCombinables](ctx, c, driver.OpGroup, searchCombined, searchCombined.path, query, nil)
	if err != nil {
		return out, err
	}
	for _, x := range data.All {
		if digits(x.ID) && len(x.Orders) > 1 && len(x.Orders) <= maxCombined {
			out.Offers = append(out.Offers, driver.Combinable{ID: x.ID, Orders: x.Orders})
		}
	}
	out.Next = data.Next
	return out, nil
}
