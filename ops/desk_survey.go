package ops

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// surveyEvery is how often all balances and exposures are read while somebody looks.
	surveyEvery = 500 * time.Millisecond
	// hotItems are shown on the overview.
	hotItems = 6
	// soon and a half day are the steps in which open orders are counted by their slack.
	soon = time.Hour
	// endsSoon is when stock that sells out at the present pace is worth a word.
	endsSoon = 10 * time.Minute
)

// bookMarks are what a stored exposure book holds while a push is on its way, or of unknown fate.
var bookMarks = [2]string{`"in_flight":{`, `"ghosts":[`}

// survey is every item's stock and promises at one moment: one snapshot of the database, so its sums agree.
type survey struct {
	at       time.Time
	items    map[string]itemNow
	books    map[string]bookNow
	truth    view.Truth
	wrong    map[string]int64 // by connection: listings with a push on its way or in doubt, or not read yet
	listings map[string]int64 // by connection
	unmapped map[string]int64 // by connection: listings without an item
	slack    view.DueCount
	open     int64
	byStatus []store.SlackCount
	over     []string // guarded items of which more may be sold than there is
	broken   []string // balances that cannot be
	shared   int64    // units shared items may oversell
	balances int
	parked   int64
	byHand   []store.ShipmentCount // what a person sends to providers, by node
	hot      []view.Promise
}

// itemNow is one item's figures, in units.
type itemNow struct {
	onHand, reserved, damaged, short int64
	available, buffer, exposed, free int64 // by the rules of allocation, stock kept by platforms left out
	listings, wrong, sold            int64
	mode                             allocation.Mode
}

// bookNow is one listing's figures, in units of the listing.
type bookNow struct {
	told     *int64
	exposure int64
	desired  int64
	open     bool // a push is on its way or in doubt
}

// survey returns the latest one.
func (d *Desk) survey(ctx context.Context) (survey, error) {
	s, _, err := d.surveyed.get(ctx, d.x.ctx, d.x.now, surveyEvery, d.lookAround)
	return s, err
}

func (d *Desk) lookAround(ctx context.Context) (survey, error) {
	cat := d.x.catalog.Load()
	v := survey{items: map[string]itemNow{}, books: map[string]bookNow{}, wrong: map[string]int64{}, listings: map[string]int64{}, unmapped: map[string]int64{}}
	s := snapshot{cat: cat, held: map[string][]stock.Balance{}, short: map[string]int64{}, books: allocation.Books{}, wires: &d.x.wires}
	err := d.count(ctx, func(tx *store.Tx) error {
		v.at = tx.Now()
		if err := v.readStock(tx, s); err != nil {
			return err
		}
		if err := tx.BookNumbers(bookMarks, func(b store.BookNumber) bool {
			v.books[b.ListingID] = bookNow{told: b.Told, exposure: b.Exposure, desired: b.Desired, open: b.Open}
			s.books[b.ListingID] = allocation.Book{Listing: b.ListingID, Exposure: int(b.Exposure)}
			return true
		}); err != nil {
			return err
		}
		counts, err := tx.ShipmentCounts()
		if err != nil {
			return err
		}
		v.byHand = slices.DeleteFunc(counts, func(c store.ShipmentCount) bool { return c.Step != shipping.Send })
		return v.readOrders(tx, d.home)
	})
	if err != nil {
		return v, err
	}
	if err := d.x.st.ViewInbox(ctx, v.readInbox); err != nil {
		return v, err
	}
	v.countListings(cat)
	sold := d.x.gauges.sales.lastMinute(v.at)
	for problem := range cat.members {
		v.judge(s, problem, sold)
	}
	v.sum(cat)
	v.findHot(cat, sold)
	return v, nil
}

func (v *survey) readStock(tx *store.Tx, s snapshot) error {
	if err := tx.BalancesAll(func(b stock.Balance) bool {
		s.held[b.ItemID] = append(s.held[b.ItemID], b)
		it := v.items[b.ItemID]
		it.onHand, it.reserved, it.damaged = it.onHand+b.OnHand, it.reserved+b.Reserved, it.damaged+b.Damaged
		v.items[b.ItemID] = it
		v.balances++
		v.truth.Movements += b.Version // a balance's version is the number of its movements
		if b.Reserved < 0 || b.Damaged < 0 || b.Reserved+b.Damaged > b.OnHand {
			v.broken = append(v.broken, b.ItemID)
		}
		return true
	}); err != nil {
		return err
	}
	rows, err := tx.ShortByItem()
	for _, r := range rows {
		it := v.items[r.ItemID]
		it.short = r.Short
		v.items[r.ItemID] = it
		s.short[r.ItemID] = r.Owed
	}
	return err
}

// readOrders counts open orders by their slack.
func (v *survey) readOrders(tx *store.Tx, home *time.Location) error {
	statuses := make([]string, len(openStatuses))
	for i, s := range openStatuses {
		statuses[i] = string(s)
	}
	now := tx.Now()
	y, m, day := now.In(home).Date()
	rows, err := tx.OrderSlack(statuses, now, now.Add(soon), time.Date(y, m, day+1, 0, 0, 0, 0, home))
	if err != nil {
		return err
	}
	v.byStatus = rows
	for _, r := range rows {
		v.open += r.All
		v.slack.Late += r.Late
		v.slack.Hour += r.Soon
		v.slack.Today += r.Today
		v.slack.Later += r.All - r.Late - r.Soon - r.Today
	}
	return nil
}

// readInbox counts the messages that wait for a person.
func (v *survey) readInbox(tx *store.InboxTx) error {
	n, err := tx.InboxCounts()
	v.parked = n[store.InboxParked]
	return err
}

