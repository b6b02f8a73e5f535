package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// openWaves is how many waves of a node are shown: more than a floor walks in a day.
const openWaves = 200

// wavePlan is what a draft would release, with the parcels it is of.
type wavePlan struct {
	waves   []floor.Wave
	parcels map[string]floor.Parcel
	ships   map[string]store.Shipment
}

// unreleased are parcels, up to floorPage and those due first, that wait at a node and are in no wave, at no station and not on the bench, and may ship.
// There may be thousands in waves in front of them.
func unreleased(tx *store.Tx, node string) (out []store.Shipment, err error) {
	for place := (store.ShipmentPlace{}); len(out) < floorPage; {
		page, err := tx.ShipmentsAt(node, shipping.Pack, place, floorPage)
		if err != nil {
			return nil, err
		}
		free, err := releasable(tx, page)
		if err != nil {
			return nil, err
		}
		if out = append(out, free...); len(page) < floorPage {
			break
		}
		place = page[len(page)-1].Place()
	}
	return out[:min(len(out), floorPage)], nil
}

// releasable are those of some parcels that a wave may take.
func releasable(tx *store.Tx, page []store.Shipment) ([]store.Shipment, error) {
	free := slices.DeleteFunc(slices.Clone(page), func(s store.Shipment) bool { return s.Wave != "" || s.Way == shipping.ByProvider })
	var ids, orderIDs []string
	for _, s := range free {
		ids, orderIDs = append(ids, s.ID), append(orderIDs, s.Orders...)
	}
	busy := map[string]bool{}
	claims, err := tx.ClaimsGet(ids...)
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		busy[c.Parcel] = true
	}
	benched, err := tx.TroublesGet(ids...)
	if err != nil {
		return nil, err
	}
	for _, t := range benched {
		busy[t.Shipment] = true
	}
	orders, err := tx.OrdersGet(unique(orderIDs))
	if err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for i := range orders {
		held[orders[i].ID] = heldBack(orders[i:i+1]) != ""
	}
	return slices.DeleteFunc(free, func(s store.Shipment) bool {
		return busy[s.ID] || slices.ContainsFunc(s.Orders, func(id string) bool { return held[id] })
	}), nil
}

// planWaves divides what waits at a node and is not released yet.
func (x *Ops) planWaves(tx *store.Tx, d view.FloorWaveDraft) (wavePlan, error) {
	p := wavePlan{parcels: map[string]floor.Parcel{}, ships: map[string]store.Shipment{}}
	all, err := unreleased(tx, d.Node)
	if err != nil {
		return p, err
	}
	var waiting []floor.Parcel
	for _, s := range all {
		w := floor.Parcel{ID: s.ID, Due: s.Due, Needs: needsOf(&s.Shipment)}
		waiting = append(waiting, w)
		p.parcels[s.ID], p.ships[s.ID] = w, s
	}
	l := floor.Usual
	if d.Parcels > 0 {
		l.Parcels = int(min(d.Parcels, floor.MaxWave))
	}
	if d.Units > 0 {
		l.Units = d.Units
	}
	cat := x.catalog.Load()
	p.waves = floor.Plan(waiting, func(item string) string { return zoneOfBin(cat.binOf(d.Node, item)) }, l)
	return p, nil
}

// zoneOfBin is the part of a bin's code before its first hyphen, as codes such as A-01-03 are made.
func zoneOfBin(code string) string {
	zone, _, ok := strings.Cut(code, "-")
	if !ok {
		return ""
	}
	return zone
}

// ReleaseWaves makes waves of what waits. The same draft id again makes no more. Errors: Invalid, Conflict (nothing waits).
func (x *Ops) ReleaseWaves(ctx context.Context, d view.FloorWaveDraft) ([]string, error) {
	const op = "ops.ReleaseWaves"
	if d.ID == "" || len(d.ID) > maxStation || d.Node == "" {
		return nil, errs.New(errs.Invalid, op, "id", "a release needs an id of its own and a node")
	}
	var ids []string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		ids = nil
		said, again, err := tx.ScanOnce(d.ID)
		if err != nil {
			return err
		}
		if again {
			ids = strings.Fields(strings.Trim(string(said), `"`))
			return nil
		}
		p, err := x.planWaves(tx, d)
		if err != nil {
			return err
		}
		if len(p.waves) == 0 {
			return errs.New(errs.Conflict, op, d.Node, "nothing waits here that is not in a wave already")
		}
		if ids, err = x.releaseIn(tx, d, &p); err != nil {
			return err
		}
		return tx.ScanKeep(d.ID, []byte(`"`+strings.Join(ids, " ")+`"`))
	})
	if err == nil {
		x.live.notify(topicShipments)
	}
	return ids, errs.Wrap(op, d.Node, err)
}

