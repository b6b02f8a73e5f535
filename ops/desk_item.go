package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// itemRows are a page of the list of items.
	itemRows = 50
	// journalRows are a page of an item's journal.
	journalRows = 50
)

// Items is a page of items whose SKU, title or barcode holds the query.
func (d *Desk) Items(ctx context.Context, query, after string) (view.ItemList, error) {
	v := view.ItemList{Query: query, Total: -1}
	cat := d.x.catalog.Load()
	err := d.look(ctx, "ops.Items", "", func(tx *store.Tx) error {
		items, err := tx.ItemList(after, itemRows+1, query)
		if err != nil {
			return err
		}
		if len(items) > itemRows {
			items = items[:itemRows]
			v.Next = items[itemRows-1].SKU
		} else if after == "" {
			v.Total = int64(len(items))
		}
		if query == "" {
			v.Total = int64(len(cat.items))
		}
		v.Rows, err = d.itemRows(tx, cat, items)
		return err
	})
	return v, err
}

// itemRows works the rows out from the database as it is, so that what was just done is seen.
func (d *Desk) itemRows(tx *store.Tx, cat *catalogue, items []catalog.Item) ([]view.ItemRow, error) {
	var problems []string
	for _, it := range items {
		if p, ok := cat.problem[it.ID]; ok {
			problems = append(problems, p)
		}
	}
	problems = unique(problems)
	facts := map[string]itemFacts{}
	for _, p := range problems {
		s, err := d.suppose(tx, p)
		if err != nil {
			return nil, err
		}
		s.gather(facts)
	}
	out := make([]view.ItemRow, 0, len(items))
	for _, it := range items {
		f := facts[it.ID]
		sum, _ := sumOf(f.held)
		row := view.ItemRow{ID: it.ID, SKU: it.SKU, Title: it.Title, OnHand: sum.OnHand, Reserved: sum.Reserved, Damaged: sum.Damaged, Available: f.available(it, facts),
			Exposed: f.exposed, Short: f.short, Listings: int64(len(cat.byItem[it.ID])), Wrong: f.wrong, Mode: string(cmp.Or(f.line.Mode, allocation.Guarded)), Bundle: it.Bundle()}
		row.Level, _ = judgePromise(f.now())
		out = append(out, row)
	}
	return out, nil
}

// itemFacts is what a supposition says of one item.
type itemFacts struct {
	held    []stock.Balance
	short   int64
	line    allocation.ItemLine
	exposed int64
	wrong   int64
	lists   int64
}

// gather adds the facts of every item of the problem.
func (s supposition) gather(into map[string]itemFacts) allocation.Report {
	in := s.input(s.problem)
	report := allocation.NewReport(in, s.books, allocation.Targets(in, s.books, s.at), s.at)
	for _, id := range s.cat.members[s.problem] {
		f := itemFacts{held: s.held[id], short: s.short[id]}
		for _, listing := range s.cat.byItem[id] {
			b, open := s.books[listing]
			f.exposed += int64(max(0, b.Exposure)) * s.cat.perUnit(listing, id)
			f.lists++
			if s.cat.listings[listing].Active && (!open || b.InFlight != nil || len(b.Ghosts) > 0) {
				f.wrong++
			}
		}
		for _, line := range report.Items {
			if line.Item == id {
				f.line, f.exposed = line, int64(line.Exposed)
			}
		}
		into[id] = f
	}
	return report
}

// available is what may be promised of an item; of a bundle, how many can be made of its parts.
func (f itemFacts) available(it catalog.Item, all map[string]itemFacts) int64 {
	if it.Bundle() {
		return catalog.Sellable(it, func(part string) int64 { return int64(all[part].line.Promisable) })
	}
	return int64(f.line.Promisable)
}

// now is the facts as the survey keeps them.
func (f itemFacts) now() itemNow {
	sum, _ := sumOf(f.held)
	return itemNow{onHand: sum.OnHand, reserved: sum.Reserved, damaged: sum.Damaged, short: f.short, available: int64(f.line.Promisable), buffer: int64(f.line.Buffer),
		exposed: f.exposed, free: int64(f.line.Free), listings: f.lists, wrong: f.wrong, mode: cmp.Or(f.line.Mode, allocation.Guarded)}
}

