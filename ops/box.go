package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/packing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// ProposeBox says which carton of its node a parcel should be packed in and where in it every unit lies: as few cartons as can be, of those the cheapest
// by carton and carriage, of those the smallest; none heavier than the carrier's service takes. Where too little is known it says what is missing
// and proposes none. Errors: NotFound.
func (x *Ops) ProposeBox(ctx context.Context, shipment string) (view.BoxProposal, error) {
	const op = "ops.ProposeBox"
	b := boxing{x: x, cat: x.catalog.Load()}
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if b.s, err = tx.ShipmentGet(shipment); err != nil {
			return err
		}
		if b.orders, err = tx.OrdersGet(b.s.Orders); err != nil {
			return err
		}
		b.node, err = tx.NodeGet(b.s.Node)
		if errs.Is(err, errs.NotFound) { // nothing is said of it: it packs all the same
			return nil
		}
		return err
	})
	if err != nil {
		return view.BoxProposal{}, errs.Wrap(op, shipment, err)
	}
	v, err := b.propose()
	return v, errs.Wrap(op, shipment, err)
}

// boxing is one parcel on the packing bench.
type boxing struct {
	x       *Ops
	cat     *catalogue
	s       store.Shipment
	orders  []order.Order
	node    store.Node
	cartons []catalog.Carton
	carry   carriage
	items   []packing.Item
}

func (b *boxing) propose() (view.BoxProposal, error) {
	v := view.BoxProposal{Shipment: b.s.ID}
	b.cartons = b.cat.handling.cartonsAt(b.s.Node)
	for _, c := range bySize(b.cartons) {
		v.Cartons = append(v.Cartons, choiceOf(c))
	}
	if v.Missing = b.contents(); len(v.Missing) > 0 {
		v.Why = []string{"No carton is proposed: the weight or the sides of " + and(labels(v.Missing)) + " are not known. Enter them on the item’s page."}
		return v, nil
	}
	if len(b.cartons) == 0 {
		v.Why = []string{"No carton is proposed: this node has none. Enter them under Cartons."}
		return v, nil
	}
	b.carry = b.carriageOf()
	plan, err := packing.Pack(b.order(b.cartons))
	if errs.Is(err, errs.Invalid) { // more than packing looks at, such as a thousand units
		v.Why = []string{"No carton is proposed: " + errs.Safe(err) + "."}
		return v, nil
	}
	if err != nil {
		return v, err
	}
	for i := range plan.Parcels {
		v.Boxes = append(v.Boxes, b.box(&plan.Parcels[i]))
	}
	for _, u := range plan.Unplaced {
		v.Left = append(v.Left, fmt.Sprintf("%s of %s: %s.", plural(u.Units, "unit", "units"), b.name(u.Item), leftWords[u.Reason]))
	}
	v.Why = b.why(&plan)
	return v, nil
}

var leftWords = map[packing.Reason]string{packing.TooLarge: "no carton has room for it, however it is turned", packing.TooHeavy: "too heavy for the cartons it would go into",
	packing.Refused: "the carrier takes no parcel it could be in", packing.NoCarton: "there are not enough cartons"}

func labels(os []view.Option) (out []string) {
	for _, o := range os {
		out = append(out, o.Label)
	}
	return out
}

// contents gathers what is in the parcel, an item once. It returns the items too little is known of.
func (b *boxing) contents() (missing []view.Option) {
	for _, l := range b.s.Lines {
		if i := slices.IndexFunc(b.items, func(it packing.Item) bool { return it.ID == l.ItemID }); i >= 0 {
			b.items[i].Units += int(l.Qty)
			continue
		}
		if slices.ContainsFunc(missing, func(o view.Option) bool { return o.ID == l.ItemID }) {
			continue
		}
		p := b.cat.handling.physicals[l.ItemID]
		if !p.Known() {
			missing = append(missing, view.Option{ID: l.ItemID, Label: b.name(l.ItemID)})
			continue
		}
		b.items = append(b.items, packItem(l.ItemID, int(l.Qty), p))
	}
	return missing
}

func (b *boxing) name(item string) string { return cmp.Or(b.cat.items[item].SKU, item) }

