package tiktok

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// Locations implements driver.Channel.
func (c *channel) Locations(ctx context.Context) ([]driver.Location, error) {
	data, _, err := call[wireWarehouses](ctx, c, driver.OpLocations, getWarehouses, getWarehouses.path, nil, nil)
	if err != nil {
		return nil, err
	}
	out := make([]driver.Location, 0, len(data.Warehouses))
	for _, w := range data.Warehouses {
		l := driver.Location{ExternalID: w.ID, Name: w.Name, Kind: "sales", Active: w.EffectStatus == "ENABLED", Default: w.IsDefault}
		if w.Type == "RETURN_WAREHOUSE" {
			l.Kind = "returns"
		}
		out = append(out, l)
	}
	return out, nil
}

// Listings implements driver.Channel. Where the product search does not say in which warehouses a SKU is, the inventory
// search is asked: a push must name them all.
func (c *channel) Listings(ctx context.Context, cursor string) (driver.ListingPage, error) {
	query := url.Values{"page_size": {strconv.Itoa(maxListings)}, "page_token": {cursor}}
	data, _, err := call[wireProducts](ctx, c, driver.OpListings, searchProducts, searchProducts.path, query, wireProductSearch{Status: "ALL"})
	if err != nil {
		return driver.ListingPage{}, err
	}
	page := driver.ListingPage{Next: data.NextPageToken}
	var bare []driver.ListingRef
	for _, p := range data.Products {
		if p.Status == "DELETED" {
			continue
		}
		for _, s := range p.SKUs {
			l := driver.Listing{
				Ref: driver.ListingRef{ProductID: p.ID, SKUID: s.ID}, SellerSKU: s.SellerSKU, Title: p.Title,
				Active: p.Status == "ACTIVATE" && s.StatusInfo.Status != "DEACTIVATED",
			}
			for _, i := range s.Inventory {
				l.Ref.Locations = append(l.Ref.Locations, i.WarehouseID)
				l.Quantity += i.Quantity
			}
			if len(l.Ref.Locations) == 0 {
				bare = append(bare, l.Ref)
			}
			page.Listings = append(page.Listings, l)
		}
	}
	return page, c.complete(ctx, page.Listings, bare)
}

// complete fills warehouses and quantities of listings that have none yet.
func (c *channel) complete(ctx context.Context, listings []driver.Listing, bare []driver.ListingRef) error {
	for len(bare) > 0 {
		part := bare[:min(len(bare), maxSKUIDs)]
		bare = bare[len(part):]
		found, err := c.Quantities(ctx, part)
		if err != nil {
			return err
		}
		bySKU := map[string]driver.Quantity{}
		for _, q := range found {
			bySKU[q.Ref.SKUID] = q
		}
		for i := range listings {
			if q, ok := bySKU[listings[i].Ref.SKUID]; ok {
				listings[i].Ref.Locations, listings[i].Quantity = q.Ref.Locations, q.Available
			}
		}
	}
	return nil
}

// Quantities implements driver.Channel. Available includes units the platform holds for campaigns and creators: they are
// sold on this channel all the same.
func (c *channel) Quantities(ctx context.Context, refs []driver.ListingRef) ([]driver.Quantity, error) {
	var body wireInventorySearch
	asked := map[string]bool{}
	for _, r := range refs {
		if digits(r.SKUID) && !asked[r.SKUID] {
			asked[r.SKUID] = true
			body.SKUIDs = append(body.SKUIDs, r.SKUID)
		}
	}
	if len(body.SKUIDs) == 0 {
		return nil, nil
	}
	data, a, err := call[wireInventory](ctx, c, driver.OpQuantities, searchInventory, searchInventory.path, nil, body)
	if err != nil {
		return nil, err
	}
	out := make([]driver.Quantity, 0, len(body.SKUIDs))
	for _, p := range data.Inventory {
		for _, s := range p.SKUs {
			if !asked[s.ID] {
				continue
			}
			q := driver.Quantity{
				Ref: driver.ListingRef{ProductID: p.ProductID, SKUID: s.ID}, Available: s.TotalAvailable, Committed: s.TotalCommitted,
				ByLocation: make(map[string]int64, len(s.WarehouseInventory)), At: a.At,
			}
			for _, w := range s.WarehouseInventory {
				q.Ref.Locations = append(q.Ref.Locations, w.WarehouseID)
				q.ByLocation[w.WarehouseID] = w.Available
			}
			out = append(out, q)
		}
	}
	return out, nil
}