// releaseIn stores waves with their walks.
func (x *Ops) releaseIn(tx *store.Tx, d view.FloorWaveDraft, p *wavePlan) (ids []string, err error) {
	cat := x.catalog.Load()
	var waves []store.FloorWave
	var tasks []store.FloorTask
	var ships []store.Shipment
	for i, w := range p.waves {
		id := fmt.Sprintf("W%s-%d", strings.ToUpper(d.ID[max(0, len(d.ID)-6):]), i+1)
		var ps []floor.Parcel
		for _, s := range w.Parcels {
			ps = append(ps, p.parcels[s])
			ship := p.ships[s]
			ship.Wave = id
			ships = append(ships, ship)
		}
		waves = append(waves, store.FloorWave{ID: id, Node: d.Node, Wave: w, By: d.Actor, At: tx.Now()})
		for k, t := range floor.Tasks(ps, func(item string) string { return cat.binOf(d.Node, item) }) {
			tasks = append(tasks, store.FloorTask{ID: fmt.Sprintf("%s.%d", id, k+1), Wave: id, Place: int64(k + 1), Task: t})
		}
		ids = append(ids, id)
	}
	fresh, err := tx.WavesAdd(waves, tasks)
	if err != nil {
		return nil, err
	}
	if len(fresh) != len(waves) {
		return nil, errs.New(errs.Conflict, "ops.ReleaseWaves", d.ID, "this id was used for other waves; open the page again")
	}
	return ids, tx.ShipmentsSave(ships)
}

// PickScan confirms a bin: the item scanned, and how many (0: one). The command for short says that the bin holds no more: those due first keep what
// was picked, the others go to the bench and are routed again.
func (x *Ops) PickScan(ctx context.Context, s view.Scan) (view.ScanAnswer, error) {
	return x.scanOnce(ctx, "ops.PickScan", s, func(f *floorScan) (view.ScanAnswer, error) {
		wave, err := f.tx.WaveGet(s.Wave)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		f.s.Node = wave.Node
		tasks, err := f.tx.WalksOf(s.Wave)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		at := slices.IndexFunc(tasks, func(t store.FloorTask) bool { return t.Left() > 0 })
		if at < 0 {
			return refuse("This wave is picked. Bring it to a pack station."), f.finish(&wave, tasks) // what was left of it may have been cancelled
		}
		if f.s.Text == codeShort {
			return f.runOut(&wave, &tasks[at])
		}
		n, code := floor.Times(f.s.Text)
		if f.s.Qty > 0 {
			n = f.s.Qty
		}
		if !f.is(code, tasks[at].Item) {
			// Another bin of the walk may be done first: the picker stands there.
			other := slices.IndexFunc(tasks, func(t store.FloorTask) bool { return t.Left() > 0 && f.is(code, t.Item) })
			if other < 0 {
				return refuse("Wrong item. Expected: " + f.cat.called(tasks[at].Item) + binWords(tasks[at].Bin) + "."), nil
			}
			at = other
		}
		t := &tasks[at]
		if err := t.Pick(n); err != nil {
			return refuse(fmt.Sprintf("Only %s to be picked here, not %d.", plural(t.Left(), "unit is", "units are"), n)), nil
		}
		say := fmt.Sprintf("%s still to come.", plural(t.Left(), "unit", "units"))
		if t.Left() == 0 {
			say = "This bin is done."
		}
		return accept(say), f.picked(&wave, tasks, t)
	})
}

func binWords(bin string) string {
	if bin == "" {
		return ""
	}
	return " from " + bin
}

// picked stores a bin; with the last one the wave is done and its parcels are told picked.
func (f *floorScan) picked(w *store.FloorWave, tasks []store.FloorTask, t *store.FloorTask) error {
	if err := f.tx.WalksSave([]store.FloorTask{*t}); err != nil {
		return err
	}
	return f.finish(w, tasks)
}

func (f *floorScan) finish(w *store.FloorWave, tasks []store.FloorTask) error {
	if slices.ContainsFunc(tasks, func(t store.FloorTask) bool { return t.Left() > 0 }) || w.Done {
		return nil
	}
	w.Done = true
	ships, err := f.tx.ShipmentsOfWave(w.ID, store.ShipmentPlace{}, floor.MaxWave)
	if err != nil {
		return err
	}
	for i := range ships {
		f.note(custody.Picked, custody.Picker, &ships[i], "")
	}
	return f.tx.WaveSave(*w)
}

