package sqlcore

import (
	"database/sql"
	"encoding/json"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
)

var (
	listingCols = []col{{"id", text}, {"connection_id", text}, {"external_sku", text}, {"product_id", text}, {"item_ref", text}, {"seller_sku", text},
		{"title", text}, {"item_id", textOrNull}, {"locations", text}, {"active", boolean}, {"mode", text}, {"rules", text}, {"updated_at", bigint}}
	listingList = names(listingCols, func(_ int, c col) string { return "l." + c.name }, ", ")

	listingPut       = insert("store.ListingPut", "listing", listingCols, upsert("id", listingCols[1:]))
	listingsByID     = def("store.ListingsByID", "SELECT "+listingList+" FROM listing l WHERE @in(l.id, $1) ORDER BY l.id")
	listingsOf       = def("store.ListingsOfConnection", "SELECT "+listingList+" FROM listing l WHERE l.connection_id = $1 AND l.external_sku > $2 ORDER BY l.external_sku LIMIT $3")
	listingMap       = def("store.ListingMap", "UPDATE listing SET item_id = $2, updated_at = $3 WHERE id = $1")
	listingsUnmapped = def("store.ListingsUnmapped", "SELECT "+listingList+" FROM listing l WHERE l.item_id IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2")
)

// ListingPut creates listings or replaces them, rules and mapping included. UpdatedAt is set to the transaction's time if it is zero.
// Errors: Invalid (rules; an item that does not exist).
func (tx *Tx) ListingPut(listings []catalog.Listing) error {
	listings = lastOf(listings, func(l catalog.Listing) string { return l.ID })
	rows := make([][]any, len(listings))
	for i, l := range listings {
		if l.ID == "" || l.ConnectionID == "" || l.ExternalSKU == "" {
			return errs.New(errs.Invalid, "store.ListingPut", l.ID, "a listing needs an id, a connection and the channel's SKU id")
		}
		if err := l.Rules.Validate(); err != nil {
			return err
		}
		places, err := encode("store.ListingPut", l.Locations)
		if err != nil {
			return err
		}
		rules, err := encode("store.ListingPut", l.Rules)
		if err != nil {
			return err
		}
		if l.UpdatedAt.IsZero() {
			l.UpdatedAt = tx.now
		}
		rows[i] = []any{l.ID, l.ConnectionID, l.ExternalSKU, l.ProductID, l.ItemRef, l.SellerSKU, l.Title, textNull(l.ItemID), places, l.Active, l.Mode,
			rules, us(l.UpdatedAt)}
	}
	_, err := tx.bulk(listingPut, rows)
	return err
}

// textNull is empty text as NULL, for columns that refer to another table.
func textNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func scanListing(r *sql.Rows, l *catalog.Listing) error {
	var item sql.NullString
	var places, rules string
	var updated int64
	if err := r.Scan(&l.ID, &l.ConnectionID, &l.ExternalSKU, &l.ProductID, &l.ItemRef, &l.SellerSKU, &l.Title, &item, &places, &l.Active, &l.Mode,
		&rules, &updated); err != nil {
		return err
	}
	l.ItemID, l.UpdatedAt = item.String, when(updated)
	if err := json.Unmarshal([]byte(places), &l.Locations); err != nil {
		return err
	}
	return json.Unmarshal([]byte(rules), &l.Rules)
}

// ListingsByID reads listings by id. Unknown ids are left out.
func (tx *Tx) ListingsByID(ids []string) ([]catalog.Listing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return query(tx, listingsByID, scanListing, ids)
}

// ListingsOfConnection reads a page of a connection's listings in the order of the channel's SKU id, after the id after.
func (tx *Tx) ListingsOfConnection(connectionID, after string, limit int) ([]catalog.Listing, error) {
	return query(tx, listingsOf, scanListing, connectionID, after, page(limit))
}

// ListingsUnmapped reads a page of the listings that no item is mapped to, in the order of id, after the id after.
func (tx *Tx) ListingsUnmapped(after string, limit int) ([]catalog.Listing, error) {
	return query(tx, listingsUnmapped, scanListing, after, page(limit))
}

// ListingMap says which item a listing sells; empty unmaps it. Errors: NotFound (the listing), Invalid (the item does not exist).
func (tx *Tx) ListingMap(listingID, itemID string) error {
	n, err := tx.exec(listingMap, listingID, textNull(itemID), us(tx.now))
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "store.ListingMap", listingID, "there is no such listing")
	}
	return err
}
