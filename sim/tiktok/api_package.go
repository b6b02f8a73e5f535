package tiktok

import (
	"slices"
	"time"
)

type wirePackedSKU struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Image    string `json:"image_url"`
	Quantity int    `json:"quantity"`
}

// contents lists what is in a package, by SKU.
func (p *parcel) contents() []wirePackedSKU { return packed(p.lines) }

// wireOrders are the orders of a package with what it holds of each.
func (p *parcel) wireOrders() []fields {
	out := []fields{}
	for _, o := range p.orders() {
		lines := slices.DeleteFunc(slices.Clone(p.lines), func(l *line) bool { return !slices.Contains(o.lines, l) })
		out = append(out, fields{"id": o.id, "skus": packed(lines)})
	}
	return out
}

func packed(lines []*line) []wirePackedSKU {
	out := []wirePackedSKU{}
	for _, l := range lines {
		i := slices.IndexFunc(out, func(v wirePackedSKU) bool { return v.ID == l.sku.id })
		if i < 0 {
			i = len(out)
			out = append(out, wirePackedSKU{ID: l.sku.id, Name: l.sku.name})
		}
		out[i].Quantity++
	}
	return out
}

// wireStatus leaves out the state before shipping, which the package calls do not document.
func (p *parcel) wireStatus() string {
	if p.status == toFulfill {
		return processing
	}
	return p.status
}

func (s *Sim) packageDetail(c *call) (any, *failure) {
	p, f := c.packageOf(c.vars["package_id"])
	if f != nil {
		return nil, f
	}
	o := p.order
	tag, note := "DEFAULT", "BUYER_UNNOTED"
	switch {
	case len(p.with) > 0:
		tag = "COMBINE"
	case len(o.parcels) > 1:
		tag = "SPLIT"
	}
	if o.note != "" {
		note = "BUYER_NOTED"
	}
	out := fields{"package_id": p.id, "orders": p.wireOrders(), "package_status": p.wireStatus(), "split_and_combine_tag": tag,
		"has_multi_skus": len(p.contents()) > 1, "note_tag": note, "shipping_provider_name": p.provider.name,
		"shipping_provider_id": p.provider.id, "shipping_type": p.shipping, "delivery_option_name": "Standard shipping",
		"delivery_option_id": standardDelivery, "tracking_number": p.tracking, "create_time": p.created, "update_time": p.updated,
		"order_line_item_ids": lineIDs(p.lines)}
	if p.handover != "" {
		out["handover_method"] = p.handover
	}
	if p.slot.Start > 0 {
		out["pickup_slot"] = p.slot
	}
	if p.weight.Value != "" {
		out["weight"], out["dimension"] = p.weight, p.size
	}
	if a := o.recipient(s.now()); a != nil {
		out["recipient_address"] = fields{"full_address": a.FullAddress, "phone_number": a.Phone, "name": a.Name, "postal_code": a.PostalCode,
			"address_detail": a.Detail, "region_code": a.RegionCode, "address_line1": a.Line1, "address_line2": a.Line2,
			"address_line3": a.Line3, "address_line4": a.Line4}
	}
	return out, nil
}

