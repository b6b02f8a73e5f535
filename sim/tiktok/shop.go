package tiktok

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// ShopSpec describes a shop to make. Shops of the same seller share one authorisation.
type ShopSpec struct {
	ID          string          `json:"id,omitempty"` // empty makes one
	Name        string          `json:"name"`
	Region      string          `json:"region,omitempty"`       // empty is US
	Seller      string          `json:"seller,omitempty"`       // empty is "Sandbox Seller"
	CrossBorder bool            `json:"cross_border,omitempty"` // else LOCAL
	Shipping    string          `json:"shipping,omitempty"`     // SELLER (the default) or TIKTOK, of orders that do not say
	MostInOne   int             `json:"most_in_one,omitempty"`  // units of one category that a package may hold where orders are split before they ship; 0: any number
	Warehouses  []WarehouseSpec `json:"warehouses,omitempty"`   // none makes one sales and one return warehouse
	Products    []ProductSpec   `json:"products,omitempty"`
}

// WarehouseSpec describes a warehouse. Buyers are served from sales warehouses in the order given.
type WarehouseSpec struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name"`
	Returns bool   `json:"returns,omitempty"` // a return warehouse
	FBT     bool   `json:"fbt,omitempty"`     // run by the platform; its stock is not the seller's to set
}

// ProductSpec describes a product. An empty status is ACTIVATE.
type ProductSpec struct {
	ID     string    `json:"id,omitempty"`
	Title  string    `json:"title"`
	Status string    `json:"status,omitempty"`
	SKUs   []SKUSpec `json:"skus"`
}

// SKUSpec describes one variant.
type SKUSpec struct {
	ID        string `json:"id,omitempty"`
	SellerSKU string `json:"seller_sku"`
	Name      string `json:"name,omitempty"` // the variant, such as "Red, M"
	Price     int64  `json:"price_cents,omitempty"`
	// Stock is the available quantity for each warehouse id or name; a warehouse left out is not assigned to the SKU.
	// When the map is empty, Available goes to the first sales warehouse.
	Stock     map[string]int `json:"stock,omitempty"`
	Available int            `json:"available,omitempty"`
}

type shop struct {
	id, name, region, cipher, code, sellerType, shipping string
	currency                                             string
	mostInOne                                            int
	zone                                                 *time.Location
	seller                                               *seller
	warehouses                                           []*warehouse
	products                                             []*product
	byProduct                                            map[string]*product
	bySKU                                                map[string]*sku // by SKU id and by seller SKU
	hooks                                                map[string]*hook
	index                                                orderIndex
	packages                                             map[string]*parcel
	parcels                                              []*parcel
	tracking                                             map[string]bool // numbers in use
	after                                                map[string]*aftersale
	afters                                               []*aftersale      // in order of making
	keys                                                 map[string]string // idempotency keys seen, with what they made
	ends                                                 map[dayEnd]int64
	stats                                                ShopStats
	inbounds                                             []*inbound
	offered                                              map[string]string  // ids of what may be combined, by its orders
	bundles                                              map[string]*bundle // of the first mile
}

type warehouse struct {
	id, name  string
	returns   bool
	fbt       bool
	isDefault bool
}

type product struct {
	id, title, status string
	shop              *shop
	skus              []*sku
	created, updated  int64
}

// sku is a variant with its stock by warehouse, in the shop's order of warehouses.
type sku struct {
	id, sellerSKU, name, goodsID string
	product                      *product
	price                        int64 // cents
	stock                        []*stock
	sold, cancelled              int // units, since the start
	lost                         int // units refused for want of stock
}

type stock struct {
	warehouse *warehouse
	available int // may still be sold
	committed int // sold, not yet shipped
	inTransit int // FBT only: announced, not yet received
}

func (k *sku) available(fbt bool) (n int) {
	for _, st := range k.stock {
		if st.warehouse.fbt == fbt {
			n += st.available
		}
	}
	return n
}

// total is what may still be sold in all warehouses.
func (k *sku) total() int { return k.available(false) + k.available(true) }

func (k *sku) committed() (n int) {
	for _, st := range k.stock {
		n += st.committed
	}
	return n
}

func (k *sku) at(warehouseID string) *stock {
	for _, st := range k.stock {
		if st.warehouse.id == warehouseID || st.warehouse.name == warehouseID {
			return st
		}
	}
	return nil
}

