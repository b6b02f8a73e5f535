package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// keptEvery is how often the stock that logistics providers keep is read: they count by the hour, and a reading costs a page for each hundred items.
	keptEvery = 15 * time.Minute
	// keptLook is how often it is looked whether that time has come.
	keptLook = 30 * time.Second
	// keptPages and keptItems bound a reading, keptShown the differences that are kept of it, the largest first.
	keptPages, keptItems, keptShown = 1_000, 100_000, 500
	// keptCall bounds one reading.
	keptCall = 5 * time.Minute
	// keptFresh is how old a reading may be whose differences are taken over.
	keptFresh = time.Hour

	keptSetting = "kept." // and the node: KeptStock
)

// KeptStock is what a logistics provider said last of the stock at a node, beside the ledger.
type KeptStock struct {
	Node    string     `json:"node"`
	At      time.Time  `json:"at"`               // when it was read, or tried
	Failed  string     `json:"failed,omitzero"`  // why it could not be read; what is below is of the reading before
	Read    time.Time  `json:"read,omitzero"`    // the last that was read
	Items   int64      `json:"items,omitzero"`   // compared
	Moving  int64      `json:"moving,omitzero"`  // not compared: the ledger moved while it was read
	Unknown int64      `json:"unknown,omitzero"` // SKUs of the provider that no item has
	Untold  int64      `json:"untold,omitzero"`  // items the ledger has there and the provider says nothing of
	Units   int64      `json:"units,omitzero"`   // the sum of all differences, without their signs
	Differ  int64      `json:"differ,omitzero"`  // items that differ
	Diffs   []KeptDiff `json:"diffs,omitempty"`  // the largest, at most keptShown
}

// KeptDiff is an item of which a provider has another number than the ledger.
type KeptDiff struct {
	Item    string `json:"item"`
	Theirs  int64  `json:"theirs"`           // on hand, as the provider says
	Ours    int64  `json:"ours"`             // on hand in the ledger
	Shipped int64  `json:"shipped,omitzero"` // of ours: left there already, as the provider says, and not yet as the channel says
	Version int64  `json:"version"`          // of the ledger's balance
}

// Off is by how much the ledger must change to be as the provider says, once what has left there is booked.
func (d KeptDiff) Off() int64 { return d.Theirs - (d.Ours - d.Shipped) }

// keptLoop reads the stock providers keep, in the process with the scheduler's lease.
func (x *Ops) keptLoop() {
	x.keepingHouse(keptLook, func() {
		nodes, err := x.keptDue(x.ctx)
		x.complain(err, "it could not be looked whose stock is to be read")
		for _, n := range nodes {
			if _, err := x.ReadKept(x.ctx, n); err != nil && x.ctx.Err() == nil {
				x.log.Warn("the stock a provider keeps is not read", "node", n, "err", err)
			}
		}
	})
}

// keptDue are the nodes whose provider is to be asked.
func (x *Ops) keptDue(ctx context.Context) (out []string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out = nil
		nodes, err := tx.Nodes()
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Kind != network.ThreePL || n.Account == "" || !n.Active {
				continue
			}
			k, _, err := keptStockOf(tx, n.ID)
			if err != nil {
				return err
			}
			if x.now().Sub(k.At) >= keptEvery {
				out = append(out, n.ID)
			}
		}
		return nil
	})
	return out, err
}

// keptStockOf reads what was said last of a node; false: nothing yet.
func keptStockOf(tx *store.Tx, node string) (k KeptStock, found bool, err error) {
	text, found, err := tx.SettingGet(keptSetting + node)
	if err == nil && found && json.Unmarshal([]byte(text), &k) != nil {
		return KeptStock{}, false, nil // a newer program's: it is read anew
	}
	return k, found, err
}

// ReadKept asks the provider of a node what it has there, compares it with the ledger, and keeps the differences. Errors: NotFound, Invalid (no provider
// keeps stock there, or another node shares its account), and driver errors; then why is kept.
func (x *Ops) ReadKept(ctx context.Context, node string) (KeptStock, error) {
	ctx, cancel := context.WithTimeout(ctx, keptCall)
	defer cancel()
	at := x.now()
	k, err := x.readKept(ctx, node)
	if ctx.Err() != nil && err != nil && x.ctx.Err() != nil {
		return k, err
	}
	save := x.st.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err != nil {
			was, _, err := keptStockOf(tx, node)
			if err != nil {
				return err
			}
			k = was
		}
		k.Node, k.At, k.Failed = node, at, ""
		if err != nil {
			k.Failed = sentence(err)
		} else {
			k.Read = at
		}
		return tx.SettingSet(keptSetting+node, string(jsonOf(k)))
	})
	x.live.notify(view.TopicNode, view.TopicNode+":"+node)
	if err == nil {
		err = save
	}
	return k, errs.Wrap("ops.ReadKept", node, err)
}

