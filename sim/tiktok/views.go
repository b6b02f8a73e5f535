package tiktok

import (
	"github.com/spillway/spillway/kit/errs"
)

// ShopStats counts what happened in a shop since it was made.
type ShopStats struct {
	Orders           int `json:"orders"`
	Units            int `json:"units"`
	CancelledOrders  int `json:"cancelled_orders"`
	CancelledUnits   int `json:"cancelled_units"`
	LostOrders       int `json:"lost_orders"`       // refused for want of stock on sale
	LostUnits        int `json:"lost_units"`        // wanted by those orders
	InventoryUpdates int `json:"inventory_updates"` // calls received, failed ones too
	SKUUpdates       int `json:"sku_updates"`       // SKUs set by them
}

// ShopView is a shop as the control surface shows it.
type ShopView struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Region     string          `json:"region"`
	Seller     string          `json:"seller"`
	Cipher     string          `json:"cipher"`
	Warehouses []WarehouseView `json:"warehouses"`
	SKUs       []SKUView       `json:"skus"`
	Stats      ShopStats       `json:"stats"`
}

// WarehouseView is a warehouse as the control surface shows it.
type WarehouseView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Returns bool   `json:"returns"`
	FBT     bool   `json:"fbt"`
}

// SKUView is a SKU with its stock and what became of its units. Active = sold − cancelled: the units the seller owes
// to somebody, which must never exceed what there is.
type SKUView struct {
	ID        string         `json:"id"`
	SellerSKU string         `json:"seller_sku"`
	Name      string         `json:"name"`
	ProductID string         `json:"product_id"`
	Product   string         `json:"product"`
	Status    string         `json:"status"`
	Available int            `json:"available"` // in all warehouses
	Committed int            `json:"committed"` // sold, not yet shipped
	Stock     map[string]int `json:"stock"`     // available by warehouse id
	Sold      int            `json:"sold"`
	Cancelled int            `json:"cancelled"`
	Active    int            `json:"active"`
	Lost      int            `json:"lost"` // units refused for want of stock on sale
}

// OrderView is an order as the control surface shows it.
type OrderView struct {
	ID       string   `json:"id"`
	ShopID   string   `json:"shop_id"`
	Status   string   `json:"status"`
	Created  int64    `json:"create_time"`
	Updated  int64    `json:"update_time"`
	Due      int64    `json:"rts_sla_time"`
	Units    int      `json:"units"`
	Items    []Wanted `json:"items"`
	FBT      bool     `json:"fbt"`
	Packages []string `json:"packages"`
	Labels   int      `json:"labels_paid"` // of the platform, see LabelsPaid
	// Request is the buyer's open cancellation request, Returns the ids of returns.
	Request string   `json:"cancel_request,omitempty"`
	Returns []string `json:"returns,omitempty"`
}

// Shops lists all shops in order of making, with their SKUs.
func (s *Sim) Shops() []ShopView {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []ShopView{}
	for _, id := range s.sequence {
		sh := s.shops[id]
		v := ShopView{ID: sh.id, Name: sh.name, Region: sh.region, Seller: sh.seller.name, Cipher: sh.cipher, Stats: sh.stats,
			Warehouses: []WarehouseView{}, SKUs: []SKUView{}}
		for _, w := range sh.warehouses {
			v.Warehouses = append(v.Warehouses, WarehouseView{w.id, w.name, w.returns, w.fbt})
		}
		for _, p := range sh.products {
			for _, k := range p.skus {
				v.SKUs = append(v.SKUs, viewSKU(k))
			}
		}
		out = append(out, v)
	}
	return out
}

// SKU is one SKU of a shop, by its id or seller SKU.
func (s *Sim) SKU(shopID, id string) (SKUView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.sku(shopID, id)
	if err != nil {
		return SKUView{}, err
	}
	return viewSKU(k), nil
}

// Stats counts what happened in a shop.
func (s *Sim) Stats(shopID string) (ShopStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return ShopStats{}, err
	}
	return sh.stats, nil
}

// EmptyBodies counts how clients have signed empty JSON bodies.
func (s *Sim) EmptyBodies() EmptyBodies {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.empty
}

func viewSKU(k *sku) SKUView {
	v := SKUView{ID: k.id, SellerSKU: k.sellerSKU, Name: k.name, ProductID: k.product.id, Product: k.product.title, Status: k.product.status,
		Available: k.total(), Committed: k.committed(), Stock: map[string]int{}, Sold: k.sold, Cancelled: k.cancelled,
		Active: k.sold - k.cancelled, Lost: k.lost}
	for _, st := range k.stock {
		v.Stock[st.warehouse.id] = st.available
	}
	return v
}

// Order is one order.
func (s *Sim) Order(id string) (OrderView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	if o == nil {
		return OrderView{}, errs.New(errs.NotFound, "tiktok.Order", id, "There is no order with this id.")
	}
	return viewOrder(o), nil
}

// Orders are a shop's newest orders, at most n.
func (s *Sim) Orders(shopID string, n int) ([]OrderView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return nil, err
	}
	out := []OrderView{}
	for i := len(sh.index.created) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, viewOrder(sh.index.created[i]))
	}
	return out, nil
}

func viewOrder(o *order) OrderView {
	v := OrderView{ID: o.id, ShopID: o.shop.id, Status: o.status, Created: o.created, Updated: o.updated, Due: o.due.rtsSLA,
		Units: len(o.lines), FBT: o.fbt, Items: []Wanted{}, Packages: []string{}}
next:
	for _, l := range o.lines {
		for i := range v.Items {
			if v.Items[i].SKU == l.sku.sellerSKU {
				v.Items[i].Qty++
				continue next
			}
		}
		v.Items = append(v.Items, Wanted{l.sku.sellerSKU, 1})
	}
	for _, p := range o.parcels {
		v.Packages = append(v.Packages, p.id)
	}
	v.Labels = o.labels()
	if o.request != nil && o.request.open() {
		v.Request = o.request.id
	}
	for _, a := range o.returns {
		v.Returns = append(v.Returns, a.id)
	}
	return v
}