func (s *Sim) searchPackages(c *call) (any, *failure) {
	var in struct {
		CreateGE int64  `json:"create_time_ge"`
		CreateLT int64  `json:"create_time_lt"`
		UpdateGE int64  `json:"update_time_ge"`
		UpdateLT int64  `json:"update_time_lt"`
		Status   string `json:"package_status"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.page("packages", 20, 50, "DESC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	list := c.shop.parcels
	for i := range list {
		pos := i
		if p.desc {
			pos = len(list) - 1 - i
		}
		v := list[pos]
		if in.Status != "" && v.wireStatus() != in.Status || v.created < in.CreateGE || in.CreateLT > 0 && v.created >= in.CreateLT ||
			v.updated < in.UpdateGE || in.UpdateLT > 0 && v.updated >= in.UpdateLT {
			continue
		}
		out.add(uint64(pos+1), func() fields {
			return fields{"id": v.id, "orders": v.wireOrders(), "create_time": v.created, "update_time": v.updated,
				"status": v.wireStatus(), "tracking_number": v.tracking, "shipping_provider_name": v.provider.name,
				"shipping_provider_id": v.provider.id, "order_line_item_ids": lineIDs(v.lines)}
		})
	}
	return fields{"next_page_token": out.next(), "total_count": out.total, "packages": out.list}, nil
}

// correctTracking changes a tracking number once and within 72 hours of shipping, by package or by order.
func (s *Sim) correctTracking(c *call) (any, *failure) {
	var in selfShipment
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	var p *parcel
	if id, byOrder := c.vars["order_id"]; byOrder {
		o := s.orders[id]
		switch {
		case o == nil || o.shop != c.shop:
			return nil, fail(codeOrderForeign, "The order belongs to another shop.")
		case len(o.parcels) > 1:
			return nil, fail(codeSeveral, "The order has several packages.")
		case len(o.parcels) == 0:
			return nil, fail(codeFulfilInput, "The order is not shipped yet.")
		}
		p = o.parcels[0]
	} else {
		var f *failure
		if p, f = c.packageOf(c.vars["package_id"]); f != nil {
			return nil, f
		}
	}
	switch {
	case p.order.status == cancelled:
		return nil, fail(codeOrderCancelled, "The order is cancelled.")
	case p.shipping != "SELLER" || p.arranged == 0:
		return nil, fail(codeFulfilInput, "Only the tracking number of a package shipped by the seller can be corrected.")
	case p.corrections > 0:
		return nil, fail(codeUpdatedOnce, "The tracking number has been updated once already.")
	case s.o.Clock.Now().After(time.Unix(p.arranged, 0).Add(trackingChangeLimit)):
		return nil, fail(codeTooLate, "The time for updating the tracking number is over.")
	}
	v, f := c.shop.newTracking(in.Tracking, in.Provider)
	if f != nil {
		return nil, f
	}
	delete(c.shop.tracking, p.tracking)
	c.shop.tracking[in.Tracking] = true
	p.tracking, p.provider, p.updated = in.Tracking, v, s.now()
	p.corrections++
	for _, o := range p.orders() {
		s.touch(o)
	}
	return nil, nil
}

func (s *Sim) trackOrder(c *call) (any, *failure) {
	o, f := c.orderOf(s, c.vars["order_id"])
	if f != nil {
		return nil, f
	}
	out := []fields{}
	for _, p := range o.parcels {
		for i := len(p.events) - 1; i >= 0; i-- { // newest first
			out = append(out, fields{"description": p.events[i].text, "update_time_millis": p.events[i].at * 1000})
		}
	}
	return fields{"tracking": out}, nil
}

func (s *Sim) validateTracking(c *call) (any, *failure) {
	number := c.query.Get("tracking_number")
	if number == "" {
		return nil, badParameter("tracking_number")
	}
	own := false
	for _, p := range c.shop.parcels {
		own = own || p.tracking == number && p.shipping == "TIKTOK"
	}
	return fields{"is_tiktok_shipping": own, "is_tiktok_collection": false}, nil
}

// reportDelivery is a seller who delivers with its own drivers.
func (s *Sim) reportDelivery(c *call) (any, *failure) {
	var in struct {
		Packages []struct {
			ID   string `json:"id"`
			Type string `json:"delivery_type"`
		} `json:"packages"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	problems := []fields{}
	for _, row := range in.Packages {
		p, f := c.packageOf(row.ID)
		switch {
		case f != nil:
		case p.shipping != "SELLER" || p.status == toFulfill || p.status == parcelCancelled:
			f = fail(codePackageUnknown, "The package is not on its way with the seller.")
		case row.Type == "DELIVERY_SUCCESS":
			if err := s.deliver(p); err != nil {
				f = fail(codePackageUnknown, "The package cannot be delivered now.")
			}
		case row.Type == "DELIVERY_FAILED":
			p.updated = s.now()
			p.events = append(p.events, trackEvent{p.updated, "A delivery attempt failed."})
		case row.Type != "UPDATE_POD":
			f = fail(codeFulfilInput, "delivery_type is unknown.")
		}
		if f != nil {
			problems = append(problems, fields{"code": f.code, "message": f.message, "detail": fields{"package_id": row.ID}})
		}
	}
	if len(problems) > 0 {
		return fields{"errors": problems}, nil
	}
	return nil, nil
}
