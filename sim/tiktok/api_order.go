package tiktok

import (
	"slices"
	"strconv"
	"strings"
)

// maxDetailIDs is how many orders one detail call names.
const maxDetailIDs = 50

// Order error codes: one of the ids is not an order of the shop.
const codeOrderUnknown = 21008111

func itoa(n int) string { return strconv.Itoa(n) }

func (s *Sim) searchOrders(c *call) (any, *failure) {
	var in struct {
		Status       string   `json:"order_status"`
		CreateGE     int64    `json:"create_time_ge"`
		CreateLT     int64    `json:"create_time_lt"`
		UpdateGE     int64    `json:"update_time_ge"`
		UpdateLT     int64    `json:"update_time_lt"`
		ShippingType string   `json:"shipping_type"`
		Buyer        string   `json:"buyer_user_id"`
		AskedCancel  *bool    `json:"is_buyer_request_cancel"`
		Warehouses   []string `json:"warehouse_ids"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if in.Status != "" && in.Status != completed && in.Status != cancelled && moves[in.Status] == nil {
		return nil, badParameter("order_status")
	}
	field := c.query.Get("sort_field")
	if field == "" {
		field = "create_time"
	}
	if field != "create_time" && field != "update_time" {
		return nil, badParameter("sort_field")
	}
	p, f := c.page("orders "+field, 20, 100, "DESC")
	if f != nil {
		return nil, f
	}
	byUpdate := field == "update_time"
	ge, lt := in.CreateGE, in.CreateLT
	if byUpdate {
		ge, lt = in.UpdateGE, in.UpdateLT
	}
	out := rows[*order]{paging: p, list: []*order{}}
	c.shop.index.walk(byUpdate, p.desc, ge, lt, func(o *order, pos uint64) {
		if in.Status != "" && o.status != in.Status || o.created < in.CreateGE || in.CreateLT > 0 && o.created >= in.CreateLT ||
			o.updated < in.UpdateGE || in.UpdateLT > 0 && o.updated >= in.UpdateLT ||
			in.ShippingType != "" && o.ship != in.ShippingType || in.Buyer != "" && o.buyer != in.Buyer ||
			in.AskedCancel != nil && (o.request != nil && o.request.open()) != *in.AskedCancel ||
			len(in.Warehouses) > 0 && !slices.Contains(in.Warehouses, o.lines[0].stock.warehouse.id) {
			return
		}
		out.add(pos, func() *order { return o })
	})
	return struct {
		Next   string      `json:"next_page_token"`
		Total  int         `json:"total_count"`
		Orders []wireOrder `json:"orders"`
	}{out.next(), out.total, s.wireOrders(out.list)}, nil
}

func (s *Sim) wireOrders(list []*order) []wireOrder {
	out := make([]wireOrder, len(list))
	for i, o := range list {
		out[i] = s.wireOrder(o)
	}
	return out
}

func (s *Sim) orderDetail(c *call) (any, *failure) {
	names := strings.Split(c.query.Get("ids"), ",")
	if names[0] == "" || len(names) > maxDetailIDs {
		return nil, badParameter("ids must name 1 to " + itoa(maxDetailIDs) + " orders")
	}
	found := []*order{}
	for _, id := range names {
		o, f := c.orderOf(s, strings.TrimSpace(id))
		if f != nil {
			return nil, f
		}
		found = append(found, o)
	}
	return struct {
		Orders []wireOrder `json:"orders"`
	}{s.wireOrders(found)}, nil
}

// orderOf finds an order of the call's shop.
func (c *call) orderOf(s *Sim, id string) (*order, *failure) {
	if o := s.orders[id]; o != nil && o.shop == c.shop {
		return o, nil
	}
	return nil, fail(codeOrderUnknown, "The order %s does not exist.", id)
}

func (s *Sim) priceDetail(c *call) (any, *failure) {
	o, f := c.orderOf(s, c.vars["order_id"])
	if f != nil {
		return nil, f
	}
	v := o.sums()
	rows := []fields{}
	for _, l := range o.lines {
		t := o.tax(l)
		rows = append(rows, fields{"id": l.id, "currency": o.shop.currency, "total": amount(l.price + t), "payment": amount(l.price + t),
			"sku_list_price": amount(l.price), "sku_sale_price": amount(l.price), "subtotal": amount(l.price), "tax_amount": amount(t),
			"subtotal_deduction_seller": "0.00", "subtotal_deduction_platform": "0.00", "subtotal_tax_amount": amount(t),
			"net_price_amount": amount(l.price)})
	}
	return fields{"currency": o.shop.currency, "total": amount(v.total()), "payment": amount(v.total()), "sku_list_price": amount(v.goods),
		"sku_sale_price": amount(v.goods), "subtotal": amount(v.goods), "subtotal_deduction_seller": "0.00",
		"subtotal_deduction_platform": "0.00", "subtotal_tax_amount": amount(v.tax), "shipping_list_price": amount(v.shipping),
		"shipping_sale_price": amount(v.shipping), "shipping_fee_deduction_seller": "0.00", "shipping_fee_deduction_platform": "0.00",
		"tax_amount": amount(v.tax), "net_price_amount": amount(v.goods + v.shipping), "line_items": rows}, nil
}