func (x *Ops) readKept(ctx context.Context, node string) (k KeptStock, err error) {
	account, err := x.keeperOf(ctx, node)
	if err != nil {
		return k, err
	}
	before, err := x.balancesAt(ctx, node)
	if err != nil {
		return k, err
	}
	f, err := x.freight(ctx, account)
	if err != nil {
		return k, err
	}
	theirs := map[string]int64{}
	cursor, cat := "", x.catalog.Load()
	for range keptPages {
		page, keeps, err := f.Stock(ctx, cursor)
		if err == nil && !keeps {
			err = errs.New(errs.Invalid, "ops.ReadKept", node, "%s does not tell what it has in stock", f.Carrier().Title)
		}
		if err != nil {
			return k, err
		}
		k.Unknown += sumKept(theirs, page.Items, cat)
		if cursor = page.Next; cursor == "" || len(theirs) > keptItems {
			break
		}
	}
	if cursor != "" {
		return k, errs.New(errs.Busy, "ops.ReadKept", node, "the provider has more than %d items or %d pages of stock", keptItems, keptPages)
	}
	after, err := x.balancesAt(ctx, node)
	if err != nil {
		return k, err
	}
	left, err := x.leftThere(ctx, node, theirs, after)
	if err != nil {
		return k, err
	}
	compareKept(&k, theirs, before, after, left)
	return k, nil
}

// sumKept adds a page to what a provider has of each item, over its places, and returns how many SKUs no item has.
func sumKept(theirs map[string]int64, items []driver.Kept, cat *catalogue) (unknown int64) {
	for _, i := range items {
		id, known := cat.bySKU[i.SKU]
		if !known {
			unknown++
			continue
		}
		theirs[id] += i.OnHand
	}
	return unknown
}

// compareKept works out the differences. What moved in the ledger while the provider was asked is left to the next reading: nobody knows which of the two
// numbers is the older.
func compareKept(k *KeptStock, theirs map[string]int64, before, after map[string]stock.Balance, left map[string]int64) {
	for item, n := range theirs {
		b := after[item]
		if before[item].Version != b.Version {
			k.Moving++
			continue
		}
		k.Items++
		d := KeptDiff{Item: item, Theirs: n, Ours: b.OnHand, Shipped: left[item], Version: b.Version}
		if off := d.Off(); off != 0 {
			k.Differ, k.Units = k.Differ+1, k.Units+max(off, -off)
			k.Diffs = append(k.Diffs, d)
		}
	}
	for item, b := range after {
		if _, told := theirs[item]; !told && b.OnHand != 0 {
			k.Untold++
		}
	}
	slices.SortFunc(k.Diffs, func(a, b KeptDiff) int {
		return cmp.Or(cmp.Compare(max(b.Off(), -b.Off()), max(a.Off(), -a.Off())), cmp.Compare(a.Item, b.Item))
	})
	k.Diffs = k.Diffs[:min(len(k.Diffs), keptShown)]
}

// keeperOf is the account of the provider that keeps a node's stock. Errors: NotFound, Invalid.
func (x *Ops) keeperOf(ctx context.Context, node string) (account string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		nodes, err := tx.Nodes()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(nodes, func(n store.Node) bool { return n.ID == node })
		if i < 0 {
			return errs.New(errs.NotFound, "ops.ReadKept", node, "nothing is said of this node")
		}
		if account = nodes[i].Account; nodes[i].Kind != network.ThreePL || account == "" {
			return errs.New(errs.Invalid, "ops.ReadKept", node, "no logistics provider with an account keeps its stock")
		}
		for _, n := range nodes {
			if n.ID != node && n.Active && n.Kind == network.ThreePL && n.Account == account {
				return errs.New(errs.Invalid, "ops.ReadKept", node, "%s has the same account: which of the two a unit is at cannot be told", n.Name)
			}
		}
		return nil
	})
	return account, err
}

// balancesAt is what the ledger has at a node, by item.
func (x *Ops) balancesAt(ctx context.Context, node string) (map[string]stock.Balance, error) {
	var out map[string]stock.Balance
	err := x.st.View(ctx, func(tx *store.Tx) error {
		out = map[string]stock.Balance{}
		return tx.BalancesAll(func(b stock.Balance) bool {
			if b.LocationID == node {
				out[b.ItemID] = b
			}
			return true
		})
	})
	return out, err
}

