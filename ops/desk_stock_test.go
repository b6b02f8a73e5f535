package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A count says how many are there in all. Who did not look at what is damaged leaves that as the journal has it at the moment of booking,
// whatever it was when the form was opened; who did look says it with the same count.
func TestDeskCountAndDamage(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	draft := func(id string, qty int64) view.StockDraft {
		return view.StockDraft{ID: id, Kind: "count", ItemID: "LAMP", LocationID: "main", Qty: qty, Actor: "lena"}
	}
	now := func(onHand, damaged int64) {
		t.Helper()
		v, err := r.d.Item(ctx, "LAMP", nil, 0)
		r.must(err)
		if v.Total.OnHand != onHand || v.Total.Damaged != damaged || v.Total.Available != onHand-damaged {
			t.Errorf("%+v, want %d on hand of which %d damaged", v.Total, onHand, damaged)
		}
	}
	r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "wet", Kind: "damage", ItemID: "LAMP", LocationID: "main", Qty: 6, Actor: "lena"}))
	r.did(r.d.AdjustStock(ctx, draft("c1", 90)))
	now(90, 6)

	// Damaged meanwhile, in the same booking: the count keeps both.
	wet := stock.Movement{ID: "more", Kind: stock.Damage, ItemID: "LAMP", LocationID: "main", Damaged: 2}
	count := stock.Movement{ID: "c2", Kind: stock.Count, ItemID: "LAMP", LocationID: "main"}
	r.must(r.x.Move(ctx, "lena", []stock.Movement{wet}, []Count{{Movement: count, OnHand: 88}}))
	now(88, 8)

	few := draft("c3", 5)
	for _, bad := range []*int64{nil, new(int64(6))} {
		few.Damaged = bad
		v, err := r.d.PreviewStock(ctx, few)
		r.must(err)
		_, err = r.d.AdjustStock(ctx, few)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(v.Refused, "damaged") || v.Refused != errs.Safe(err) {
			t.Errorf("5 counted: preview %q, deed %v", v.Refused, err)
		}
	}
	now(88, 8)

	few.Damaged = new(int64(2))
	v, err := r.d.PreviewStock(ctx, few)
	r.must(err)
	if v.Refused != "" || len(v.Changes) < 3 || v.Changes[1].From != "8" || v.Changes[1].To != "2" {
		t.Errorf("preview %+v", v)
	}
	done := r.did(r.d.AdjustStock(ctx, few))
	now(5, 2)
	r.did(r.d.AdjustStock(ctx, few)) // the same form sent twice
	now(5, 2)
	few.Damaged = new(int64(3))
	if _, err := r.d.AdjustStock(ctx, few); !errs.Is(err, errs.Conflict) {
		t.Errorf("another count under the same id: %v", err)
	}
	r.did(r.d.Undo(ctx, done.Undo, "lena"))
	now(88, 8)

	sorted := draft("c4", 88)
	sorted.Damaged = new(int64(0))
	if v, err = r.d.PreviewStock(ctx, sorted); err != nil || !strings.Contains(v.Sentence, "8 units more at Berlin can be sold") {
		t.Errorf("preview %+v, %v", v, err)
	}
}

// Units cannot be kept for a listing whose number was never read. Preview and deed say so in the same words, with the way out.
func TestDeskHoldBeforeTheFirstReading(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	h := store.Hold{ID: "h1", ItemID: "LAMP", ConnectionID: r.conn, Qty: 1}
	err := r.x.unread(r.x.catalog.Load(), nil, h)
	if got := errs.Safe(err); got != "The listing of ITEM-S4 has not been read yet; try again in a few seconds." {
		t.Errorf("said %q", got)
	}

	// A shop that is known and not at work.
	r.must(r.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.ConnectionPut(store.Connection{ID: "away", Vendor: "dummy", Name: "Away", State: store.Paused}); err != nil {
			return err
		}
		l := r.x.catalog.Load().listings[r.listing("S4")]
		l.ID, l.ConnectionID = "away:S4", "away"
		return tx.ListingPut([]catalog.Listing{l})
	}))
	r.must(r.x.catalogueChanged(ctx))
	from := time.Now().Add(time.Hour)
	draft := view.HoldDraft{ID: "h2", Title: "Late show", Item: "LAMP", ConnectionID: "away", Qty: 5, From: from, Until: from.Add(time.Hour), Actor: "mia"}
	v, err := r.d.PreviewHold(ctx, draft)
	r.must(err)
	_, err = r.d.CreateHold(ctx, draft)
	if !errs.Is(err, errs.Unavailable) || v.Refused != errs.Safe(err) || !strings.Contains(v.Refused, "ITEM-S4 has not been read yet") || !strings.Contains(v.Refused, "Connections") {
		t.Errorf("preview %q, deed %v", v.Refused, err)
	}
}