// packItem is an item in the words of packing.
func packItem(id string, units int, p catalog.Physical) packing.Item {
	upright := map[catalog.Stance]packing.Upright{catalog.ThisWayUp: packing.UprightH, catalog.NeverEnd: packing.UprightW | packing.UprightH}[p.Stance]
	return packing.Item{ID: id, Units: units, Size: packing.Size{L: int(p.LengthMM), W: int(p.WidthMM), H: int(p.HeightMM)}, Grams: p.Grams,
		Upright: upright, Fragile: p.Fragile, Alone: p.Alone}
}

func packSize(s catalog.Sides) packing.Size {
	return packing.Size{L: int(s.LengthMM), W: int(s.WidthMM), H: int(s.HeightMM)}
}

// order is the question to packing. Costs in other currencies than the carriage's cannot be compared, so they are left out.
func (b *boxing) order(cartons []catalog.Carton) packing.Order {
	o := packing.Order{Items: b.items, Rules: packing.Rules{MaxGrams: b.carry.maxGrams, Tariff: b.carry.tariff()}}
	for _, c := range cartons {
		cost := c.Cost
		if cost.Currency != b.currency() {
			cost = money.Amount{}
		}
		o.Cartons = append(o.Cartons, packing.Carton{ID: c.ID, Inner: packSize(c.Inner), Outer: packSize(c.Outer), Grams: c.Grams, MaxGrams: c.MaxGrams, Cost: cost, Padding: int(c.Padding)})
	}
	return o
}

// currency is the one costs are compared in: the carriage's, else the first carton's that has a cost.
func (b *boxing) currency() string {
	if b.carry.currency != "" {
		return b.carry.currency
	}
	for _, c := range b.cartons {
		if c.Cost.Minor > 0 {
			return c.Cost.Currency
		}
	}
	return ""
}

// box is a packed carton to look at.
func (b *boxing) box(p *packing.Parcel) view.Box {
	c := b.carton(p.Carton)
	v := view.Box{Carton: choiceOf(c), Grams: p.Grams, FillPercent: p.Fill() / 100,
		Picture: view.Carton{Name: c.Name, L: p.Inner.L, W: p.Inner.W, H: p.Inner.H}}
	at := map[string]int{}
	for _, pl := range p.Placements {
		n, seen := at[pl.Item]
		if !seen {
			n = len(v.Contents)
			at[pl.Item] = n
			item := b.cat.items[pl.Item]
			v.Contents = append(v.Contents, view.BoxLine{ItemID: pl.Item, SKU: b.name(pl.Item), Title: item.Title})
		}
		v.Contents[n].Qty++
		v.Picture.Units = append(v.Picture.Units, view.CartonUnit{Name: b.name(pl.Item), Item: n, X: pl.X, Y: pl.Y, Z: pl.Z, L: pl.Size.L, W: pl.Size.W, H: pl.Size.H})
	}
	if b.carry.terms != nil {
		v.BilledGrams, v.ByVolume = p.Charge.BilledGrams, p.Charge.DimGrams > 0 && p.Charge.DimGrams == p.Charge.BilledGrams
	}
	if b.carry.priced && p.Carrying.Currency != "" {
		v.Price = p.Carrying.String()
	}
	return v
}

func (b *boxing) carton(id string) catalog.Carton {
	i := slices.IndexFunc(b.cartons, func(c catalog.Carton) bool { return c.ID == id })
	return b.cartons[i]
}

// bySize is cartons with the smallest first.
func bySize(cs []catalog.Carton) []catalog.Carton {
	return slices.SortedStableFunc(slices.Values(cs), func(a, b catalog.Carton) int {
		return cmp.Or(cmp.Compare(packSize(a.Inner).Volume(), packSize(b.Inner).Volume()), cmp.Compare(a.ID, b.ID))
	})
}

func choiceOf(c catalog.Carton) view.BoxChoice {
	return view.BoxChoice{ID: c.ID, Name: c.Name, LengthMM: c.Outer.LengthMM, WidthMM: c.Outer.WidthMM, HeightMM: c.Outer.HeightMM, Grams: c.Grams,
		InnerLMM: c.Inner.LengthMM, InnerWMM: c.Inner.WidthMM, InnerHMM: c.Inner.HeightMM}
}
