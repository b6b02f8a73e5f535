package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// floorPage parcels are read at once: as many as a lead releases in one go.
	floorPage = 1_000
	// maxScan bounds what a scanner sends; the longest are two-dimensional codes of carriers.
	maxScan = 300
	// scanTries is how often a scan is tried again when its parcel was changed meanwhile, and shipmentsSave the verb that says so.
	scanTries     = 5
	shipmentsSave = "store.ShipmentsSave"
	maxStation    = 60
)

// Codes that a station understands besides those of goods and parcels; they are on its sheet of commands.
const (
	codeShort  = "SW-SHORT" // what is missing is not there
	codeAside  = "SW-ASIDE" // the parcel is put aside, somebody else goes on
	codeDivide = "SW-SPLIT" // what is in goes into this box, the rest into another parcel
	codeOK     = "SW-OK"    // as proposed
)

// floorScan is one scan inside its transaction.
type floorScan struct {
	x        *Ops
	tx       *store.Tx
	s        view.Scan
	cat      *catalogue
	proposed string // the carton that is proposed, where that is asked for
	events   []custody.Event
	reroute  []string // orders to be routed again when the transaction is done
	touched  []string // items whose stock changed
}

// refuse is a scan that changes nothing.
func refuse(say string) view.ScanAnswer { return view.ScanAnswer{Say: say} }

func accept(say string) view.ScanAnswer { return view.ScanAnswer{OK: true, Say: say} }

// scanOnce carries a scan out once. The same id again changes nothing and gets the same answer. Errors of kind Invalid and Conflict are said to whoever
// scanned: the transaction that refuses changes nothing.
func (x *Ops) scanOnce(ctx context.Context, op string, s view.Scan, do func(*floorScan) (view.ScanAnswer, error)) (view.ScanAnswer, error) {
	s.Text = strings.TrimSpace(s.Text)
	switch {
	case s.ID == "" || len(s.ID) > maxStation || len(s.Station) > maxStation || len(s.Node) > 200:
		return view.ScanAnswer{}, errs.New(errs.Invalid, op, "id", "a scan needs an id of its own, and a station a short name")
	case len(s.Text) > maxScan:
		return refuse("That is too long to be a code."), nil
	}
	var f *floorScan
	var a view.ScanAnswer
	carry := func(tx *store.Tx) error {
		f, a = &floorScan{x: x, tx: tx, s: s, cat: x.catalog.Load()}, view.ScanAnswer{}
		said, again, err := tx.ScanOnce(s.ID)
		if err != nil {
			return err
		}
		if again {
			a.Repeat = true
			return json.Unmarshal(said, &a)
		}
		if a, err = do(f); err != nil {
			return err
		}
		if err := tx.CustodyAppend(f.events); err != nil {
			return err
		}
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		return tx.ScanKeep(s.ID, body)
	}
	err := x.st.Update(ctx, carry)
	for range scanTries { // somebody changed the parcel since it was read, such as the worker that tells its number
		if e, ok := errors.AsType[*errs.Error](err); !ok || e.Op != shipmentsSave {
			break
		}
		err = x.st.Update(ctx, carry)
	}
	if errs.Is(err, errs.Invalid) || errs.Is(err, errs.Conflict) || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Insufficient) {
		return refuse(errs.Safe(err)), nil
	}
	if err != nil {
		return a, errs.Wrap(op, s.ID, err)
	}
	if !a.Repeat {
		x.changed(f.touched...)
		x.routeAgain(ctx, s.ID, f.reroute)
		x.live.notify(topicShipments)
	}
	return a, nil
}

// note appends a custody event of a parcel, for each of its orders.
func (f *floorScan) note(what custody.What, role custody.Role, s *store.Shipment, more string) {
	for _, o := range s.Orders {
		f.events = append(f.events, custody.Event{ID: f.s.ID + "/" + string(what) + "/" + s.ID + "/" + o + more, At: f.tx.Now(), What: what, Role: role, Node: s.Node, OrderID: o, ParcelID: s.ID})
	}
}

// is reports whether a code names an item: its barcode, its SKU or its id.
func (f *floorScan) is(code, item string) bool {
	it := f.cat.items[item]
	return code != "" && (code == it.Barcode || strings.EqualFold(code, cmp.Or(it.SKU, item)) || code == item)
}

// called is an item for people.
func (c *catalogue) called(item string) string {
	it := c.items[item]
	sku := cmp.Or(it.SKU, item)
	if it.Title == "" || it.Title == sku {
		return sku
	}
	return it.Title + " (" + sku + ")"
}

// needsOf is what a parcel holds, an item once.
func needsOf(s *shipping.Shipment) (out []floor.Need) {
	for _, l := range s.Lines {
		i := slices.IndexFunc(out, func(n floor.Need) bool { return n.Item == l.ItemID })
		if i < 0 {
			out = append(out, floor.Need{Item: l.ItemID})
			i = len(out) - 1
		}
		out[i].Qty += l.Qty
	}
	return out
}

