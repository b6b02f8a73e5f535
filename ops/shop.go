package ops

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// introduce gets to know a shop: its warehouses and listings, and where its webhooks go. It is tried until it works, then again
// once in a while, since listings come and go.
func (w *wire) introduce() {
	pause := time.Duration(0)
	for {
		next := relist
		if err := w.meet(); err != nil {
			if w.ctx.Err() != nil {
				return
			}
			w.failed("reading the shop", err)
			pause = grow(pause)
			next = pause
		} else {
			pause = 0
		}
		t := time.NewTimer(next)
		select {
		case <-t.C:
		case <-w.wakeMeet:
		case <-w.ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// relist is how often the listings of a shop are read again.
const relist = 15 * time.Minute

func (w *wire) meet() error {
	places, err := w.session.Locations(w.ctx)
	if err != nil {
		return err
	}
	if err := w.mapLocations(places); err != nil {
		return err
	}
	if err := w.syncListings(); err != nil {
		return err
	}
	if w.x.o.PublicURL != "" {
		address := strings.TrimRight(w.x.o.PublicURL, "/") + "/hooks/" + w.vendor.Vendor + "/" + w.session.Connection().App.ID
		subs, err := w.session.SubscribeWebhooks(w.ctx, address)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.state.subscriptions = subs
		w.mu.Unlock()
	}
	w.worked()
	w.mu.Lock()
	opened := w.state.opened
	w.mu.Unlock()
	if opened {
		w.openBooks()
	}
	return nil
}

// mapLocations ties the channel's warehouses to ours: one that is not tied yet goes to the main location, where an operator can move it.
func (w *wire) mapLocations(places []driver.Location) error {
	changed := false
	err := w.x.st.Update(w.ctx, func(tx *store.Tx) error {
		changed = false
		ours, err := tx.Locations()
		if err != nil {
			return err
		}
		tied := func(ref string) bool {
			return slices.ContainsFunc(ours, func(l stock.Location) bool { return l.ExternalRefs[w.id] == ref })
		}
		home := slices.IndexFunc(ours, func(l stock.Location) bool { return l.Kind == stock.Own && l.Active })
		for _, p := range places {
			if home < 0 || p.Kind != "sales" || !p.Active || tied(p.ExternalID) || (ours[home].ExternalRefs[w.id] != "" && !p.Default) {
				continue
			}
			refs := maps.Clone(ours[home].ExternalRefs)
			if refs == nil {
				refs = map[string]string{}
			}
			refs[w.id] = p.ExternalID
			ours[home].ExternalRefs, changed = refs, true
			if err := tx.LocationPut(ours[home]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if changed {
		w.x.peers.tell(noticeCatalogue)
	}
	return w.x.reloadCatalogue(w.ctx)
}

// syncListings takes over what the channel sells. A new listing is mapped to the item with the same SKU; rules and mappings made
// by people stay.
func (w *wire) syncListings() error {
	changed := false
	for page, err := range w.session.ListingPages(w.ctx) {
		if err != nil {
			return err
		}
		cat := w.x.catalog.Load()
		var put []catalog.Listing
		for _, l := range page.Listings {
			next := cat.listings[catalog.ListingID(w.id, l.Ref.SKUID)]
			was := next
			next.ID, next.ConnectionID = catalog.ListingID(w.id, l.Ref.SKUID), w.id
			next.ProductID, next.ExternalSKU, next.ItemRef, next.Locations = l.Ref.ProductID, l.Ref.SKUID, l.Ref.ItemRef, l.Ref.Locations
			next.SellerSKU, next.Title, next.Active = l.SellerSKU, l.Title, l.Active
			if next.ItemID == "" {
				next.ItemID = cat.bySKU[l.SellerSKU]
			}
			if !sameListing(was, next) {
				put = append(put, next)
			}
		}
		if len(put) == 0 {
			continue
		}
		changed = true
		if err := w.x.st.Update(w.ctx, func(tx *store.Tx) error { return tx.ListingPut(put) }); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	w.x.peers.tell(noticeCatalogue)
	if err := w.x.reloadCatalogue(w.ctx); err != nil {
		return err
	}
	w.x.planner.dirtyAll(w.x.catalog.Load())
	return nil
}

func sameListing(a, b catalog.Listing) bool {
	return a.ID == b.ID && a.ProductID == b.ProductID && a.ItemRef == b.ItemRef && slices.Equal(a.Locations, b.Locations) &&
		a.SellerSKU == b.SellerSKU && a.Title == b.Title && a.Active == b.Active && a.ItemID == b.ItemID
}
