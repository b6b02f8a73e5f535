package shippo

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// maxItems bounds the lines of a customs declaration, as the forms of postal services do.
const maxItems = 100

// shipment is a parcel in the vendor's form. Errors: class GiveUp, before anything is asked of anybody.
func (s *shipper) shipment(op driver.Operation, p driver.Parcel) (newShipment, error) {
	refuse := func(why string) (newShipment, error) {
		return newShipment{}, &driver.Error{Class: driver.GiveUp, Op: op, Message: why}
	}
	switch {
	case p.Grams <= 0 || p.LengthMM <= 0 || p.WidthMM <= 0 || p.HeightMM <= 0:
		return refuse("a label needs the parcel's weight and its three sides")
	case p.To.Line1 == "" || p.To.Country == "" || p.From.Line1 == "" || p.From.Country == "":
		return refuse("a label needs the addresses of sender and receiver, with street and country")
	}
	in := newShipment{From: addressOf(p.From), To: addressOf(p.To), Accounts: s.accounts, Extra: wireExtra{p.Number},
		Parcels: []wireParcel{{Length: centimetres(p.LengthMM), Width: centimetres(p.WidthMM), Height: centimetres(p.HeightMM), Distance: "cm",
			Weight: strconv.FormatInt(p.Grams, 10), Mass: "g"}}}
	if p.To.Residential {
		in.To.Residential = &p.To.Residential
	}
	if p.Return.Line1 != "" && p.Return != p.From {
		a := addressOf(p.Return)
		in.Return = &a
	}
	if !p.ShipOn.IsZero() {
		in.Date = p.ShipOn.UTC().Format(time.RFC3339)
	}
	if p.Customs != nil {
		signed := *p.Customs
		signed.Signer, signed.Incoterm = cmp.Or(signed.Signer, s.signer), cmp.Or(signed.Incoterm, s.incoterm)
		p.Customs = &signed
		c, why := customs(p)
		if why != "" {
			return refuse(why)
		}
		in.Customs = c
	}
	return in, nil
}

// centimetres is a length in centimetres, exactly.
func centimetres(mm int64) string { return fmt.Sprintf("%d.%d", mm/10, mm%10) }

func addressOf(a driver.Address) wireAddress {
	return wireAddress{Name: a.Name, Company: a.Company, Street1: a.Line1, Street2: a.Line2, City: a.City, State: a.State, Zip: a.Post, Country: a.Country, Phone: a.Phone, Email: a.Email}
}

// Our words for a customs declaration, in the vendor's.
var (
	contents = map[string]string{"": "MERCHANDISE", "merchandise": "MERCHANDISE", "gift": "GIFT", "sample": "SAMPLE", "documents": "DOCUMENTS", "return": "RETURN_MERCHANDISE"}
	failure  = map[string]string{"": "RETURN", "return": "RETURN", "abandon": "ABANDON"}
	exempt   = map[string]string{"": "", "NOEEI 30.37(a)": "NOEEI_30_37_a", "NOEEI 30.37(h)": "NOEEI_30_37_h", "NOEEI 30.37(f)": "NOEEI_30_37_f", "NOEEI 30.36": "NOEEI_30_36"}
)

// customs is the declaration, or why there can be none. Values and weights are those of whole lines.
func customs(p driver.Parcel) (*wireCustoms, string) {
	c := p.Customs
	kind, known := contents[strings.ToLower(c.Contents)]
	fate, told := failure[strings.ToLower(c.OnFailure)]
	eel, fine := exempt[c.Exemption]
	switch {
	case !known || !told || !fine:
		return nil, "the declaration's contents, exemption or what is done on failure is none that Shippo knows"
	case c.Signer == "":
		return nil, "a customs declaration needs the name of who signs it: enter it in the carrier account's settings"
	case len(p.Lines) == 0 || len(p.Lines) > maxItems:
		return nil, "a customs declaration has 1 to 100 lines"
	}
	out := &wireCustoms{Certify: true, Signer: c.Signer, Contents: kind, NonDelivery: fate, EelPfc: eel, Incoterm: c.Incoterm}
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
		out.Items = append(out.Items, wireItem{Description: l.Title, Quantity: l.Qty, NetWeight: strconv.FormatInt(grams, 10), Mass: "g", Value: value.Decimal(),
			Currency: value.Currency, Origin: cmp.Or(l.Origin, p.From.Country), HSCode: l.HSCode, SKU: l.SKU})
	}
	return out, ""
}