// lack puts a parcel on the bench because something is not there, and takes what is lost out of the books. Its orders are routed again.
func (f *floorScan) lack(s *store.Shipment, missing, lost []floor.Need, where string) error {
	var words []string
	for _, n := range missing {
		words = append(words, unitsOf(n.Qty)+" of "+f.cat.called(n.Item))
	}
	if err := f.lose(s, lost, where); err != nil {
		return err
	}
	if s.Divided { // it is routed again by itself
		s.Divided = false
		if err := f.save(s); err != nil {
			return err
		}
	}
	f.note(custody.ShortPicked, custody.Packer, s, "")
	f.reroute = append(f.reroute, s.Orders...)
	return f.bench(s, "short", capital(and(words))+" not found "+where+".", missing)
}

// lose takes units out of the books that are not where they should be.
func (f *floorScan) lose(s *store.Shipment, lost []floor.Need, where string) error {
	for _, n := range lost {
		if n.Qty < 1 {
			continue
		}
		touched, err := moveIn(f.tx, f.s.Actor, []stock.Movement{f.lost(s, n, where)}, nil)
		if err != nil {
			return err
		}
		f.touched = append(f.touched, touched...)
	}
	return nil
}

// lost is the movement that takes units out of the books that are not where they should be.
func (f *floorScan) lost(s *store.Shipment, n floor.Need, where string) stock.Movement {
	return stock.Movement{ID: f.s.ID + "/" + s.ID + "/" + n.Item, At: f.tx.Now(), Kind: stock.Adjust, ItemID: n.Item, LocationID: s.Node, OnHand: -n.Qty, Ref: s.ID, Reason: "short " + where}
}

// bench takes a parcel out of its wave and from its station and puts it on the exceptions bench.
func (f *floorScan) bench(s *store.Shipment, kind, text string, missing []floor.Need) error {
	if err := f.leaveWave(s); err != nil {
		return err
	}
	if err := f.tx.ClaimDrop(s.ID); err != nil {
		return err
	}
	return f.tx.TroublePut(store.FloorTrouble{Shipment: s.ID, Node: s.Node, At: f.tx.Now(), Kind: kind, Text: text, Lacks: missing, Orders: s.Orders, By: f.s.Actor})
}

// leaveWave says that a parcel is not picked in its wave any more.
func (f *floorScan) leaveWave(s *store.Shipment) error {
	if s.Wave == "" {
		return nil
	}
	if err := dropFeeds(f.tx, []string{s.Wave}, s.ID); err != nil {
		return err
	}
	s.Wave = ""
	return f.save(s)
}

// dropFeeds says that nobody picks for some parcels any more in the walks of their waves.
func dropFeeds(tx *store.Tx, waves []string, parcels ...string) error {
	tasks, err := tx.WalksOf(unique(waves)...)
	if err != nil {
		return err
	}
	var changed []store.FloorTask
	for _, t := range tasks {
		dropped := false
		for _, p := range parcels {
			dropped = t.Drop(p) || dropped
		}
		if dropped {
			changed = append(changed, t)
		}
	}
	return tx.WalksSave(changed)
}

// save stores a parcel, which may be changed and saved once more.
func (f *floorScan) save(s *store.Shipment) error {
	one := []store.Shipment{*s}
	err := f.tx.ShipmentsSave(one)
	s.Version = one[0].Version
	return err
}

// routeAgain routes orders that lack something from elsewhere, and says on the bench what came of it. A parcel that cannot be routed stays there for a
// person.
func (x *Ops) routeAgain(ctx context.Context, scan string, orders []string) {
	for _, o := range unique(orders) {
		told, err := x.Reroute(ctx, o, "", routing.Override{})
		note := "It cannot be routed by itself: " + errs.Safe(err)
		if err == nil {
			note = x.routedWords(told)
		}
		err = x.st.Update(ctx, func(tx *store.Tx) error {
			ss, err := tx.ShipmentsOf(o)
			if err != nil {
				return err
			}
			for _, s := range ss {
				ts, err := tx.TroublesGet(s.ID)
				if err != nil {
					return err
				}
				for _, t := range ts {
					t.Note, t.Settled = note, !s.Stopped.IsZero()
					if err := tx.TroublePut(t); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			x.log.Warn("what became of a short order is not noted on the bench", "order", o, "scan", scan, "err", err)
		}
	}
}

func (x *Ops) routedWords(told RouteTold) string {
	if len(told.Parts) == 0 && told.Back {
		return told.later()
	}
	if len(told.Parts) == 0 {
		return "Nothing of it can be sent now; it is routed when there is stock again."
	}
	var from []string
	for _, p := range told.Parts {
		from = append(from, unitsOf(p.Units)+" from "+p.Node)
	}
	say := "Routed again: " + and(from)
	if told.Left > 0 {
		say += ", " + unitsOf(told.Left) + " later"
	}
	return say + "."
}
