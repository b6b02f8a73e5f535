package shopify

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/spillway/spillway/connector/driver"
)

// maxShopPages bounds what is read page by page to answer one question about the whole shop: 25,000 locations or webhooks.
const maxShopPages = 100

// levelNode is the stock of an item at one location.
type levelNode struct {
	Location struct {
		ID     string `json:"id"`
		Active bool   `json:"isActive"`
		Online bool   `json:"fulfillsOnlineOrders"`
	} `json:"location"`
	Quantities []struct {
		Name     string `json:"name"`
		Quantity int64  `json:"quantity"`
	} `json:"quantities"`
}

func (l levelNode) quantity(name string) int64 {
	for _, q := range l.Quantities {
		if q.Name == name {
			return q.Quantity
		}
	}
	return 0
}

type itemNode struct {
	ID      string          `json:"id"`
	Tracked bool            `json:"tracked"`
	Levels  page[levelNode] `json:"inventoryLevels"`
}

// stock is what an item has at the locations that sell online.
type stock struct {
	locations []string // sorted by number: the oldest, which is mostly the main one, first
	available map[string]int64
	total     int64
	committed int64
}

// stock sums the levels the shop window counts, and those at named locations besides.
func (it *itemNode) stock(named []string) stock {
	s := stock{available: map[string]int64{}}
	for _, l := range it.Levels.Nodes {
		id := number(l.Location.ID)
		sells := l.Location.Active && l.Location.Online
		if !sells && !slices.Contains(named, id) {
			continue
		}
		s.locations = append(s.locations, id)
		s.available[id] = l.quantity("available")
		s.total += s.available[id]
		s.committed += l.quantity("committed")
	}
	slices.SortFunc(s.locations, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return s
}

// completeLevels reads the locations that did not fit into the page.
func (c *channel) completeLevels(ctx context.Context, op driver.Operation, it *itemNode) error {
	after := it.Levels.next()
	for i := 0; after != ""; i++ {
		if i == maxPagesOfOne {
			return &driver.Error{Class: driver.GiveUp, Op: op, Message: "item " + number(it.ID) + " has more locations than allowed"}
		}
		var data struct {
			Node *itemNode `json:"node"`
		}
		vars := map[string]any{"id": it.ID, "first": moreLevels, "after": after}
		if _, err := c.call(ctx, request{op: op, doc: docLevels, size: moreLevels, vars: vars, patient: true}, &data); err != nil {
			return err
		}
		if data.Node == nil {
			return nil
		}
		it.Levels.Nodes = append(it.Levels.Nodes, data.Node.Levels.Nodes...)
		after = data.Node.Levels.next()
	}
	return nil
}

// Locations implements driver.Channel. Those of a fulfilment service are sales locations too: a 3PL's.
func (c *channel) Locations(ctx context.Context) ([]driver.Location, error) {
	var out []driver.Location
	after := ""
	for i := range maxShopPages {
		var data struct {
			Primary   *gqlID `json:"primary"`
			Locations page[struct {
				ID     string `json:"id"`
				Name   string `json:"name"`
				Active bool   `json:"isActive"`
				Online bool   `json:"fulfillsOnlineOrders"`
			}] `json:"locations"`
		}
		vars := map[string]any{"first": pageLocations, "after": cursor(after)}
		_, err := c.call(ctx, request{op: driver.OpLocations, doc: docLocations, size: pageLocations, vars: vars, patient: i > 0}, &data)
		if err != nil {
			return nil, err
		}
		for _, l := range data.Locations.Nodes {
			out = append(out, driver.Location{
				ExternalID: number(l.ID), Name: l.Name, Kind: "sales", Active: l.Active && l.Online,
				Default: data.Primary != nil && data.Primary.ID == l.ID,
			})
		}
		if after = data.Locations.next(); after == "" {
			break
		}
	}
	return out, nil
}

// Listings implements driver.Channel. A variant whose stock Shopify does not track sells without end: it is not active
// for us, since no number can be set.
func (c *channel) Listings(ctx context.Context, after string) (driver.ListingPage, error) {
	var data struct {
		Variants page[struct {
			ID      string `json:"id"`
			SKU     string `json:"sku"`
			Name    string `json:"displayName"`
			Product struct {
				ID     string `json:"id"`
				Status string `json:"status"`
			} `json:"product"`
			Item itemNode `json:"inventoryItem"`
		}] `json:"productVariants"`
	}
	vars := map[string]any{"first": pageListings, "after": cursor(after)}
	_, err := c.call(ctx, request{op: driver.OpListings, doc: docListings, size: pageListings, vars: vars}, &data)
	if err != nil {
		return driver.ListingPage{}, err
	}
	out := driver.ListingPage{Next: data.Variants.next(), Listings: make([]driver.Listing, 0, len(data.Variants.Nodes))}
	for i := range data.Variants.Nodes {
		v := &data.Variants.Nodes[i]
		if err := c.completeLevels(ctx, driver.OpListings, &v.Item); err != nil {
			return driver.ListingPage{}, err
		}
		s := v.Item.stock(nil)
		out.Listings = append(out.Listings, driver.Listing{
			Ref: driver.ListingRef{
				ProductID: number(v.Product.ID), SKUID: number(v.ID), ItemRef: number(v.Item.ID), Locations: s.locations,
			},
			SellerSKU: v.SKU, Title: v.Name, Quantity: s.total,
			Active: v.Product.Status == "ACTIVE" && v.Item.Tracked && len(s.locations) > 0,
		})
	}
	return out, nil
}

// Quantities implements driver.Channel. The levels of many items are read in as many requests as the cost of one allows.
func (c *channel) Quantities(ctx context.Context, refs []driver.ListingRef) ([]driver.Quantity, error) {
	levels := 2
	for _, r := range refs {
		levels = max(levels, len(r.Locations)+1) // one more shows that a location was added
	}
	levels = min(levels, moreLevels)
	doc := docItems
	doc.each = float64(3 + levels*levelCost)
	doc.name += " of " + strconv.Itoa(levels) // the price depends on it
	perCall := max(1, maxQueryCost/int(doc.each))
	byItem := make(map[string]driver.ListingRef, len(refs))
	var ids []string
	for _, r := range refs {
		if _, twice := byItem[r.ItemRef]; !twice {
			byItem[r.ItemRef] = r
			ids = append(ids, r.ItemRef)
		}
	}
	var out []driver.Quantity
	for part := range slices.Chunk(known("InventoryItem", ids), perCall) {
		var data struct {
			Nodes []*itemNode `json:"nodes"`
		}
		vars := map[string]any{"ids": part, "levels": levels}
		a, err := c.call(ctx, request{op: driver.OpQuantities, doc: doc, size: len(part), vars: vars, patient: len(out) > 0}, &data)
		if err != nil {
			return out, err
		}
		for _, it := range data.Nodes {
			if it == nil || it.ID == "" {
				continue
			}
			if err := c.completeLevels(ctx, driver.OpQuantities, it); err != nil {
				return out, err
			}
			ref := byItem[number(it.ID)]
			s := it.stock(ref.Locations)
			ref.Locations = s.locations
			out = append(out, driver.Quantity{Ref: ref, Available: s.total, ByLocation: s.available, Committed: s.committed, At: a.At})
		}
	}
	return out, nil
}