// currencies and zones by region; a region not listed trades in US dollars and UTC.
var currencies = map[string]string{"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "IT": "EUR", "ES": "EUR", "IE": "EUR",
	"SG": "SGD", "MY": "MYR", "TH": "THB", "PH": "PHP", "MX": "MXN", "BR": "BRL"}
var zones = map[string]string{"US": "America/Los_Angeles", "GB": "Europe/London", "DE": "Europe/Berlin", "FR": "Europe/Paris",
	"IT": "Europe/Rome", "ES": "Europe/Madrid", "IE": "Europe/Dublin", "SG": "Asia/Singapore", "MY": "Asia/Kuala_Lumpur",
	"TH": "Asia/Bangkok", "PH": "Asia/Manila", "MX": "America/Mexico_City", "BR": "America/Sao_Paulo"}

// AddShop makes a shop and returns its id.
func (s *Sim) AddShop(spec ShopSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Region == "" {
		spec.Region = "US"
	}
	if spec.Seller == "" {
		spec.Seller = "Sandbox Seller"
	}
	if spec.Shipping == "" {
		spec.Shipping = "SELLER"
	}
	if spec.ID == "" {
		spec.ID = s.ids.of("shop")
	}
	if s.shops[spec.ID] != nil {
		return "", errs.New(errs.Conflict, "tiktok.AddShop", spec.ID, "A shop with this id exists.")
	}
	sh := &shop{id: spec.ID, name: spec.Name, region: spec.Region, shipping: spec.Shipping, sellerType: "LOCAL",
		cipher: s.ids.secret(prefixOf(spec.Region), 20), code: spec.Region + "LC" + s.ids.secret("", 6), currency: "USD", zone: time.UTC,
		seller: s.sellerFor(spec.Seller, spec.Region), byProduct: map[string]*product{}, bySKU: map[string]*sku{},
		hooks: map[string]*hook{}, packages: map[string]*parcel{}, offered: map[string]string{}, bundles: map[string]*bundle{}, tracking: map[string]bool{}, after: map[string]*aftersale{},
		keys: map[string]string{}, ends: map[dayEnd]int64{}, mostInOne: spec.MostInOne}
	if spec.CrossBorder {
		sh.sellerType = "CROSS_BORDER"
	}
	if c, ok := currencies[spec.Region]; ok {
		sh.currency = c
	}
	if z, err := time.LoadLocation(zones[spec.Region]); err == nil {
		sh.zone = z
	}
	if len(spec.Warehouses) == 0 {
		spec.Warehouses = []WarehouseSpec{{Name: "Main warehouse"}, {Name: "Returns", Returns: true}}
	}
	for _, w := range spec.Warehouses {
		s.addWarehouse(sh, w)
	}
	for _, p := range spec.Products {
		if _, err := s.addProduct(sh, p); err != nil {
			return "", err
		}
	}
	s.shops[sh.id], s.byCipher[sh.cipher] = sh, sh
	s.sequence = append(s.sequence, sh.id)
	sh.seller.shops = append(sh.seller.shops, sh)
	return sh.id, nil
}

func (s *Sim) addWarehouse(sh *shop, spec WarehouseSpec) {
	if spec.ID == "" {
		spec.ID = s.ids.of("warehouse")
	}
	first := !slices.ContainsFunc(sh.warehouses, func(w *warehouse) bool { return w.returns == spec.Returns && !w.fbt })
	sh.warehouses = append(sh.warehouses, &warehouse{id: spec.ID, name: spec.Name, returns: spec.Returns, fbt: spec.FBT,
		isDefault: first && !spec.FBT})
}

// AddProduct makes a product in a shop and returns its id.
func (s *Sim) AddProduct(shopID string, spec ProductSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return "", err
	}
	p, err := s.addProduct(sh, spec)
	if err != nil {
		return "", err
	}
	return p.id, nil
}

