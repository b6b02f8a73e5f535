package easypost

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// maxItems bounds the lines of a customs declaration, as the forms of postal services do.
const maxItems = 100

// shipment is a parcel in the vendor's form. Errors: class GiveUp, before anything is asked of anybody.
func (s *shipper) shipment(op driver.Operation, p driver.Parcel, ref, format string) (newShipment, error) {
	refuse := func(why string) (newShipment, error) {
		return newShipment{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: why}
	}
	switch {
	case p.Grams <= 0:
		return refuse("a label needs the parcel's weight")
	case p.To.Line1 == "" || p.To.Country == "" || p.From.Line1 == "" || p.From.Country == "":
		return refuse("a label needs the addresses of sender and receiver, with street and country")
	}
	in := newShipment{To: addressOf(p.To), From: addressOf(p.From), Parcel: wireParcel{Weight: ounces(p.Grams)}, Ref: ref}
	if p.To.Residential {
		in.To.Residential = &p.To.Residential
	}
	if p.LengthMM > 0 && p.WidthMM > 0 && p.HeightMM > 0 {
		in.Parcel.Length, in.Parcel.Width, in.Parcel.Height = inches(p.LengthMM), inches(p.WidthMM), inches(p.HeightMM)
	}
	if p.Return.Line1 != "" && p.Return != p.From {
		a := addressOf(p.Return)
		in.Return = &a
	}
	in.Options = wireOptions{LabelFormat: cmp.Or(format, "PDF"), LabelSize: s.size, Custom1: p.Number}
	if !p.ShipOn.IsZero() {
		in.Options.LabelDate = p.ShipOn.UTC().Format(time.RFC3339)
	}
	for _, id := range s.accounts {
		in.Accounts = append(in.Accounts, wireAccount{id})
	}
	if p.Customs != nil {
		signed := *p.Customs
		signed.Signer, signed.Incoterm = cmp.Or(signed.Signer, s.signer), cmp.Or(signed.Incoterm, s.incoterm)
		p.Customs = &signed
		c, why := customs(p)
		if why != "" {
			return refuse(why)
		}
		in.Customs, in.Options.Incoterm = c, p.Customs.Incoterm
	}
	return in, nil
}

func addressOf(a driver.Address) wireAddress {
	return wireAddress{Name: a.Name, Company: a.Company, Street1: a.Line1, Street2: a.Line2, City: a.City, State: a.State, Zip: a.Post, Country: a.Country, Phone: a.Phone, Email: a.Email}
}

// contents are our words for what a parcel abroad holds, in the vendor's.
var contents = map[string]string{"": "merchandise", "merchandise": "merchandise", "gift": "gift", "sample": "sample", "documents": "documents", "return": "returned_goods"}

// customs is the declaration, or why there can be none. Values and weights are those of whole lines.
func customs(p driver.Parcel) (*wireCustoms, string) {
	c := p.Customs
	kind, ok := contents[strings.ToLower(c.Contents)]
	switch {
	case !ok:
		return nil, "the declaration of contents is not one that carriers know"
	case c.Signer == "":
		return nil, "a customs declaration needs the name of who signs it: enter it in the carrier account's settings"
	case len(p.Lines) == 0 || len(p.Lines) > maxItems:
		return nil, "a customs declaration has 1 to 100 lines"
	}
	out := &wireCustoms{EelPfc: c.Exemption, ContentsType: kind, CustomsCertify: true, CustomsSigner: c.Signer, NonDelivery: cmp.Or(c.OnFailure, "return"), RestrictionType: "none"}
	var units int64
	for _, l := range p.Lines {
		units += l.Qty
	}
	for _, l := range p.Lines {
		value, err := l.Value.Times(l.Qty)
		if err != nil || l.Value.Currency == "" || l.Qty < 1 || l.Title == "" {
			return nil, "every line of a customs declaration needs a title, a quantity and a value with its currency"
		}
		grams := l.Grams * l.Qty
		if l.Grams <= 0 { // not known of one: its share of the parcel
			grams = max(p.Grams*l.Qty/units, 1)
		}
		out.CustomsItems = append(out.CustomsItems, wireItem{Description: l.Title, Quantity: l.Qty, Value: json.Number(value.Decimal()), Weight: ounces(grams),
			Tariff: l.HSCode, Code: l.SKU, Origin: l.Origin, Currency: value.Currency})
	}
	return out, ""
}
