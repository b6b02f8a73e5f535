package tiktok

import (
	"slices"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// Product error codes the simulator answers. The first three and the ones on warehouses are described in the
// platform's notes on product errors; the others are documented for their endpoint, their meaning is a reading.
const (
	maxQuantity = 99_999 // documented upper bound of a quantity
	maxSKUs     = 100    // of one inventory update

	codeNoProduct        = 12052032
	codeForeignProduct   = 12052048
	codeProductStatus    = 12052901
	codeEmptySKUs        = 12052902
	codeTooManySKUs      = 12052050
	codeQuantity         = 12052055
	codeNoWarehouse      = 12052097
	codeForeignWarehouse = 12052530
	codeWarehouses       = 12052533
	codeDoubleSKU        = 12052553
	codeNoSKU            = 12052556
	codeForeignSKU       = 12052557
	codePrice            = 12052073
	codeCurrency         = 12052084
	codeCheckFailed      = 12052990
)

type wireStock struct {
	Warehouse string `json:"warehouse_id"`
	Quantity  int    `json:"quantity"`
}

type wireSKU struct {
	ID        string      `json:"id"`
	SellerSKU string      `json:"seller_sku"`
	Price     wirePrice   `json:"price"`
	Inventory []wireStock `json:"inventory"`
	Status    wireState   `json:"status_info"`
}

type wireState struct {
	Status string `json:"status"`
}

// wirePrice has tax_exclusive_price in markets with sales tax; sale_price with tax otherwise.
type wirePrice struct {
	Currency string `json:"currency"`
	NoTax    string `json:"tax_exclusive_price"`
	Sale     string `json:"sale_price,omitempty"`
}

// wireSKUs leaves out the stock in platform warehouses, which is read through the FBT calls.
func wireSKUs(p *product) []wireSKU {
	out := []wireSKU{}
	for _, k := range p.skus {
		w := wireSKU{ID: k.id, SellerSKU: k.sellerSKU, Inventory: []wireStock{}, Status: wireState{"NORMAL"},
			Price: wirePrice{Currency: p.shop.currency, NoTax: amount(k.price)}}
		if p.shop.region != "US" {
			w.Price.Sale = amount(k.price)
		}
		for _, st := range k.own() {
			w.Inventory = append(w.Inventory, wireStock{st.warehouse.id, st.available})
		}
		out = append(out, w)
	}
	return out
}

// own is the stock in the seller's warehouses.
func (k *sku) own() []*stock {
	return slices.DeleteFunc(slices.Clone(k.stock), func(st *stock) bool { return st.warehouse.fbt })
}

func (s *Sim) searchProducts(c *call) (any, *failure) {
	var in struct {
		Status     string   `json:"status"`
		SellerSKUs []string `json:"seller_skus"`
		SKUIDs     []string `json:"sku_ids"`
		CreateGE   int64    `json:"create_time_ge"`
		CreateLE   int64    `json:"create_time_le"`
		UpdateGE   int64    `json:"update_time_ge"`
		UpdateLE   int64    `json:"update_time_le"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if in.Status != "" && in.Status != "ALL" && !slices.Contains(productStatuses, in.Status) {
		return nil, badParameter("status")
	}
	p, f := c.page("products", 20, 100, "ASC")
	if f != nil {
		return nil, f
	}
	type row struct {
		ID      string    `json:"id"`
		Title   string    `json:"title"`
		Status  string    `json:"status"`
		SKUs    []wireSKU `json:"skus"`
		Regions []string  `json:"sales_regions"`
		Created int64     `json:"create_time"`
		Updated int64     `json:"update_time"`
	}
	out := rows[row]{paging: p, list: []row{}}
	wants := func(k *sku) bool {
		return (len(in.SellerSKUs) == 0 || slices.Contains(in.SellerSKUs, k.sellerSKU)) && (len(in.SKUIDs) == 0 || slices.Contains(in.SKUIDs, k.id))
	}
	for i, v := range c.shop.products {
		if in.Status != "" && in.Status != "ALL" && v.status != in.Status || in.Status == "" && v.status == "DELETED" ||
			v.created < in.CreateGE || in.CreateLE > 0 && v.created > in.CreateLE ||
			v.updated < in.UpdateGE || in.UpdateLE > 0 && v.updated > in.UpdateLE || !slices.ContainsFunc(v.skus, wants) {
			continue
		}
		out.add(uint64(i+1), func() row {
			return row{v.id, v.title, v.status, wireSKUs(v), []string{c.shop.region}, v.created, v.updated}
		})
	}
	return fields{"next_page_token": out.next(), "total_count": out.total, "products": out.list}, nil
}

func (c *call) product() (*product, *failure) {
	return c.productOf(c.vars["product_id"])
}

func (c *call) productOf(id string) (*product, *failure) {
	if p := c.shop.byProduct[id]; p != nil {
		return p, nil
	}
	return nil, fail(codeNoProduct, "The product does not exist. Nonexistent product ID(s): %s", id)
}

func (s *Sim) productDetail(c *call) (any, *failure) {
	p, f := c.product()
	if f != nil {
		return nil, f
	}
	return fields{"id": p.id, "title": p.title, "status": p.status, "description": "<p>" + p.title + "</p>", "skus": wireSKUs(p),
		"main_images": []fields{}, "is_cod_allowed": false, "is_not_for_sale": false, "has_draft": false,
		"category_chains": []fields{{"id": theCategory, "parent_id": "0", "local_name": "Home Supplies", "is_leaf": true}},
		"create_time":     p.created, "update_time": p.updated}, nil
}

type inventoryUpdate struct {
	SKUs []struct {
		ID        string `json:"id"`
		Inventory []struct {
			Warehouse string `json:"warehouse_id"`
			Quantity  *int   `json:"quantity"`
		} `json:"inventory"`
	} `json:"skus"`
}

type wireExtra struct {
	Warehouse string `json:"warehouse_id"`
	Code      int    `json:"code"`
	Message   string `json:"message"`
}

type wireSKUError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Detail  struct {
		SKU   string      `json:"sku_id"`
		Extra []wireExtra `json:"extra_errors"`
	} `json:"detail"`
}

// updateInventory sets the available quantity of SKUs. A SKU is set in all its warehouses or not at all; other SKUs of
// the call are not held up by it.
func (s *Sim) updateInventory(c *call) (any, *failure) {
	c.shop.stats.InventoryUpdates++
	p, f := c.product()
	if f != nil {
		return nil, f
	}
	var in inventoryUpdate
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	switch {
	case p.status != "ACTIVATE":
		return nil, fail(codeProductStatus, "The product is %s; its stock can be updated only while it is ACTIVATE.", p.status)
	case len(in.SKUs) == 0:
		return nil, fail(codeEmptySKUs, "The SKU list is empty.")
	case len(in.SKUs) > maxSKUs:
		return nil, fail(codeTooManySKUs, "A product has at most %d SKUs.", maxSKUs)
	}
	fault, _ := world.FaultFrom(c.Context())
	problems := []wireSKUError{}
	seen := map[string]bool{}
	for i, row := range in.SKUs {
		set, code, message, extra := p.planUpdate(row.ID, row.Inventory, seen)
		if code == 0 && fault.Kind == world.Partial && i == len(in.SKUs)-1 {
			code, message = codeInternal, "Internal error"
		}
		if code != 0 {
			e := wireSKUError{Code: code, Message: message}
			e.Detail.SKU, e.Detail.Extra = row.ID, extra
			problems = append(problems, e)
			continue
		}
		apply := func() { s.applyUpdate(p.shop.bySKU[row.ID], set) }
		if fault.Kind == world.LateEffect {
			s.at(s.o.Clock.Now().Add(time.Duration(fault.Delay)), apply)
		} else {
			apply()
		}
	}
	if len(problems) > 0 {
		return fields{"errors": problems}, nil
	}
	return nil, nil
}

// planUpdate checks one SKU of an inventory update and gives the quantity for each of its warehouses.
func (p *product) planUpdate(id string, rows []struct {
	Warehouse string `json:"warehouse_id"`
	Quantity  *int   `json:"quantity"`
}, seen map[string]bool) (set map[*stock]int, code int, message string, extra []wireExtra) {
	extra = []wireExtra{}
	k := p.shop.bySKU[id]
	switch {
	case k == nil || k.id != id || k.product != p:
		return nil, codeNoSKU, "The SKU does not belong to the product.", extra
	case seen[id]:
		return nil, codeDoubleSKU, "The SKU is named twice.", extra
	}
	seen[id] = true
	set = map[*stock]int{}
	for _, row := range rows {
		var st *stock
		for _, v := range k.stock {
			if v.warehouse.id == row.Warehouse || row.Warehouse == "" && len(k.own()) == 1 && !v.warehouse.fbt {
				st = v
			}
		}
		switch {
		case st == nil && !slices.ContainsFunc(p.shop.warehouses, func(w *warehouse) bool { return w.id == row.Warehouse }):
			extra = append(extra, wireExtra{row.Warehouse, codeNoWarehouse, "The warehouse does not exist"})
		case st == nil || st.warehouse.fbt:
			extra = append(extra, wireExtra{row.Warehouse, codeForeignWarehouse, "The warehouse is not one of the SKU's"})
		case row.Quantity == nil || *row.Quantity < 0 || *row.Quantity > maxQuantity:
			extra = append(extra, wireExtra{row.Warehouse, codeQuantity, "The quantity is out of range"})
		default:
			set[st] = *row.Quantity
		}
	}
	switch {
	case len(extra) > 0:
		return nil, codeCheckFailed, "Check failed", extra
	case len(set) != len(k.own()) || len(rows) != len(set):
		return nil, codeWarehouses, "Removal, addition, and change of warehouses are not permitted. Please specify the original warehouses for the SKUs: " + id, extra
	}
	return set, 0, "", extra
}

func (s *Sim) applyUpdate(k *sku, set map[*stock]int) {
	before := k.total()
	for st, q := range set {
		st.available = q
	}
	k.product.shop.stats.SKUUpdates++
	s.stockChanged(k, before, nil)
}

func (s *Sim) searchInventory(c *call) (any, *failure) {
	var in struct {
		Products []string `json:"product_ids"`
		SKUs     []string `json:"sku_ids"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.SKUs) == 0 && len(in.Products) == 0 || len(in.Products) > 100 || len(in.SKUs) > 600 {
		return nil, badParameter("name 1 to 100 product_ids or 1 to 600 sku_ids")
	}
	out := []fields{}
	for _, p := range c.shop.products {
		list := []fields{}
		for _, k := range p.skus {
			if len(in.SKUs) > 0 && slices.Contains(in.SKUs, k.id) || len(in.SKUs) == 0 && slices.Contains(in.Products, p.id) {
				list = append(list, wireInventory(k))
			}
		}
		if len(list) > 0 {
			out = append(out, fields{"product_id": p.id, "skus": list})
		}
	}
	return fields{"inventory": out}, nil
}

// wireInventory holds all of a SKU's available stock in the shop itself: the simulator runs no campaigns.
func wireInventory(k *sku) fields {
	available, committed := 0, 0
	byWarehouse := []fields{}
	for _, st := range k.own() {
		available += st.available
		committed += st.committed
		byWarehouse = append(byWarehouse, fields{"warehouse_id": st.warehouse.id, "available_quantity": st.available, "committed_quantity": st.committed})
	}
	return fields{"id": k.id, "seller_sku": k.sellerSKU, "total_available_quantity": available, "total_committed_quantity": committed,
		"warehouse_inventory": byWarehouse, "total_available_inventory_distribution": fields{"campaign_inventory": []fields{},
			"creator_inventory": []fields{}, "in_shop_inventory": fields{"quantity": available}}}
}

func (s *Sim) updatePrices(c *call) (any, *failure) {
	p, f := c.product()
	if f != nil {
		return nil, f
	}
	var in struct {
		SKUs []struct {
			ID    string `json:"id"`
			Price struct {
				Amount   string `json:"amount"`
				Currency string `json:"currency"`
			} `json:"price"`
		} `json:"skus"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.SKUs) == 0 {
		return nil, fail(codeEmptySKUs, "The SKU list is empty.")
	}
	set := map[*sku]int64{}
	for _, row := range in.SKUs {
		k := c.shop.bySKU[row.ID]
		n, ok := cents(row.Price.Amount)
		switch {
		case k == nil || k.id != row.ID || k.product != p:
			return nil, fail(codeForeignSKU, "The SKU ID does not belong to the product: %s", row.ID)
		case !ok || n == 0:
			return nil, fail(codePrice, "The price is invalid.")
		case row.Price.Currency != c.shop.currency:
			return nil, fail(codeCurrency, "The currency must be %s.", c.shop.currency)
		}
		set[k] = n
	}
	for k, n := range set {
		k.price = n
	}
	p.updated = s.now()
	return nil, nil
}

func (s *Sim) activate(c *call) (any, *failure) {
	return s.switchProducts(c, "ACTIVATE", []string{"SELLER_DEACTIVATED", "DRAFT"})
}

func (s *Sim) deactivate(c *call) (any, *failure) {
	return s.switchProducts(c, "SELLER_DEACTIVATED", []string{"ACTIVATE"})
}

func (s *Sim) switchProducts(c *call, to string, from []string) (any, *failure) {
	var in struct {
		IDs []string `json:"product_ids"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.IDs) == 0 || len(in.IDs) > 20 {
		return nil, badParameter("product_ids must name 1 to 20 products")
	}
	problems := []fields{}
	for _, id := range in.IDs {
		p, f := c.productOf(id)
		if f == nil && !slices.Contains(from, p.status) {
			f = fail(codeForeignProduct, "A %s product cannot become %s.", p.status, to)
		}
		if f != nil {
			problems = append(problems, fields{"code": f.code, "message": f.message, "detail": fields{"product_id": id}})
			continue
		}
		s.setProductStatus(p, to)
	}
	if len(problems) > 0 {
		return fields{"errors": problems}, nil
	}
	return nil, nil
}