// Item is everything we think about one item, or thought at a moment of the past. Errors: NotFound.
func (d *Desk) Item(ctx context.Context, id string, asOf *time.Time, before int64) (view.ItemPage, error) {
	it, cat, err := d.itemOf("ops.Item", id)
	if err != nil {
		return view.ItemPage{}, err
	}
	v := view.ItemPage{ID: it.ID, SKU: it.SKU, Title: it.Title, Barcode: it.Barcode}
	for _, l := range cat.locations {
		if l.Active && l.Kind != stock.FBT && l.Kind != stock.Transit {
			v.Locations = append(v.Locations, view.Option{ID: l.ID, Label: cmp.Or(l.Name, l.ID)})
		}
	}
	err = d.look(ctx, "ops.Item", it.ID, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		v.At = tx.Now()
		if asOf != nil && asOf.Before(v.At) {
			v.At, v.AsOf = asOf.UTC(), true
			return d.itemThen(tx, cat, ch, &v, before)
		}
		return d.itemNow(tx, cat, ch, it, &v, before)
	})
	return v, err
}

// itemThen is what we thought at v.At, by what was recorded up to then.
func (d *Desk) itemThen(tx *store.Tx, cat *catalogue, ch channels, v *view.ItemPage, before int64) error {
	rows, err := tx.BalanceAsOf(v.ID, v.At)
	if err != nil {
		return err
	}
	v.Balances, v.Total = balances(cat, ch, rows, 0)
	v.Promise = view.Promise{ItemID: v.ID, SKU: v.SKU, Title: v.Title, Available: v.Total.Available, Free: v.Total.Available}
	last, err := tx.MovementSeqAt(v.At)
	if err != nil {
		return err
	}
	if before == 0 || before > last+1 {
		before = last + 1
	}
	return d.journal(tx, cat, v, before)
}

// itemNow is what is true now.
func (d *Desk) itemNow(tx *store.Tx, cat *catalogue, ch channels, it catalog.Item, v *view.ItemPage, before int64) error {
	problem, ok := cat.problem[it.ID]
	if !ok {
		return errs.New(errs.Unavailable, "ops.Item", it.ID, "The item is being taken up; look again in a moment.")
	}
	s, err := d.suppose(tx, problem)
	if err != nil {
		return err
	}
	facts := map[string]itemFacts{}
	report := s.gather(facts)
	f := facts[it.ID]
	v.Balances, v.Total = balances(cat, ch, f.held, f.short)
	v.Promise = d.itemPromise(s, it, f, ch)
	v.Promise.Available = f.available(it, facts)
	v.Listings = d.listings(s, report, it.ID, ch)
	for _, c := range it.Components {
		part := cat.items[c.ItemID]
		v.Components = append(v.Components, view.Component{ItemID: c.ItemID, SKU: part.SKU, Title: part.Title, Qty: c.Qty, Available: int64(facts[c.ItemID].line.Promisable)})
	}
	v.PartOf = partOf(cat, it.ID, facts)
	if v.Holds, err = d.holdsOfItem(tx, ch, it.ID); err != nil {
		return err
	}
	if v.Drift, err = d.drift(tx, func(listing string) bool { return slices.Contains(cat.byItem[it.ID], listing) }); err != nil {
		return err
	}
	return d.journal(tx, cat, v, before)
}

// partOf are the bundles that consume an item: they are of its problem.
func partOf(cat *catalogue, item string, facts map[string]itemFacts) []view.Component {
	var out []view.Component
	for _, id := range cat.members[cat.problem[item]] {
		bundle := cat.items[id]
		for _, c := range bundle.Components {
			if c.ItemID == item {
				out = append(out, view.Component{ItemID: id, SKU: bundle.SKU, Title: bundle.Title, Qty: c.Qty, Available: facts[id].available(bundle, facts)})
			}
		}
	}
	return out
}