// Group implements driver.Channel: one call sets SKUs of one product.
func (c *channel) Group(ref driver.ListingRef) string { return ref.ProductID }

// SetQuantities implements driver.Channel. It names every warehouse of every SKU, since a push that leaves one out is an error.
func (c *channel) SetQuantities(ctx context.Context, pushes []driver.Push) ([]driver.Result, error) {
	var body wireUpdate
	for _, p := range pushes {
		switch {
		case p.Kind != driver.Absolute:
			return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Message: "the platform takes absolute quantities only"}
		case !digits(p.Ref.ProductID) || !digits(p.Ref.SKUID):
			return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Message: "the listing's ids are not the platform's"}
		}
		body.SKUs = append(body.SKUs, wireUpdateSKU{ID: p.Ref.SKUID, Inventory: inventory(p)})
	}
	if len(body.SKUs) == 0 {
		return nil, nil
	}
	path := strings.Replace(updateInventory.path, "{product_id}", pushes[0].Ref.ProductID, 1)
	data, a, err := call[wireUpdateAnswer](ctx, c, driver.OpSet, updateInventory, path, nil, body, codePartial)
	if err != nil {
		return nil, err
	}
	results := make([]driver.Result, 0, len(pushes))
	for _, p := range pushes {
		results = append(results, c.result(p, data.Errors, a))
	}
	return results, nil
}

func inventory(p driver.Push) []wireUpdateWarehouse {
	if len(p.Ref.Locations) == 0 {
		return []wireUpdateWarehouse{{Quantity: p.Quantity}} // the shop's only warehouse
	}
	out := make([]wireUpdateWarehouse, 0, len(p.Ref.Locations))
	for i, id := range p.Ref.Locations {
		w := wireUpdateWarehouse{WarehouseID: id, Quantity: p.Split[id]}
		if len(p.Split) == 0 && i == 0 {
			w.Quantity = p.Quantity
		}
		out = append(out, w)
	}
	return out
}

// result finds what the answer says of one push. Errors that name some of a SKU's warehouses leave open whether the others
// were set, and an error without a SKU, or a partial code without an error, leaves open whom it means: those are Unknown.
func (c *channel) result(p driver.Push, failed []wireUpdateError, a *driver.Answer) driver.Result {
	r := driver.Result{PushID: p.ID, Outcome: driver.Confirmed, After: -1, At: a.At}
	fail := func(f wireUpdateError, o driver.Outcome) {
		r.Outcome = o
		r.Err = &driver.Error{
			Class: driver.GiveUp, Op: driver.OpSet, Status: a.Status, Code: strconv.FormatInt(f.Code, 10), Message: f.Message,
			RequestID: a.RequestID, Applied: o == driver.Unknown,
		}
		if k, ok := codes[f.Code]; ok {
			r.Err.Class = k.class
		}
		for _, x := range f.Detail.ExtraErrors {
			r.Err.Message += "; warehouse " + x.WarehouseID + ": " + x.Message
		}
	}
	for _, f := range failed {
		named := len(f.Detail.ExtraErrors)
		switch {
		case f.Detail.SKUID == "" && r.Outcome == driver.Confirmed:
			fail(f, driver.Unknown)
		case f.Detail.SKUID != p.Ref.SKUID:
		case named > 0 && named < len(p.Ref.Locations), f.Code == codeInternal, f.Code == codeTimeout:
			fail(f, driver.Unknown)
		default:
			fail(f, driver.Refused)
		}
	}
	if r.Outcome == driver.Confirmed && a.Code != "" && len(failed) == 0 {
		fail(wireUpdateError{Code: codePartial, Message: "the platform reports a partial failure and does not say of what"}, driver.Unknown)
	}
	return r
}
