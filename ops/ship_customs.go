package ops

import (
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/money"
)

// declaration is what a parcel with a label of our own declares to customs; nil: it goes nowhere where that is asked. Who signs it, and who pays duties,
// the carrier's account says.
func declaration(p *driver.Parcel) (*driver.Customs, error) {
	if !shipping.Declares(p.From.Country, p.To.Country) {
		return nil, nil
	}
	lines := make([]shipping.Declared, len(p.Lines))
	for i, l := range p.Lines {
		value, err := l.Value.Times(l.Qty)
		if err != nil {
			return nil, err
		}
		lines[i] = shipping.Declared{HSCode: l.HSCode, Value: value}
	}
	legend, err := shipping.ExportLegend(p.From.Country, p.To.Country, lines)
	if err != nil {
		return nil, err
	}
	return &driver.Customs{Contents: "merchandise", Exemption: legend}, nil
}

// pieceValue is what one unit of an item is worth of what was sold: a set is worth its price, and each piece of it a share.
func pieceValue(o *order.Order, l *order.Line, item string, cat *catalogue) money.Amount {
	parts, ok := cat.parts(o.ConnectionID, order.LineDemand{ExternalSKU: l.ExternalSKU, SellerSKU: l.SellerSKU, Parts: l.Parts})
	value, pieces, within := l.UnitPrice, int64(0), false
	for _, p := range parts {
		pieces += p.Qty
		within = within || p.ItemID == item
	}
	if ok && within && pieces > 1 && value.Minor > 0 {
		value.Minor = max(value.Minor/pieces, 1)
	}
	return value
}