// leftThere is how many units of the items that differ the provider has shipped, as it says, that the ledger still holds there: the channel has not said
// yet that they left. Parcels that were released to it and are not shipped are on hand in both.
func (x *Ops) leftThere(ctx context.Context, node string, theirs map[string]int64, ours map[string]stock.Balance) (map[string]int64, error) {
	var differ []string
	for item, n := range theirs {
		if b := ours[item]; b.OnHand > n && b.Reserved > 0 {
			differ = append(differ, item)
		}
	}
	slices.Sort(differ)
	out := map[string]int64{}
	for part := range chunks(differ, resultBatch) {
		err := x.st.View(ctx, func(tx *store.Tx) error {
			held, err := tx.ReservationsHolding(part...)
			if err != nil {
				return err
			}
			return leftOf(tx, node, held, out)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// leftOf adds what of some reservations at a node the provider has shipped.
func leftOf(tx *store.Tx, node string, held []stock.Reservation, out map[string]int64) error {
	held = slices.DeleteFunc(held, func(r stock.Reservation) bool { return r.LocationID != node || r.Held == 0 })
	var orders []string
	for _, r := range held {
		orders = append(orders, r.OrderID)
	}
	for ids := range chunks(unique(orders), resultBatch) {
		rows, err := tx.ShipmentsOf(ids...)
		if err != nil {
			return err
		}
		gone := map[[3]string]int64{} // by order, line and item
		for i := range rows {
			s := &rows[i]
			if s.Node != node || s.Way != shipping.ByProvider || !s.Stopped.IsZero() && !s.Shipped() || s.Label.Tracking == "" && !s.Shipped() {
				continue
			}
			for _, l := range s.Lines {
				gone[[3]string{l.OrderID, l.Key, l.ItemID}] += l.Qty
			}
		}
		for _, r := range held {
			if slices.Contains(ids, r.OrderID) {
				out[r.ItemID] += min(r.Held, gone[[3]string{r.OrderID, r.LineID, r.ItemID}])
			}
		}
	}
	return nil
}

// TakeKept books the differences of a node's last reading, each as a count with who took it over: the ledger is then as the provider says. An item that moved
// since is left out, since the difference may be gone; the next reading finds it. Doing it again changes nothing. It returns how many items were booked and
// left out. Errors: NotFound, Conflict (the reading is too old, or there is a newer one).
func (x *Ops) TakeKept(ctx context.Context, node string, read time.Time, actor string) (taken, skipped int64, err error) {
	const op = "ops.TakeKept"
	var k KeptStock
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		var found bool
		if k, found, err = keptStockOf(tx, node); err == nil && !found {
			err = errs.New(errs.NotFound, op, node, "its stock was not read yet")
		}
		return err
	})
	switch {
	case err != nil:
		return 0, 0, err
	case !k.Read.Equal(read):
		return 0, 0, errs.New(errs.Conflict, op, node, "it was read again meanwhile: look at the differences anew")
	case x.now().Sub(k.Read) > keptFresh:
		return 0, 0, errs.New(errs.Conflict, op, node, "the reading is of %s: read the stock again first", utcTime(k.Read))
	}
	var touched []string
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		taken, skipped, touched = 0, 0, nil
		var items []string
		for _, d := range k.Diffs {
			items = append(items, d.Item)
		}
		now, err := tx.BalancesForUpdate(items)
		if err != nil {
			return err
		}
		var counts []Count
		for _, d := range k.Diffs {
			i := slices.IndexFunc(now, func(b stock.Balance) bool { return b.ItemID == d.Item && b.LocationID == node })
			if i < 0 && d.Version != 0 || i >= 0 && now[i].Version != d.Version {
				skipped++
				continue
			}
			taken++
			counts = append(counts, Count{OnHand: d.Theirs + d.Shipped, Movement: stock.Movement{ID: "kept/" + node + "/" + d.Item + "/" + k.Read.UTC().Format(time.RFC3339Nano), At: k.Read,
				Kind: stock.Count, ItemID: d.Item, LocationID: node, Reason: "as the logistics provider counts"}})
		}
		touched, err = moveIn(tx, actor, nil, counts)
		return err
	})
	if err != nil {
		return 0, 0, errs.Wrap(op, node, err)
	}
	x.changed(touched...)
	x.live.notify(view.TopicNode, view.TopicNode+":"+node)
	return taken, skipped, nil
}
