package ops

import (
	"cmp"
	"context"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// catalogue is everything that rarely changes, held in memory: items, listings, locations, and how they hang together. It is
// never changed; a change in the store makes a new one.
type catalogue struct {
	handling  handling // what items, cartons and shelves are like
	items     map[string]catalog.Item
	listings  map[string]catalog.Listing
	bySKU     map[string]string    // seller's SKU to item id
	byItem    map[string][]string  // item id to the listings that consume it, bundles' listings included
	ofConn    map[string][]string  // connection id to listing ids
	ofRef     map[[2]string]string // connection id and the channel's inventory item to listing id
	locations []stock.Location
	problem   map[string]string   // item id to the first item id of its problem
	members   map[string][]string // problem to its item ids: items that bundles tie together
}

// catalogPage is how many rows one read of the catalogue takes.
const catalogPage = 2000

func loadCatalogue(tx *store.Tx, connections []string) (*catalogue, error) {
	c := &catalogue{
		items: map[string]catalog.Item{}, listings: map[string]catalog.Listing{}, bySKU: map[string]string{},
		byItem: map[string][]string{}, ofConn: map[string][]string{}, ofRef: map[[2]string]string{}, problem: map[string]string{}, members: map[string][]string{},
	}
	for after := ""; ; {
		page, err := tx.ItemList(after, catalogPage, "")
		if err != nil {
			return nil, err
		}
		for _, it := range page {
			c.items[it.ID] = it
			c.bySKU[it.SKU] = it.ID
			after = it.SKU
		}
		if len(page) < catalogPage {
			break
		}
	}
	for _, conn := range connections {
		if err := c.loadListings(tx, conn); err != nil {
			return nil, err
		}
	}
	var err error
	if c.locations, err = tx.Locations(); err != nil {
		return nil, err
	}
	if c.handling, err = loadHandling(tx); err != nil {
		return nil, err
	}
	c.tie()
	return c, nil
}

func (c *catalogue) loadListings(tx *store.Tx, conn string) error {
	for after := ""; ; {
		page, err := tx.ListingsOfConnection(conn, after, catalogPage)
		if err != nil {
			return err
		}
		for _, l := range page {
			c.listings[l.ID] = l
			c.ofConn[conn] = append(c.ofConn[conn], l.ID)
			if l.ItemRef != "" {
				c.ofRef[[2]string{conn, l.ItemRef}] = l.ID
			}
			after = l.ExternalSKU
		}
		if len(page) < catalogPage {
			return nil
		}
	}
}

// tie works out which items must be planned together: those that a bundle consumes.
func (c *catalogue) tie() {
	parent := map[string]string{}
	find := func(a string) string {
		for parent[a] != a {
			parent[a] = parent[parent[a]]
			a = parent[a]
		}
		return a
	}
	for id := range c.items {
		parent[id] = id
	}
	for id, it := range c.items {
		for _, part := range it.Components {
			if _, ok := parent[part.ItemID]; ok {
				a, b := find(id), find(part.ItemID)
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	for id := range c.items {
		root := find(id)
		c.problem[id] = root
		c.members[root] = append(c.members[root], id)
	}
	for _, ids := range c.members {
		slices.Sort(ids)
	}
	for id, l := range c.listings {
		for _, part := range c.consumes(l) {
			c.byItem[part.ItemID] = append(c.byItem[part.ItemID], id)
		}
	}
	for _, ids := range c.byItem {
		slices.Sort(ids)
	}
}

// consumes is what one unit of the listing takes out of stock; nothing while the listing is not mapped.
func (c *catalogue) consumes(l catalog.Listing) []catalog.Component {
	it, ok := c.items[l.ItemID]
	if !ok {
		return nil
	}
	return catalog.Explode(it, 1)
}

// listingsOf returns the listings of a problem, each once, in id order.
func (c *catalogue) listingsOf(problem string) []catalog.Listing {
	var out []catalog.Listing
	seen := map[string]bool{}
	for _, item := range c.members[problem] {
		for _, id := range c.byItem[item] {
			if !seen[id] {
				seen[id] = true
				out = append(out, c.listings[id])
			}
		}
	}
	slices.SortFunc(out, func(a, b catalog.Listing) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// item finds what a channel's line sells: by its listing first, then by the seller's own SKU.
func (c *catalogue) item(connectionID, externalSKU, sellerSKU string) (catalog.Item, bool) {
	if l, ok := c.listings[catalog.ListingID(connectionID, externalSKU)]; ok && l.ItemID != "" {
		it, ok := c.items[l.ItemID]
		return it, ok
	}
	if id, ok := c.bySKU[sellerSKU]; ok && sellerSKU != "" {
		return c.items[id], true
	}
	return catalog.Item{}, false
}

// byRef finds a listing by whatever the channel names it by.
func (c *catalogue) byRef(connectionID string, ref driver.ListingRef) (string, bool) {
	if _, ok := c.listings[catalog.ListingID(connectionID, ref.SKUID)]; ok {
		return catalog.ListingID(connectionID, ref.SKUID), true
	}
	id, ok := c.ofRef[[2]string{connectionID, ref.ItemRef}]
	return id, ok && ref.ItemRef != ""
}

func (c *catalogue) location(id string) (stock.Location, bool) {
	i := slices.IndexFunc(c.locations, func(l stock.Location) bool { return l.ID == id })
	if i < 0 {
		return stock.Location{}, false
	}
	return c.locations[i], true
}

// prefer orders the locations for an order of a connection: the one the channel named first.
func (c *catalogue) prefer(connectionID, warehouseRef string) []string {
	if warehouseRef == "" {
		return nil
	}
	for _, l := range c.locations {
		if l.ExternalRefs[connectionID] == warehouseRef {
			return []string{l.ID}
		}
	}
	return nil
}

// nodeOf is our id of a node that an order names, by the channel's code or that id; empty: not known.
func (c *catalogue) nodeOf(connection, ref string) string {
	if at := c.prefer(connection, ref); len(at) == 1 {
		return at[0]
	}
	if _, ours := c.location(ref); ours {
		return ref
	}
	return ""
}

// itemsOf are the items that a connection's listings sell.
func (c *catalogue) itemsOf(connection string) (items []string) {
	for _, id := range c.ofConn[connection] {
		for _, part := range c.consumes(c.listings[id]) {
			items = append(items, part.ItemID)
		}
	}
	return items
}

// platformPool is the location that holds a connection's platform stock; empty if there is none.
func (c *catalogue) platformPool(connectionID string) string {
	for _, l := range c.locations {
		if l.Kind == stock.FBT && slices.Contains(l.Serves, connectionID) {
			return l.ID
		}
	}
	return ""
}

// reloadCatalogue reads the catalogue again and plans what it changed.
func (x *Ops) reloadCatalogue(ctx context.Context) error {
	x.reload.Lock()
	defer x.reload.Unlock()
	var next *catalogue
	var charts *chartBook
	err := x.st.View(ctx, func(tx *store.Tx) error {
		conns, err := tx.ConnectionList()
		if err != nil {
			return err
		}
		ids := make([]string, len(conns))
		for i := range conns {
			ids[i] = conns[i].ID
		}
		if next, err = loadCatalogue(tx, ids); err != nil {
			return err
		}
		charts, err = readCharts(tx, x.network.charts.Load())
		return err
	})
	if err != nil {
		return errs.Wrap("ops.reloadCatalogue", "", err)
	}
	x.catalog.Store(next)
	x.network.changed(charts)
	return nil
}