// runOut says that a bin holds no more: what is missing leaves the books, and the parcels it was for get equal items, or go to the bench.
func (f *floorScan) runOut(w *store.FloorWave, t *store.FloorTask) (view.ScanAnswer, error) {
	missing := t.Left()
	lacking := t.Run()
	if err := f.tx.WalksSave([]store.FloorTask{*t}); err != nil {
		return view.ScanAnswer{}, err
	}
	var ids []string
	for _, l := range lacking {
		ids = append(ids, l.Parcel)
	}
	ships, err := f.tx.ShipmentsGet(ids...)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	open, err := f.tx.ClaimsGet(ids...)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	// Those due first get what stands in for it, where there is some.
	slices.SortStableFunc(ships, func(a, b store.Shipment) int { return feedOf(lacking, a.ID) - feedOf(lacking, b.ID) })
	left, benched := missing, int64(0)
	var swaps []swap
	for i := range ships {
		n := lacking[feedOf(lacking, ships[i].ID)].Qty
		// What is not there is taken out of the books once, whichever parcels lack it.
		r := ranOut{item: t.Item, lacks: n, lost: min(left, n), where: "in bin " + cmp.Or(t.Bin, "(none)")}
		left -= r.lost
		got, bench, err := f.doWithout(w, &ships[i], open, r)
		if err != nil {
			return view.ScanAnswer{}, err
		}
		if swaps = append(swaps, got...); bench {
			benched++
		}
	}
	tasks, err := f.tx.WalksOf(w.ID)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	say := "Noted: " + unitsOf(missing) + " missing."
	if benched > 0 {
		say += fmt.Sprintf(" %s to the bench and routed again.", plural(benched, "parcel goes", "parcels go"))
	}
	if n := int64(len(swaps)); n > 0 {
		say += fmt.Sprintf(" %s instead, at the end of this walk.", plural(n, "parcel gets "+f.cat.called(swaps[0].by), "parcels get equal items"))
	}
	return accept(say), f.finish(w, tasks)
}

// ranOut is what a parcel was to get from a bin that holds no more.
type ranOut struct {
	item        string
	lacks, lost int64 // lost: what leaves the books for it
	where       string
}

// doWithout gives a parcel what stands in for what its bin does not hold, or puts it on the bench. A parcel that is open at a station may have the
// units in its box already, from the tote of another one: it lacks only what is not.
func (f *floorScan) doWithout(w *store.FloorWave, s *store.Shipment, open []store.FloorClaim, r ranOut) (got []swap, bench bool, err error) {
	at := slices.IndexFunc(open, func(c store.FloorClaim) bool { return c.Parcel == s.ID })
	if at >= 0 {
		r.lacks = min(r.lacks, missingOf(open[at].Missing(), r.item))
	}
	missing, lost := []floor.Need{{Item: r.item, Qty: r.lacks}}, []floor.Need{{Item: r.item, Qty: r.lost}}
	if r.lacks == 0 || s.Box != nil {
		return nil, false, f.lose(s, lost, r.where)
	}
	got, ok, err := f.substitute(s, missing, lost, r.where)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		return nil, true, f.lack(s, missing, lost, r.where)
	}
	if at >= 0 {
		for _, c := range got {
			if err := open[at].Swap(c.item, c.by, c.qty); err != nil {
				return nil, false, err
			}
		}
		if err := f.tx.ClaimPut(open[at]); err != nil {
			return nil, false, err
		}
	}
	return got, false, f.pickInstead(w, s, got)
}

// missingOf is how much of an item is among what is missing.
func missingOf(all []floor.Need, item string) (n int64) {
	for _, m := range all {
		if m.Item == item {
			n += m.Qty
		}
	}
	return n
}

// feedOf is the place of a parcel among feeds.
func feedOf(feeds []floor.Feed, parcel string) int {
	return slices.IndexFunc(feeds, func(f floor.Feed) bool { return f.Parcel == parcel })
}

// pickInstead adds what a parcel is packed with instead to the walk: to the bin of that item if it is still to be walked to, else at the end.
func (f *floorScan) pickInstead(w *store.FloorWave, s *store.Shipment, swaps []swap) error {
	tasks, err := f.tx.WalksOf(w.ID)
	if err != nil {
		return err
	}
	last := int64(0)
	for _, t := range tasks {
		last = max(last, t.Place)
	}
	for _, c := range swaps {
		feed := floor.Feed{Parcel: s.ID, Qty: c.qty, Due: s.Due}
		if i := slices.IndexFunc(tasks, func(t store.FloorTask) bool { return t.Item == c.by && t.Left() > 0 }); i >= 0 {
			tasks[i].Feeds = append(tasks[i].Feeds, feed)
			if err := f.tx.WalksSave(tasks[i : i+1]); err != nil {
				return err
			}
			continue
		}
		last++
		t := store.FloorTask{ID: fmt.Sprintf("%s.%d", w.ID, last), Wave: w.ID, Place: last,
			Task: floor.Task{Bin: f.cat.binOf(s.Node, c.by), Item: c.by, Feeds: []floor.Feed{feed}}}
		if err := f.tx.WalksAdd([]store.FloorTask{t}); err != nil {
			return err
		}
	}
	return nil
}
