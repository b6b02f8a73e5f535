package sqlcore

import (
	"database/sql"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Hold keeps units of an item for one listing or one connection for a time: a LIVE, a promotion.
type Hold struct {
	ID                      string
	ItemID                  string
	ListingID, ConnectionID string // one of them
	Qty                     int64
	Sold                    int64     // of Qty, by the favoured listing since From; kept by HoldSold
	From, Until             time.Time // active from From on, until before Until
	Title, CreatedBy        string
	CreatedAt               time.Time
}

var (
	holdCols = []col{{"id", text}, {"item_id", text}, {"listing_id", text}, {"connection_id", text}, {"qty", bigint}, {"from_at", bigint},
		{"until_at", bigint}, {"title", text}, {"created_by", text}, {"created_at", bigint}}
	holdList = names(holdCols, plain, ", ") + ", sold"

	holdPut     = insert("store.HoldPut", "hold", holdCols, upsert("id", holdCols[1:8]))
	holdSold    = def("store.HoldSold", "UPDATE hold SET sold = sold + $2 WHERE id = $1")
	holdDelete  = def("store.HoldDelete", "DELETE FROM hold WHERE id = $1")
	holdGet     = def("store.HoldGet", "SELECT "+holdList+" FROM hold WHERE id = $1")
	holdsActive = def("store.HoldsActive", "SELECT "+holdList+" FROM hold WHERE until_at > $1 AND from_at <= $1 ORDER BY from_at, id")
	holdsListed = def("store.HoldList", "SELECT "+holdList+" FROM hold WHERE until_at > $1 ORDER BY from_at, id LIMIT $2")
)

// HoldPut creates or changes a hold. Errors: Invalid.
func (tx *Tx) HoldPut(h Hold) error {
	switch {
	case h.ID == "" || h.ItemID == "" || (h.ListingID == "") == (h.ConnectionID == ""):
		return errs.New(errs.Invalid, "store.HoldPut", h.ID, "a hold needs an id, an item, and either a listing or a connection")
	case h.Qty < 1:
		return errs.New(errs.Invalid, "store.HoldPut", h.ID, "the quantity must be at least 1")
	case !h.From.Before(h.Until):
		return errs.New(errs.Invalid, "store.HoldPut", h.ID, "the end must be after the beginning")
	}
	if h.CreatedAt.IsZero() {
		h.CreatedAt = tx.now
	}
	_, err := tx.bulk(holdPut, [][]any{{h.ID, h.ItemID, h.ListingID, h.ConnectionID, h.Qty, us(h.From), us(h.Until), h.Title, h.CreatedBy, us(h.CreatedAt)}})
	return err
}

func scanHold(r *sql.Rows, h *Hold) error {
	var from, until, created int64
	err := r.Scan(&h.ID, &h.ItemID, &h.ListingID, &h.ConnectionID, &h.Qty, &from, &until, &h.Title, &h.CreatedBy, &created, &h.Sold)
	h.From, h.Until, h.CreatedAt = when(from), when(until), when(created)
	return err
}

// HoldSold adds units the favoured listing sold within the hold; negative for cancellations.
func (tx *Tx) HoldSold(id string, units int64) error {
	_, err := tx.exec(holdSold, id, units)
	return err
}

// HoldDelete removes a hold. Errors: NotFound.
func (tx *Tx) HoldDelete(id string) error {
	n, err := tx.exec(holdDelete, id)
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "store.HoldDelete", id, "there is no such hold")
	}
	return err
}

// HoldGet reads one hold. Errors: NotFound.
func (tx *Tx) HoldGet(id string) (Hold, error) {
	h, ok, err := one(tx, holdGet, scanHold, id)
	if err == nil && !ok {
		return h, errs.New(errs.NotFound, "store.HoldGet", id, "there is no such hold")
	}
	return h, err
}

// HoldsActive reads the holds in force at at.
func (tx *Tx) HoldsActive(at time.Time) ([]Hold, error) {
	return query(tx, holdsActive, scanHold, us(at))
}

// HoldList reads holds that end after after, by their beginning.
func (tx *Tx) HoldList(after time.Time, limit int) ([]Hold, error) {
	return query(tx, holdsListed, scanHold, us(after), page(limit))
}
