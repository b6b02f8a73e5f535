package tiktok

import (
	"slices"
	"strconv"
	"strings"
)

// Codes of splitting and combining. They are documented without words; what each stands for here is our reading of where they are listed.
const (
	codePackageState  = 21011005 // the package is not in a state that allows it
	codeNotInPackage  = 21011029 // the order is not one of the package's
	codeNotCombinable = 21011031 // these orders are not to be combined, or not any more
	codeNotSplittable = 21011035 // the order is not to be split, or not so
)

// splittable says why an order cannot be split; empty: it can. Where a seller splits while shipping, by line item, there is nothing to split before;
// elsewhere it is split by SKU, before anything of it is shipped (facts, section 9.1).
func (o *order) splittable() string {
	skus := map[string]bool{}
	for _, l := range o.active() {
		skus[l.sku.id] = true
	}
	switch {
	case o.fbt:
		return "The order is fulfilled by the platform."
	case !byPackage[o.shop.region]:
		return "In this market an order is split by line items while it is shipped."
	case o.status != awaitingShipment:
		return "The order does not wait to be shipped."
	case o.request != nil && o.request.open():
		return "The buyer has asked to cancel the order."
	case slices.ContainsFunc(o.parcels, func(p *parcel) bool { return p.status != toFulfill || len(p.with) > 0 }):
		return "The order is combined with others, or part of it is shipped."
	case len(skus) < 2:
		return "The order has one SKU only."
	}
	return ""
}

// theCategory is that of every product here.
const theCategory = "600001"

// mustSplit says why an order ships in several packages only. Which types of reason there are is not documented: this one has our name.
func (o *order) mustSplit() []fields {
	if slices.ContainsFunc(o.parcels, func(p *parcel) bool { return p.status == toFulfill && o.shop.tooMany(p) }) {
		return []fields{{"type": "CATEGORY_ITEM_COUNT", "category_id": theCategory, "max_count": strconv.Itoa(o.shop.mostInOne)}}
	}
	return []fields{}
}

// tooMany reports whether a package holds more units than one may.
func (sh *shop) tooMany(p *parcel) bool {
	return sh.mostInOne > 0 && byPackage[sh.region] && len(p.lines) > sh.mostInOne
}

func (s *Sim) splitAttributes(c *call) (any, *failure) {
	out := []fields{}
	names := strings.Split(c.query.Get("order_ids"), ",")
	if names[0] == "" || len(names) > 50 {
		return nil, badParameter("order_ids")
	}
	for _, id := range names {
		o, f := c.orderOf(s, id)
		if f != nil {
			return nil, f
		}
		why := o.splittable()
		reasons := o.mustSplit()
		out = append(out, fields{"order_id": id, "can_split": why == "", "reason": why, "must_split": len(reasons) > 0, "must_split_reasons": reasons})
	}
	return fields{"split_attributes": out}, nil
}

type splitGroup struct {
	ID    string   `json:"id"`
	Lines []string `json:"order_line_item_ids"`
}

