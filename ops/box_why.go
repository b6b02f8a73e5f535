package ops

import (
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/packing"
)

// whyNot smaller cartons are explained: the nearest ones, as a packer would try those.
const whyNot = 3

// why says in sentences how the proposal came about.
func (b *boxing) why(p *packing.Packing) []string {
	var out []string
	switch len(p.Parcels) {
	case 0:
		return []string{"No carton takes any of it."}
	case 1:
		c := b.carton(p.Parcels[0].Carton)
		out = append(out, fmt.Sprintf("%s takes all of it and is %d %% full.", c.Name, p.Parcels[0].Fill()/100))
		out = append(out, b.notSmaller(c)...)
	default:
		text := fmt.Sprintf("It goes into %d cartons; no way into fewer was found.", len(p.Parcels))
		if p.AtLeast == len(p.Parcels) {
			text = fmt.Sprintf("It needs %d cartons by volume, weight or because units go alone.", p.AtLeast)
		}
		out = append(out, text)
	}
	for _, x := range p.Parcels {
		if b.carry.terms != nil && x.Charge.DimGrams > x.Grams {
			out = append(out, fmt.Sprintf("%s bills %s of %s by its size, not the %s on the scales.", b.s.Carrier, weightText(x.Charge.BilledGrams), b.carton(x.Carton).Name, weightText(x.Grams)))
		}
	}
	if b.carry.maxGrams > 0 {
		out = append(out, fmt.Sprintf("%s takes at most %s a parcel.", b.s.Carrier, weightText(b.carry.maxGrams)))
	}
	if slices.ContainsFunc(b.cartons, func(c catalog.Carton) bool { return c.Cost.Minor > 0 && c.Cost.Currency != b.currency() }) {
		out = append(out, "Costs of cartons in another currency than "+b.currency()+" are not compared.")
	}
	return out
}

func weightText(grams int64) string {
	if grams < 1000 {
		return number(grams) + " g"
	}
	return fmt.Sprintf("%d.%02d kg", grams/1000, grams%1000/10)
}

// notSmaller says of the cartons next smaller than the chosen one what is against them.
func (b *boxing) notSmaller(chosen catalog.Carton) (out []string) {
	sorted := bySize(b.cartons)
	i := slices.IndexFunc(sorted, func(c catalog.Carton) bool { return c.ID == chosen.ID })
	for n := i - 1; n >= 0 && n >= i-whyNot; n-- {
		out = append(out, sorted[n].Name+" "+b.against(sorted[n])+".")
	}
	return out
}

// against says why not a carton, by packing in it alone.
func (b *boxing) against(c catalog.Carton) string {
	p, err := packing.Pack(b.order([]catalog.Carton{c}))
	if err != nil {
		return "cannot be compared"
	}
	for _, u := range p.Unplaced {
		switch u.Reason {
		case packing.TooLarge:
			return "is too small for " + b.name(u.Item)
		case packing.TooHeavy:
			return "may not weigh as much as " + b.name(u.Item)
		case packing.Refused:
			return "is not taken by the carrier"
		}
	}
	if len(p.Parcels) > 1 {
		return "takes only a part"
	}
	return "would do, but is dearer with its carriage"
}