func (v *survey) countListings(cat *catalogue) {
	for id, l := range cat.listings {
		v.listings[l.ConnectionID]++
		b, open := v.books[id]
		switch {
		case l.ItemID == "":
			v.unmapped[l.ConnectionID]++
		case l.Active && (!open || b.open):
			v.wrong[l.ConnectionID]++
		}
	}
}

// judge applies the rules of allocation to the items of a problem.
func (v *survey) judge(s snapshot, problem string, sold map[string]int64) {
	in := s.input(problem)
	for _, line := range allocation.NewReport(in, s.books, nil, v.at).Items {
		it := v.items[line.Item]
		it.mode = line.Mode
		it.available, it.buffer = int64(line.Promisable), int64(line.Buffer)
		it.exposed, it.free = int64(line.Exposed), int64(line.Free)
		v.items[line.Item] = it
		if over := line.Exposed - max(0, line.Promisable); over > 0 && line.Mode == allocation.Shared {
			v.shared += int64(over)
		} else if over > 0 {
			v.over = append(v.over, line.Item)
		}
	}
	for _, item := range s.cat.members[problem] {
		it := v.items[item]
		for _, id := range s.cat.byItem[item] {
			l := s.cat.listings[id]
			it.listings++
			if b, open := v.books[id]; l.Active && (!open || b.open) {
				it.wrong++
			}
			it.sold += sold[id] * s.cat.perUnit(id, item)
		}
		if it.mode == "" {
			it.mode = allocation.Guarded
		}
		v.items[item] = it
	}
}

// perUnit is how many units of an item one unit of a listing takes.
func (c *catalogue) perUnit(listing, item string) int64 {
	for _, part := range c.consumes(c.listings[listing]) {
		if part.ItemID == item {
			return part.Qty
		}
	}
	return 0
}

func (v *survey) sum(cat *catalogue) {
	v.truth.Items = int64(len(cat.items))
	for _, it := range v.items {
		t := &v.truth
		t.OnHand, t.Reserved, t.Damaged = t.OnHand+it.onHand, t.Reserved+it.reserved, t.Damaged+it.damaged
		t.Exposed, t.Buffer, t.Short = t.Exposed+it.exposed, t.Buffer+it.buffer, t.Short+it.short
	}
	v.truth.Available = v.truth.OnHand - v.truth.Reserved - v.truth.Damaged
	slices.Sort(v.over)
}

// findHot picks the items that need an eye first: those promised beyond what is there, then those that sell the greatest part of
// their stock, then those whose stock is promised most.
func (v *survey) findHot(cat *catalogue, sold map[string]int64) {
	type ranked struct {
		id          string
		over        int64
		sells, part float64
	}
	var all []ranked
	for id, it := range v.items {
		if it.listings == 0 || (it.available <= 0 && it.exposed == 0 && it.sold == 0 && it.short == 0) {
			continue
		}
		stock := float64(max(1, it.available))
		all = append(all, ranked{id: id, over: it.short + max(0, it.exposed-max(0, it.available)), sells: float64(it.sold) / stock, part: float64(it.exposed+it.buffer) / stock})
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.over, a.over), cmp.Compare(b.sells, a.sells), cmp.Compare(b.part, a.part), cmp.Compare(a.id, b.id))
	})
	for _, r := range all[:min(hotItems, len(all))] {
		v.hot = append(v.hot, promiseOf(cat, r.id, v.items[r.id], v.books, sold))
	}
}

// promise is an item's available stock with who may sell how much of it. Channel names are filled in by who knows them.
func promiseOf(cat *catalogue, id string, it itemNow, books map[string]bookNow, sold map[string]int64) view.Promise {
	item := cat.items[id]
	p := view.Promise{ItemID: id, SKU: item.SKU, Title: item.Title, Available: it.available, Buffer: it.buffer, Free: it.free, Mode: string(it.mode), LastMin: it.sold}
	for _, listing := range cat.byItem[id] {
		l, per := cat.listings[listing], cat.perUnit(listing, id)
		b, open := books[listing]
		if !open || per == 0 || l.Mode == "platform" {
			continue
		}
		part := view.Part{ListingID: listing, ConnectionID: l.ConnectionID, Exposure: b.exposure * per, LastMin: sold[listing] * per}
		if b.told != nil {
			n := *b.told * per
			part.Told = &n
		}
		part.Desired = b.desired * per
		p.Parts = append(p.Parts, part)
	}
	p.Level, p.Text = judgePromise(it)
	return p
}

// within says when something foreseen comes: no finer than it can be foreseen.
func within(left time.Duration) string {
	if left < time.Minute {
		return "within a minute"
	}
	return "in about " + lasting(left)
}

// judgePromise says what is wrong or soon will be with an item.
func judgePromise(it itemNow) (view.Level, string) {
	over := it.exposed - max(0, it.available)
	switch {
	case it.short > 0:
		return view.Bad, unitsOf(it.short) + " promised and not there"
	case over > 0 && it.mode == allocation.Shared:
		return view.Watch, unitsOf(over) + " could be sold twice: the item is shared"
	case over > 0:
		return view.Bad, "channels may sell " + unitsOf(over) + " more than there are"
	case it.available <= 0 && it.listings > 0 && it.onHand > 0:
		return view.Watch, "sold out"
	case it.sold > 0 && it.available > 0:
		if left := time.Duration(float64(it.available) / float64(it.sold) * float64(time.Minute)); left < endsSoon {
			return view.Watch, "sold out " + within(left) + " at this pace"
		}
	}
	return view.Quiet, ""
}