// splitOrder makes one package of each group. The groups hold every line item that is not cancelled once, and all of a SKU in one.
func (s *Sim) splitOrder(c *call) (any, *failure) {
	var in struct {
		Groups []splitGroup `json:"splittable_groups"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o, f := s.shippable(c, c.vars["order_id"])
	if f != nil {
		return nil, f
	}
	if why := o.splittable(); why != "" {
		return nil, fail(codeNotSplittable, "%s", why)
	}
	parts, f := o.parts(in.Groups)
	if f != nil {
		return nil, f
	}
	provider, shipping := o.parcels[0].provider, o.parcels[0].shipping
	for _, p := range slices.Clone(o.parcels) {
		s.discard(p)
	}
	out := []fields{}
	for i, lines := range parts {
		p := s.newParcel(o, lines, "", provider, shipping)
		out = append(out, fields{"splittable_group_id": in.Groups[i].ID, "id": p.id})
	}
	s.touch(o)
	s.parcelsChanged(o, "SPLIT", "ROLE_SELLER")
	return fields{"packages": out}, nil
}

// parts are the lines of each group.
func (o *order) parts(groups []splitGroup) ([][]*line, *failure) {
	var out [][]*line
	of, n, names := map[string]int{}, 0, map[string]bool{}
	for i, g := range groups {
		lines := o.waiting(g.Lines)
		if g.ID == "" || names[g.ID] || len(g.Lines) == 0 || len(lines) != len(g.Lines) {
			return nil, fail(codeFulfilInput, "A group needs an id of its own and line items of the order that wait.")
		}
		names[g.ID] = true
		for _, l := range lines {
			if at, ok := of[l.sku.id]; ok && at != i {
				return nil, fail(codeNotSplittable, "All units of a SKU go in one package.")
			}
			of[l.sku.id] = i
		}
		n += len(lines)
		out = append(out, lines)
	}
	if len(out) < 2 || n != len(o.active()) {
		return nil, fail(codeNotSplittable, "An order is split into two groups or more that hold each of its line items once.")
	}
	return out, nil
}

func (s *Sim) searchCombinable(c *call) (any, *failure) {
	if c.query.Get("page_size") == "" {
		return nil, badParameter("page_size")
	}
	p, f := c.page("combinable", 20, 50, "ASC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	for _, x := range s.offers(c.shop) {
		out.add(x.place, func() fields { return fields{"id": x.id, "order_ids": idsOf(x.orders)} })
	}
	return fields{"combinable_packages": out.list, "next_page_token": out.next(), "total_count": out.total}, nil
}

// combinePackages combines orders of what the search named: all of an entry, or those named of it.
func (s *Sim) combinePackages(c *call) (any, *failure) {
	var in struct {
		Entries []struct {
			ID     string   `json:"id"`
			Orders []string `json:"order_ids"`
		} `json:"combinable_packages"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.Entries) == 0 || len(in.Entries) > 50 {
		return nil, fail(codeFulfilInput, "Name 1 to 50 packages.")
	}
	made, problems := []fields{}, []fields{}
	for _, e := range in.Entries {
		p, f := s.combineEntry(c, e.ID, e.Orders)
		if f != nil {
			problems = append(problems, fields{"code": f.code, "message": f.message, "detail": fields{"package_id": e.ID}})
			continue
		}
		made = append(made, fields{"id": p.id, "order_ids": p.orderIDs()})
		s.packagesChanged(c.shop, []*parcel{p}, "COMBINE", "ROLE_SELLER")
	}
	out := fields{"packages": made}
	if len(problems) > 0 {
		out["errors"] = problems
	}
	return out, nil
}

func (s *Sim) combineEntry(c *call, id string, only []string) (*parcel, *failure) {
	for _, name := range only {
		if o := s.orders[name]; o == nil || o.shop != c.shop {
			return nil, fail(codeOrderForeign, "The order belongs to another shop.")
		}
	}
	for _, x := range s.offers(c.shop) {
		if x.id != id {
			continue
		}
		orders := slices.DeleteFunc(slices.Clone(x.orders), func(o *order) bool { return len(only) > 0 && !slices.Contains(only, o.id) })
		if len(orders) < 2 || len(only) > 0 && len(orders) != len(only) {
			break
		}
		return s.combine(orders), nil
	}
	return nil, fail(codeNotCombinable, "These orders cannot be combined, or not any more.")
}

// uncombinePackage takes orders out of a combined package that waits, each into a package of its own: those named, or all.
func (s *Sim) uncombinePackage(c *call) (any, *failure) {
	var in struct {
		Orders []string `json:"order_ids"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.packageOf(c.vars["package_id"])
	switch {
	case f != nil:
		return nil, f
	case p.status != toFulfill || len(p.with) == 0:
		return nil, fail(codePackageState, "The package is not combined, or it is shipped already.")
	}
	for _, id := range in.Orders {
		if !slices.Contains(p.orderIDs(), id) {
			return nil, fail(codeNotInPackage, "The order %s is not in the package.", id)
		}
	}
	left := []*parcel{}
	for _, o := range p.orders() {
		if len(p.with) > 0 && (len(in.Orders) == 0 || slices.Contains(in.Orders, o.id)) {
			s.takeOut(p, o)
			left = append(left, s.newParcel(o, o.active(), "", p.provider, o.ship))
		}
	}
	out := []fields{}
	for _, x := range append([]*parcel{p}, left...) {
		out = append(out, fields{"id": x.id, "order_ids": x.orderIDs()})
	}
	s.packagesChanged(c.shop, append([]*parcel{p}, left...), "CANCEL_COMBINE", "ROLE_SELLER")
	return fields{"packages": out}, nil
}