func (s *Sim) addProduct(sh *shop, spec ProductSpec) (*product, error) {
	const op = "tiktok.AddProduct"
	if spec.ID == "" {
		spec.ID = s.ids.of("product")
	}
	if spec.Status == "" {
		spec.Status = "ACTIVATE"
	}
	if len(spec.SKUs) == 0 || sh.byProduct[spec.ID] != nil {
		return nil, errs.New(errs.Invalid, op, spec.ID, "A product needs a new id and at least one SKU.")
	}
	p := &product{id: spec.ID, title: spec.Title, status: spec.Status, shop: sh, created: s.now(), updated: s.now()}
	for _, ks := range spec.SKUs {
		k := &sku{id: ks.ID, sellerSKU: ks.SellerSKU, name: ks.Name, price: ks.Price, product: p, goodsID: s.ids.of("goods")}
		if k.id == "" {
			k.id = s.ids.of("sku")
		}
		if k.name == "" {
			k.name = "Default"
		}
		if k.price == 0 {
			k.price = 1999
		}
		if sh.bySKU[k.id] != nil || k.sellerSKU != "" && sh.bySKU[k.sellerSKU] != nil {
			return nil, errs.New(errs.Conflict, op, k.sellerSKU, "A SKU with this id or seller SKU exists in the shop.")
		}
		if err := assign(sh, k, ks); err != nil {
			return nil, err
		}
		p.skus = append(p.skus, k)
		sh.bySKU[k.id] = k
		if k.sellerSKU != "" {
			sh.bySKU[k.sellerSKU] = k
		}
	}
	sh.byProduct[p.id] = p
	sh.products = append(sh.products, p)
	return p, nil
}

// assign gives a SKU its warehouses and first stock.
func assign(sh *shop, k *sku, spec SKUSpec) error {
	left := maps.Clone(spec.Stock)
	for _, w := range sh.warehouses {
		q, ok := left[w.id]
		if !ok {
			q, ok = left[w.name]
		}
		delete(left, w.id)
		delete(left, w.name)
		if len(spec.Stock) == 0 && len(k.stock) == 0 && !w.returns && !w.fbt {
			q, ok = spec.Available, true
		}
		if !ok {
			continue
		}
		if w.returns || q < 0 || q > maxQuantity {
			return errs.New(errs.Invalid, "tiktok.AddProduct", w.name, "Stock must be 0 to %d units in a sales warehouse.", maxQuantity)
		}
		k.stock = append(k.stock, &stock{warehouse: w, available: q})
	}
	if len(left) > 0 || len(k.stock) == 0 {
		return errs.New(errs.NotFound, "tiktok.AddProduct", spec.SellerSKU, "The SKU's stock names a warehouse the shop does not have.")
	}
	return nil
}

// SetStock is somebody editing a SKU's available quantity in Seller Center. An empty warehouse is the SKU's first.
func (s *Sim) SetStock(shopID, skuID, warehouseID string, quantity int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.sku(shopID, skuID)
	if err != nil {
		return err
	}
	st := k.stock[0]
	if warehouseID != "" {
		if st = k.at(warehouseID); st == nil {
			return errs.New(errs.NotFound, "tiktok.SetStock", warehouseID, "The SKU is not kept in this warehouse.")
		}
	}
	if quantity < 0 || quantity > maxQuantity {
		return errs.New(errs.Invalid, "tiktok.SetStock", strconv.Itoa(quantity), "The quantity must lie between 0 and %d.", maxQuantity)
	}
	before := k.total()
	st.available = quantity
	s.stockChanged(k, before, st)
	return nil
}

// SetProductStatus changes a product's status, such as PLATFORM_DEACTIVATED, as a review of the platform does.
func (s *Sim) SetProductStatus(shopID, productID, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return err
	}
	p := sh.byProduct[productID]
	if p == nil {
		return errs.New(errs.NotFound, "tiktok.SetProductStatus", productID, "The shop has no product with this id.")
	}
	if !slices.Contains(productStatuses, status) {
		return errs.New(errs.Invalid, "tiktok.SetProductStatus", status, "A product's status is one of %v.", productStatuses)
	}
	s.setProductStatus(p, status)
	return nil
}

var productStatuses = []string{"DRAFT", "PENDING", "FAILED", "ACTIVATE", "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE", "DELETED"}

func (s *Sim) setProductStatus(p *product, status string) {
	if p.status == status {
		return
	}
	p.status, p.updated = status, s.now()
	s.productChanged(p)
}

func (s *Sim) shop(id string) (*shop, error) {
	if sh := s.shops[id]; sh != nil {
		return sh, nil
	}
	return nil, errs.New(errs.NotFound, "tiktok.Shop", id, "There is no shop with this id.")
}

// sku finds a SKU by its id or seller SKU.
func (s *Sim) sku(shopID, id string) (*sku, error) {
	sh, err := s.shop(shopID)
	if err != nil {
		return nil, err
	}
	if k := sh.bySKU[id]; k != nil {
		return k, nil
	}
	return nil, errs.New(errs.NotFound, "tiktok.SKU", id, "The shop has no SKU with this id or seller SKU.")
}

// prefixOf is what tokens and ciphers of a region begin with.
func prefixOf(region string) string {
	if region == "US" {
		return "TTP_"
	}
	return "ROW_"
}
