package ops

import (
	"slices"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// wants is the demand of an order on items, and the SKUs for which no item is known. have are the order's present reservations:
// what they hold for something the order no longer asks is asked back.
func (c *catalogue) wants(o *order.Order, have []stock.Reservation) ([]stock.Want, []string) {
	var out []stock.Want
	var unmapped []string
	at := map[[2]string]int{}
	want := func(line, item string) *stock.Want {
		k := [2]string{line, item}
		if i, ok := at[k]; ok {
			return &out[i]
		}
		at[k] = len(out)
		w := stock.Want{OrderID: o.ID, LineID: line, ItemID: item, ConnectionID: o.ConnectionID, Due: order.NextDue(o).At,
			Prefer: c.prefer(o.ConnectionID, o.WarehouseRef), ReleaseKind: stock.Release}
		if o.Status == order.Cancelled {
			w.ReleaseKind = stock.Cancel
		}
		if o.Fulfilment == order.ByPlatform {
			w.Pool = c.platformPool(o.ConnectionID)
		}
		out = append(out, w)
		return &out[len(out)-1]
	}
	for _, d := range order.Demand(o) {
		if d.Pool == order.PoolPlatform && c.platformPool(o.ConnectionID) == "" {
			continue // the platform ships from stock we do not count
		}
		parts, ok := c.parts(o.ConnectionID, d)
		if !ok {
			unmapped = append(unmapped, d.ExternalSKU)
			continue
		}
		for _, p := range parts {
			w := want(d.Key, p.ItemID)
			w.Reserve += d.Reserve * p.Qty
			w.Ship += d.Ship * p.Qty
		}
	}
	if len(o.Instead) > 0 {
		was := slices.Clone(out)
		for i := range out {
			out[i].Reserve, out[i].Ship = 0, 0
		}
		for _, w := range was {
			o.InsteadOf(w.LineID, w.ItemID, w.Reserve, w.Ship, func(item string, reserve, ship int64) {
				x := want(w.LineID, item)
				x.Reserve, x.Ship = x.Reserve+reserve, x.Ship+ship
			})
		}
	}
	for _, r := range have {
		if _, asked := at[[2]string{r.LineID, r.ItemID}]; !asked {
			w := want(r.LineID, r.ItemID)
			w.Pool = r.Pool
			for _, s := range have {
				if s.LineID == r.LineID && s.ItemID == r.ItemID {
					w.Ship += s.Shipped + s.Unbooked
				}
			}
		}
	}
	return out, unmapped
}

// parts is what one unit of a demanded line takes out of stock.
func (c *catalogue) parts(connectionID string, d order.LineDemand) ([]catalog.Component, bool) {
	if len(d.Parts) == 0 {
		it, ok := c.item(connectionID, d.ExternalSKU, d.SellerSKU)
		if !ok {
			return nil, false
		}
		return catalog.Explode(it, 1), true
	}
	var out []catalog.Component
	for _, p := range d.Parts {
		it, ok := c.item(connectionID, p.ExternalSKU, p.SellerSKU)
		if !ok {
			return nil, false
		}
		out = append(out, catalog.Explode(it, p.Count)...)
	}
	return out, true
}

// settleWants runs wants over a working set and saves it. Units that became free go to whoever lacks them. then may go on with the working set
// before it is saved.
func settleWants(tx *store.Tx, cat *catalogue, actor string, wants []stock.Want, then func(*stock.Book) error) (*stock.Book, error) {
	balances, err := tx.BalancesForUpdate(itemsOf(wants))
	if err != nil {
		return nil, err
	}
	// Read again under the lock: another process may have given or taken units meanwhile.
	have, err := tx.ReservationsForOrders(ordersOf(wants))
	if err != nil {
		return nil, err
	}
	book := stock.NewBook(tx.Now(), actor, cat.locations, balances, have)
	for _, w := range wants {
		if err := tx.WithHolders(book, func() error { _, err := book.Settle(w); return err }); err != nil {
			return nil, err
		}
	}
	if err := fillShorts(tx, book); err != nil {
		return nil, err
	}
	if then != nil {
		if err := then(book); err != nil {
			return nil, err
		}
	}
	return book, tx.LedgerSave(book)
}

// fillShorts looks for lines that lack units of what the book touched, where there are units to give. An item that is sold out is not
// asked about: tens of thousands may be waiting for it.
func fillShorts(tx *store.Tx, book *stock.Book) error {
	var free []string
	for _, item := range book.Touched() {
		if len(book.Available(item)) > 0 {
			free = append(free, item)
		}
	}
	shorts, err := tx.ReservationsShort(free)
	if err != nil || len(shorts) == 0 {
		return err
	}
	book.Load(nil, shorts)
	for _, item := range free {
		book.FillShorts(item)
	}
	return nil
}

func ordersOf(wants []stock.Want) []string {
	out := make([]string, len(wants))
	for i, w := range wants {
		out[i] = w.OrderID
	}
	return unique(out)
}

func itemsOf(wants []stock.Want) []string {
	seen := map[string]bool{}
	var out []string
	for _, w := range wants {
		if !seen[w.ItemID] {
			seen[w.ItemID] = true
			out = append(out, w.ItemID)
		}
	}
	return out
}

// demand is what an order asks of items now.
func (c *catalogue) demand(o *order.Order) []stock.Want {
	ws, _ := c.wants(o, nil)
	return ws
}
