package importer

import (
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// writer writes orders in batches inside one transaction. After the first problem it only looks on, to tell the others too.
type writer struct {
	*job
	tx    *store.Tx
	items map[string]catalog.Item // by SKU; grows to the number of items sold
	asked map[string]bool         // SKUs looked up
	batch []whole
	rows  int
}

// whole is an order of which every row is there.
type whole struct {
	fact *order.Fact
	rows []orderRow
}

func (w *writer) add(rows []orderRow) error {
	f := w.fact(rows, w.tx.Now())
	if f == nil {
		return nil
	}
	w.batch = append(w.batch, whole{f, rows})
	w.rows += len(rows)
	if len(w.batch) < orderBatch && w.rows < maxHeld {
		return nil
	}
	return w.flush()
}

// flush writes the batch: what is new, and what changed if that is asked for.
func (w *writer) flush() error {
	batch := w.batch
	w.batch, w.rows = nil, 0
	if len(batch) == 0 {
		return nil
	}
	if err := w.lookUp(batch); err != nil {
		return err
	}
	ids := make([]string, len(batch))
	for i, b := range batch {
		ids[i] = order.ID(b.fact.ConnectionID, b.fact.ExternalID)
	}
	stored, err := w.tx.OrdersForUpdate(ids)
	if err != nil {
		return err
	}
	known := make(map[string]*order.Order, len(stored))
	for i := range stored {
		known[stored[i].ID] = &stored[i]
	}
	var out []order.Order
	for i, b := range batch {
		if next, changed := w.merge(known[ids[i]], b); changed {
			out = append(out, next)
		}
	}
	if len(w.wrong.Shown) > 0 || len(out) == 0 {
		return nil
	}
	if w.o.Open {
		if err := w.settle(out); err != nil {
			return err
		}
	}
	return w.tx.OrdersSave(out)
}

// merge compares an order with what is stored and says whether it is to be saved.
func (w *writer) merge(was *order.Order, b whole) (order.Order, bool) {
	bad := func(conflict bool, text string) (order.Order, bool) {
		w.wrong.add(Problem{Line: b.rows[0].line, Field: "order", Value: b.rows[0].order, Text: text, Conflict: conflict})
		return order.Order{}, false
	}
	if was == nil { // the common case: the hash that Merge makes is the only one
		next, _, err := order.Merge(nil, *b.fact)
		if err != nil {
			return bad(false, "cannot be an order: "+errs.Safe(err))
		}
		w.report.Created++
		w.saved(b)
		return next, true
	}
	hash, err := b.fact.Hash()
	if err != nil {
		return bad(false, "cannot be an order: "+errs.Safe(err))
	}
	if was.Version.Hash == hash {
		w.report.Unchanged++
		return order.Order{}, false
	}
	if !w.o.Update {
		return bad(true, "was imported before with other content; add --update if this is what became of it, with a later updated_at")
	}
	next, _, err := order.Merge(was, *b.fact)
	if err != nil {
		return bad(false, "cannot be an order: "+errs.Safe(err))
	}
	if next.Version.Hash != hash {
		return bad(true, "is older than what is stored; --update needs a later updated_at")
	}
	w.report.Changed++
	w.saved(b)
	return next, true
}

// saved counts the lines of an order that is written.
func (w *writer) saved(b whole) {
	w.report.Lines += len(b.rows)
	for _, r := range b.rows {
		if _, ok := w.items[r.sku]; !ok {
			w.report.Unknown++
		}
	}
}

// lookUp finds the items of the batch's SKUs and tells the rows that name none.
func (w *writer) lookUp(batch []whole) error {
	var skus []string
	for _, b := range batch {
		for _, r := range b.rows {
			if !w.asked[r.sku] {
				w.asked[r.sku] = true
				skus = append(skus, r.sku)
			}
		}
	}
	found, err := itemsBySKU(w.tx, skus)
	if err != nil {
		return err
	}
	for sku, it := range found {
		w.items[sku] = it
	}
	for _, b := range batch {
		for _, r := range b.rows {
			if _, ok := w.items[r.sku]; ok {
				continue
			}
			if w.o.AllowUnknown {
				continue
			}
			w.wrong.add(Problem{Line: r.line, Field: "sku", Value: r.sku, Text: "is no item; import items first, or add --allow-unknown-sku to keep such lines as text"})
		}
	}
	return nil
}

// settle makes the ledger equal to what open orders demand. An order that came already ended, and holds nothing, is history.
func (w *writer) settle(orders []order.Order) error {
	var ids []string
	for i := range orders {
		ids = append(ids, orders[i].ID)
	}
	have, err := w.tx.ReservationsForOrders(ids)
	if err != nil {
		return err
	}
	holds := map[string][]stock.Reservation{}
	for _, r := range have {
		holds[r.OrderID] = append(holds[r.OrderID], r)
	}
	var wants []stock.Want
	var items []string
	for i := range orders {
		if o := &orders[i]; isOpen(o.Status) || holds[o.ID] != nil {
			wants = append(wants, w.wants(o, holds[o.ID])...)
		}
	}
	for _, want := range wants {
		items = append(items, want.ItemID)
	}
	if len(wants) == 0 {
		return nil
	}
	book, err := w.tx.LedgerOpen(w.o.Actor, items, ids)
	if err != nil {
		return err
	}
	if err := w.tx.LedgerHolders(book, items...); err != nil {
		return err
	}
	for _, want := range wants {
		done, err := book.Settle(want)
		if err != nil {
			return err
		}
		w.report.Reserved += done.Held
		w.report.Short += done.Short
	}
	for _, item := range book.Touched() {
		book.FillShorts(item)
	}
	return w.tx.LedgerSave(book)
}

// wants is the stock consequence of an order, by item. Lines of SKUs that are no items have none; what the order holds for a line
// that is gone is released.
func (w *writer) wants(o *order.Order, have []stock.Reservation) []stock.Want {
	kind := stock.Release
	if o.Status == order.Cancelled {
		kind = stock.Cancel
	}
	var out []stock.Want
	at := map[[2]string]int{}
	want := func(line, item string) *stock.Want {
		key := [2]string{line, item}
		i, ok := at[key]
		if !ok {
			i, at[key] = len(out), len(out)
			out = append(out, stock.Want{OrderID: o.ID, LineID: line, ItemID: item, ConnectionID: o.ConnectionID, Due: order.NextDue(o).At, ReleaseKind: kind})
		}
		return &out[i]
	}
	for _, d := range order.Demand(o) {
		it, ok := w.items[d.SellerSKU]
		if !ok {
			continue
		}
		for _, part := range catalog.Explode(it, 1) {
			x := want(d.Key, part.ItemID)
			x.Reserve, x.Ship = d.Reserve*part.Qty, d.Ship*part.Qty
		}
	}
	for _, r := range have {
		want(r.LineID, r.ItemID) // what has shipped stays shipped, see stock.Settle
	}
	return out
}
