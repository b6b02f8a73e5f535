package storybook

import (
	"context"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// kept is what the storybook's logistics provider counts. b is locked.
func (b *Book) kept(kind string) *view.KeptStock {
	if kind != "3pl" {
		return nil
	}
	v := &view.KeptStock{Read: b.now().Add(-4 * time.Minute), Text: "The provider counts what the ledger has: 214 items are alike.", Level: view.Good}
	if !b.routed.kept {
		v.Text, v.Level, v.May = "2 of 214 items differ, by 17 units.", view.Watch, true
		v.Notes = []string{"3 SKUs of the provider are no item’s."}
		v.Rows = []view.KeptRow{{ItemID: "lamp", SKU: "LAMP-02", Theirs: 25, Ours: 40, Off: -15}, {ItemID: "mug", SKU: "MUG-01", Theirs: 119, Ours: 120, Shipped: 3, Off: 2}}
	}
	return v
}

// ReadKept reads nothing new.
func (b *Book) ReadKept(context.Context, string) (view.Done, error) {
	return view.Done{Sentence: "The provider has told its stock: 2 items differ."}, nil
}

// TakeKept books what the provider counts.
func (b *Book) TakeKept(_ context.Context, node string, _ time.Time, _ string) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if b.routed.kept {
		return view.Done{}, errs.New(errs.Conflict, "storybook.TakeKept", node, "It was read again meanwhile: look at the differences anew.")
	}
	b.routed.kept = true
	return view.Done{Sentence: "2 items are booked as the provider counts."}, nil
}
