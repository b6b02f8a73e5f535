package tiktok

import (
	"slices"
	"strings"
)

// goods visits every SKU kept in a platform warehouse, with its position.
func (sh *shop) goods(visit func(k *sku, st *stock, pos uint64)) {
	var pos uint64
	for _, p := range sh.products {
		for _, k := range p.skus {
			for _, st := range k.stock {
				if st.warehouse.fbt {
					pos++
					visit(k, st, pos)
				}
			}
		}
	}
}

type fbtFilter struct {
	Goods      []string `json:"goods_ids"`
	Warehouses []string `json:"fbt_warehouse_ids"`
	SKUs       []string `json:"sku_ids"`
	Products   []string `json:"product_ids"`
}

func (in fbtFilter) match(k *sku, st *stock) bool {
	has := func(list []string, id string) bool { return len(list) == 0 || slices.Contains(list, id) }
	return has(in.Goods, k.goodsID) && has(in.SKUs, k.id) && has(in.Products, k.product.id) && has(in.Warehouses, st.warehouse.id)
}

func (s *Sim) fbtInventory(c *call) (any, *failure) {
	var in fbtFilter
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.page("fbt inventory", 20, 100, "ASC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	c.shop.goods(func(k *sku, st *stock, pos uint64) {
		if !in.match(k, st) {
			return
		}
		out.add(pos, func() fields {
			hand := func() fields {
				return fields{"total_quantity": st.available + st.committed, "available_quantity": st.available, "reserved_quantity": st.committed}
			}
			total := hand()
			total["unfulfillable_quantity"] = 0
			return fields{"fbt_warehouse_id": st.warehouse.id, "in_transit_quantity": st.inTransit, "on_hand_detail": total,
				"goods": fields{"id": k.goodsID, "reference_code": k.sellerSKU, "name": k.product.title,
					"skus": []fields{{"id": k.id, "on_hand_detail": hand()}}}}
		})
	})
	return fields{"next_page_token": out.next(), "total_count": out.total, "inventory": out.list}, nil
}

func (s *Sim) fbtGoods(c *call) (any, *failure) {
	var in fbtFilter
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.page("fbt goods", 20, 100, "ASC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	seen := map[*sku]bool{}
	c.shop.goods(func(k *sku, st *stock, pos uint64) {
		if seen[k] || !in.match(k, st) {
			return
		}
		seen[k] = true
		out.add(pos, func() fields {
			return fields{"id": k.goodsID, "name": k.product.title, "reference_code": k.sellerSKU, "image_url": "", "barcodes": []fields{},
				"skus": []fields{{"id": k.id, "name": k.name, "image_url": "", "regions": []string{c.shop.region}, "matched": true,
					"product": fields{"id": k.product.id, "name": k.product.title, "image_url": ""}}}}
		})
	})
	return fields{"next_page_token": out.next(), "total_count": out.total, "goods": out.list}, nil
}

func (s *Sim) fbtInbounds(c *call) (any, *failure) {
	names := strings.Split(c.query.Get("ids"), ",")
	if names[0] == "" {
		return nil, badParameter("ids")
	}
	out := []fields{}
	for _, b := range c.shop.inbounds {
		if !slices.Contains(names, b.id) {
			continue
		}
		log := []fields{}
		for _, r := range b.operation {
			log = append(log, fields{"operate_time": r.at, "order_status": r.event})
		}
		row := fields{"id": b.id, "type": "REPLENISHMENT", "merchant": fields{"id": c.shop.seller.openID, "name": c.shop.seller.name},
			"create_time": b.created, "warehouse": b.stock.warehouse.wire(), "order_operation_logs": log, "carriers": []fields{},
			"planned_goods": []fields{{"id": b.sku.goodsID, "reference_code": b.sku.sellerSKU, "name": b.sku.product.title,
				"quantity": b.qty, "sku_ids": []string{b.sku.id}}}, "received_batches": []fields{}}
		if b.arrived > 0 {
			row["actual_arrive_time"] = b.arrived
			row["received_batches"] = []fields{{"id": b.id + "1", "goods_id": b.sku.goodsID, "normal_quantity": b.good, "defective_quantity": 0,
				"total_quantity": b.good, "product_ids": []string{b.sku.product.id}, "sku_ids": []string{b.sku.id}}}
		}
		out = append(out, row)
	}
	return fields{"inbound_orders": out}, nil
}

func (w *warehouse) wire() fields {
	return fields{"fbt_warehouse_id": w.id, "warehouse_ids": []string{w.id}, "name": w.name, "type": "PLATFORM_WAREHOUSE"}
}

func (s *Sim) fbtWarehouses(c *call) (any, *failure) {
	out := []fields{}
	for _, w := range c.shop.warehouses {
		if w.fbt {
			row := w.wire()
			row["subscribed"] = true
			row["addresses"] = []fields{{"postal_code": "97477", "region_code": c.shop.region, "state": "Oregon", "district": "", "city": "Springfield",
				"address_line_1": "1 Platform Way", "address_line_2": "", "address_line_3": ""}}
			row["logistics_services"] = []fields{}
			out = append(out, row)
		}
	}
	return fields{"warehouses": out}, nil
}

func (s *Sim) fbtRegions(c *call) (any, *failure) {
	out := []fields{}
	if slices.ContainsFunc(c.shop.warehouses, func(w *warehouse) bool { return w.fbt }) {
		out = append(out, fields{"region_code": c.shop.region})
	}
	return fields{"onboarded_regions": out}, nil
}
