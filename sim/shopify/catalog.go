package shopify

import (
	"fmt"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// ProductInput describes a product to sell.
type ProductInput struct {
	Title    string         `json:"title"`
	Variants []VariantInput `json:"variants"`
}

// VariantInput describes one variant. A SKU may be used again: the API then finds several inventory items for it.
type VariantInput struct {
	SKU       string `json:"sku"`
	Title     string `json:"title"`    // default "Default Title"
	Price     string `json:"price"`    // decimal in the shop's currency, default "10.00"
	Oversell  bool   `json:"oversell"` // inventory policy CONTINUE: sell below zero
	Untracked bool   `json:"untracked"`
	Bundle    bool   `json:"bundle"` // stock cannot be written
	Stock     int    `json:"stock"`  // available at the first location
}

// Variant names the identifiers a new variant got.
type Variant struct {
	SKU             string `json:"sku"`
	ProductID       int64  `json:"product_id"`
	VariantID       int64  `json:"variant_id"`
	InventoryItemID int64  `json:"inventory_item_id"`
}

// ItemGID is the inventory item's global identifier.
func (v Variant) ItemGID() string { return gid("InventoryItem", v.InventoryItemID) }

// GID is the variant's global identifier.
func (v Variant) GID() string { return gid("ProductVariant", v.VariantID) }

// GID is the location's global identifier.
func (id LocationID) GID() string { return gid("Location", int64(id)) }

// AddProduct puts a product with its variants on sale. Each is stocked at every location there is.
func (s *Sim) AddProduct(in ProductInput) ([]Variant, error) {
	const op = "shopify.AddProduct"
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Title == "" || len(in.Variants) == 0 {
		return nil, errs.New(errs.Invalid, op, "title", "A product needs a title and at least one variant.")
	}
	if len(s.variants)+len(in.Variants) > maxVariants {
		return nil, errs.New(errs.Busy, op, in.Title, "A store has at most %d variants.", maxVariants)
	}
	prices := make([]int64, len(in.Variants))
	for i, v := range in.Variants {
		if v.Price == "" {
			v.Price = "10.00"
		}
		amount, err := money.Parse(v.Price, s.opts.Currency)
		if err != nil {
			return nil, errs.Wrap(op, v.SKU, err)
		}
		prices[i] = amount.Minor
	}
	at := s.now()
	p := &product{id: s.newID("Product"), title: in.Title, handle: handle(in.Title), vendor: s.opts.ShopName, createdAt: at, updatedAt: at}
	s.products = append(s.products, p)
	out := make([]Variant, len(in.Variants))
	for i, vin := range in.Variants {
		v := s.addVariant(p, vin, prices[i])
		out[i] = Variant{SKU: vin.SKU, ProductID: p.id, VariantID: v.id, InventoryItemID: v.item.id}
	}
	return out, nil
}

func (s *Sim) addVariant(p *product, in VariantInput, price int64) *variant {
	at := s.now()
	it := &item{id: s.newID("InventoryItem"), sku: in.SKU, tracked: !in.Untracked, bundle: in.Bundle, createdAt: at, updatedAt: at}
	it.stats.SKU = in.SKU
	v := &variant{id: s.newID("ProductVariant"), product: p, item: it, title: in.Title, price: price, position: len(p.variants) + 1,
		oversell: in.Oversell, createdAt: at, updatedAt: at}
	if v.title == "" {
		v.title = "Default Title"
	}
	it.variants = []*variant{v}
	p.variants = append(p.variants, v)
	s.variants = append(s.variants, v)
	s.items = append(s.items, it)
	s.bySKU[in.SKU] = append(s.bySKU[in.SKU], it)
	s.itemByID[it.id], s.varByID[v.id] = it, v
	for i, loc := range s.locations {
		l := s.stockAt(it, loc)
		if i == 0 {
			l.add(available, in.Stock, at)
		}
	}
	return v
}

// stockAt makes the item stocked at a location and gives its level.
func (s *Sim) stockAt(it *item, loc *location) *level {
	if l := it.levelAt(loc.id); l != nil {
		l.active = true
		return l
	}
	at := s.now()
	l := &level{id: s.newID("InventoryLevel"), item: it, loc: loc, active: true, createdAt: at, updatedAt: at}
	for q := range l.changedAt {
		l.changedAt[q] = at
	}
	it.levels = append(it.levels, l)
	s.levelByID[l.id] = l
	return l
}

// Stock is what one location holds of one SKU.
type Stock struct {
	Location  LocationID     `json:"location"`
	OnHand    int            `json:"on_hand"`
	Available int            `json:"available"`
	Units     map[string]int `json:"units"` // every quantity by name
}

// Stock lists what each location holds of a SKU.
func (s *Sim) Stock(sku string) ([]Stock, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	it, err := s.item("shopify.Stock", sku)
	if err != nil {
		return nil, err
	}
	var out []Stock
	for _, l := range it.levels {
		units := map[string]int{"on_hand": l.get(onHand)}
		for q := range quantityCount {
			units[q.String()] = l.get(q)
		}
		out = append(out, Stock{Location: LocationID(l.loc.id), OnHand: l.get(onHand), Available: l.get(available), Units: units})
	}
	return out, nil
}

// Available is the number the shop window may sell of a SKU, 0 for an unknown one.
func (s *Sim) Available(sku string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if it, err := s.item("shopify.Available", sku); err == nil {
		return it.sellable()
	}
	return 0
}

// SetAvailable changes stock behind the app's back, as staff or another app would, and sends the webhook of it. A
// location of 0 is the first one.
func (s *Sim) SetAvailable(sku string, loc LocationID, units int) error {
	return s.edit("shopify.SetAvailable", sku, loc, func(l *level) int { return units - l.get(available) })
}

// AdjustAvailable adds delta units behind the app's back. A location of 0 is the first one.
func (s *Sim) AdjustAvailable(sku string, loc LocationID, delta int) error {
	return s.edit("shopify.AdjustAvailable", sku, loc, func(*level) int { return delta })
}

func (s *Sim) edit(op, sku string, loc LocationID, delta func(*level) int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, err := s.item(op, sku)
	if err != nil {
		return err
	}
	if loc == 0 {
		loc = LocationID(s.locations[0].id)
	}
	l := it.levelAt(int64(loc))
	if l == nil {
		return errs.New(errs.NotFound, op, sku, "is not stocked at location %d", loc)
	}
	d := delta(l)
	if after := l.get(available) + d; after > maxUnits || after < -maxUnits {
		return errs.New(errs.Invalid, op, sku, "would hold %d units, more than the store can count", after)
	}
	l.add(available, d, s.now())
	it.stats.ExternalEdits++
	s.emitLevel(l)
	return nil
}

// item finds the first inventory item of a SKU. The caller holds the lock.
func (s *Sim) item(op, sku string) (*item, error) {
	if list := s.bySKU[sku]; len(list) > 0 {
		return list[0], nil
	}
	return nil, errs.New(errs.NotFound, op, sku, "is not a SKU of this store")
}

func handle(title string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, title), "-")
}

// decimal formats minor units of the shop's currency.
func (s *Sim) decimal(minor int64) string {
	return money.Amount{Minor: minor, Currency: s.opts.Currency}.Decimal()
}

func (s *Sim) String() string { return fmt.Sprintf("shopify %s", s.opts.ShopDomain) }