// balances are an item's rows with their sum. short stands on the first, since no location has it.
func balances(cat *catalogue, ch channels, rows []stock.Balance, short int64) ([]view.Balance, view.Balance) {
	total := view.Balance{Location: "All locations", Short: short}
	var out []view.Balance
	for _, b := range rows {
		l, _ := cat.location(b.LocationID)
		row := view.Balance{LocationID: b.LocationID, Location: cat.locationName(b.LocationID), Kind: string(l.Kind), OnHand: b.OnHand, Reserved: b.Reserved, Damaged: b.Damaged,
			Available: b.ATP(), Serves: servesText(l, ch)}
		total.OnHand, total.Reserved, total.Damaged, total.Available = total.OnHand+b.OnHand, total.Reserved+b.Reserved, total.Damaged+b.Damaged, total.Available+b.ATP()
		out = append(out, row)
	}
	return out, total
}

// servesText says whom the units at a location may be promised to.
func servesText(l stock.Location, ch channels) string {
	switch {
	case !l.Active:
		return "nobody: the location is closed"
	case l.Kind == stock.Transit || l.Kind == stock.Returns:
		return "nobody until they are put away"
	case len(l.Serves) > 0:
		var names []string
		for _, id := range l.Serves {
			names = append(names, ch.of(id))
		}
		return and(names)
	case !serves(l):
		return "nobody"
	}
	return "all channels"
}

// itemPromise is the item's available stock and who may still sell how much of it.
func (d *Desk) itemPromise(s supposition, it catalog.Item, f itemFacts, ch channels) view.Promise {
	books := map[string]bookNow{}
	for _, id := range s.cat.byItem[it.ID] {
		if b, open := s.books[id]; open {
			told := int64(b.Told)
			books[id] = bookNow{told: &told, exposure: int64(max(0, b.Exposure)), desired: int64(desired(b)), open: b.InFlight != nil || len(b.Ghosts) > 0}
		}
	}
	sold := d.x.gauges.sales.lastMinute(s.at)
	now := f.now()
	for _, id := range s.cat.byItem[it.ID] {
		now.sold += sold[id] * s.cat.perUnit(id, it.ID)
	}
	p := promiseOf(s.cat, it.ID, now, books, sold)
	for i := range p.Parts {
		p.Parts[i].Channel = ch.of(p.Parts[i].ConnectionID)
	}
	return p
}

// journal fills in a page of the journal, newest first.
func (d *Desk) journal(tx *store.Tx, cat *catalogue, v *view.ItemPage, before int64) error {
	rows, err := tx.MovementsOfItem(v.ID, before, journalRows+1)
	if err != nil {
		return err
	}
	if len(rows) > journalRows {
		rows = rows[:journalRows]
		v.NextSeq = rows[journalRows-1].Seq
	}
	ids := make([]string, len(rows))
	for i, m := range rows {
		ids[i] = m.ID
	}
	reversed, err := tx.MovementReversals(ids)
	for _, m := range rows {
		x := view.Movement{ID: m.ID, Seq: m.Seq, At: m.At, RecordedAt: m.RecordedAt, Kind: string(m.Kind), LocationID: m.LocationID, Location: cat.locationName(m.LocationID),
			OnHand: m.OnHand, Reserved: m.Reserved, Damaged: m.Damaged, OnHandAfter: m.OnHandAfter, ReservedAfter: m.ReservedAfter, DamagedAfter: m.DamagedAfter,
			Text: m.Ref, Reason: m.Reason, Actor: whoMoved(m.Actor), Reverses: m.Reverses, ReversedBy: reversed[m.ID]}
		if id, ours := strings.CutPrefix(m.Ref, reservePrefix); ours {
			x.Text = "reservation " + id
		} else if !m.Kind.Physical() && m.Ref != "" {
			x.Text, x.Ref = "order "+afterColon(m.Ref), view.Ref{Kind: view.KindOrder, ID: m.Ref}
		}
		if m.Reverses != "" {
			x.Text = strings.TrimSpace("takes back a " + string(m.Kind) + " " + m.Ref)
		}
		v.Journal = append(v.Journal, x)
	}
	return err
}

func afterColon(id string) string {
	_, rest, found := strings.Cut(id, ":")
	if !found {
		return id
	}
	return rest
}
