package tiktok

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Fulfilment error codes, as documented.
const (
	codeFulfilInput    = 21001001
	codePackageUnknown = 21001011 // documented without words; read here as a package that does not exist
	codeByPlatform     = 21008025
	codeShippedAlready = 21011006
	codeAfterSaleOpen  = 21011007
	codeTrackingBad    = 21011022
	codeTrackingUsed   = 21011025
	codeOrderForeign   = 21011028
	codeOrderCancelled = 21011041
	codeOrderOnHold    = 21011044
	codeSeveral        = 21011048
	codeTooLate        = 21011050
	codeUpdatedOnce    = 21011051
	codeLabelBought    = 21022025
	codeLabelRefused   = 21022026
	codeNotReady       = 11034037
	codeDocPickedUp    = 21042102
	codeDocNotShipped  = 21023035
	codeDocNotTikTok   = 21042104
)

type measure struct {
	Value string `json:"value"`
	Unit  string `json:"unit"`
}

type dimension struct {
	Length string `json:"length"`
	Width  string `json:"width"`
	Height string `json:"height"`
	Unit   string `json:"unit"`
}

type slot struct {
	Start int64 `json:"start_time"`
	End   int64 `json:"end_time"`
}

type selfShipment struct {
	Tracking string `json:"tracking_number"`
	Provider string `json:"shipping_provider_id"`
}

// shippable gives an order of the call's shop if its status allows arranging a shipment.
func (s *Sim) shippable(c *call, id string) (*order, *failure) {
	o := s.orders[id]
	switch {
	case o == nil:
		return nil, fail(codeFulfilInput, "The order does not exist.")
	case o.shop != c.shop:
		return nil, fail(codeOrderForeign, "The order belongs to another shop.")
	case o.fbt:
		return nil, fail(codeByPlatform, "The order is fulfilled by the platform.")
	case o.status == onHold:
		return nil, fail(codeOrderOnHold, "The order is on hold.")
	case o.status == cancelled:
		return nil, fail(codeOrderCancelled, "The order is cancelled.")
	case o.status == unpaid:
		return nil, fail(codeFulfilInput, "The order is not paid.")
	case o.request != nil && o.request.open():
		return nil, fail(codeAfterSaleOpen, "The buyer has asked to cancel the order.")
	}
	return o, nil
}

// newTracking checks a tracking number and a carrier for use in a shop.
func (sh *shop) newTracking(tracking, providerID string) (carrier, *failure) {
	v := provider(sh.region, providerID)
	switch {
	case providerID == "" || v.id == "" || !goodTracking(tracking):
		return v, fail(codeTrackingBad, "The tracking number or the shipping provider is invalid.")
	case sh.tracking[tracking]:
		return v, fail(codeTrackingUsed, "The tracking number is used already.")
	}
	return v, nil
}

// linesToShip are the order's open lines, or those named, all of which must be open.
func (o *order) linesToShip(only []string) ([]*line, *failure) {
	lines := o.waiting(only)
	if len(lines) == 0 || len(only) > 0 && len(lines) != len(only) {
		for _, l := range o.lines {
			if l.status == awaitingCollection || l.status == inTransit || l.status == delivered || l.status == completed {
				return nil, fail(codeShippedAlready, "The order or one of its lines is shipped already.")
			}
		}
		return nil, fail(codeFulfilInput, "These are not open lines of the order.")
	}
	return lines, nil
}

func (s *Sim) shippingServices(c *call) (any, *failure) {
	var in struct {
		Lines  []string       `json:"order_line_item_ids"`
		Weight opt[measure]   `json:"weight"`
		Size   opt[dimension] `json:"dimension"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o, f := s.shippable(c, c.vars["order_id"])
	if f == nil {
		f = measured(in.Weight, in.Size, "INCH")
	}
	if f != nil {
		return nil, f
	}
	lines, f := o.linesToShip(in.Lines)
	if f != nil {
		return nil, f
	}
	if o.ship != "TIKTOK" || o.shop.region != "US" {
		return nil, fail(11021009, "No shipping service is available for the order.")
	}
	v := provider("US", "")
	return fields{"order_id": o.id, "order_line_id": lineIDs(lines), "weight": orDefault(in.Weight, measure{"1", "POUND"}),
		"dimension": orDefault(in.Size, dimension{"10", "8", "4", "INCH"}), "shipping_services": []fields{{"id": labelService,
			"name": "Ground", "price": amount(labelPrice), "currency": "USD", "earliest_delivery_days": 2, "latest_delivery_days": 5,
			"is_default": true, "shipping_provider_name": v.name, "shipping_provider_id": v.id}}}, nil
}

const (
	labelService = "7208502187360519982"
	labelPrice   = 512 // cents
)

// measured refuses weights and sizes that are none, or in a unit the call does not document.
func measured(w opt[measure], d opt[dimension], units ...string) *failure {
	positive := func(text string) bool { n, err := strconv.ParseFloat(text, 64); return err == nil && n > 0 && n < 1e6 }
	if w.set && (!positive(w.v.Value) || w.v.Unit != "GRAM" && w.v.Unit != "POUND") {
		return fail(codeFulfilInput, "The weight must be a number above 0 in GRAM or POUND.")
	}
	if d.set && (!positive(d.v.Length) || !positive(d.v.Width) || !positive(d.v.Height) || !slices.Contains(units, d.v.Unit)) {
		return fail(codeFulfilInput, "The dimension must be three numbers above 0 in %s.", strings.Join(units, " or "))
	}
	return nil
}

func orDefault[T any](o opt[T], v T) T {
	if o.set {
		return o.v
	}
	return v
}

func lineIDs(lines []*line) []string {
	out := []string{}
	for _, l := range lines {
		out = append(out, l.id)
	}
	return out
}

// createPackage buys a label in the US.
func (s *Sim) createPackage(c *call) (any, *failure) {
	var in struct {
		Order  string         `json:"order_id"`
		Lines  []string       `json:"order_line_item_ids"`
		Weight opt[measure]   `json:"weight"`
		Size   opt[dimension] `json:"dimension"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o, f := s.shippable(c, in.Order)
	if f == nil {
		f = measured(in.Weight, in.Size, "CM", "INCH")
	}
	if f != nil {
		return nil, f
	}
	lines, f := o.linesToShip(in.Lines)
	switch {
	case o.shop.region != "US" || o.ship != "TIKTOK":
		return nil, fail(codeLabelRefused, "A label cannot be bought for the order.")
	case f != nil && f.code == codeShippedAlready:
		return nil, fail(codeLabelBought, "The label has been bought already.")
	case f != nil:
		return nil, f
	}
	p := s.newParcel(o, lines, "", provider("US", ""), "TIKTOK")
	p.weight, p.size, p.price = orDefault(in.Weight, measure{"1", "POUND"}), orDefault(in.Size, dimension{"10", "8", "4", "INCH"}), labelPrice
	if f := s.arranged(p, s.trackingNumber(p.provider), p.provider); f != nil {
		return nil, f
	}
	return fields{"order_id": o.id, "order_line_item_ids": lineIDs(lines), "dimension": p.size, "weight": p.weight,
		"package_id": p.id, "create_time": p.created, "shipping_service_info": fields{"id": labelService, "name": "Ground",
			"price": amount(labelPrice), "currency": "USD", "earliest_delivery_days": 2, "latest_delivery_days": 5,
			"shipping_provider_id": p.provider.id, "shipping_provider_name": p.provider.name}}, nil
}

// arranged ships a package and announces the split when the order now has several.
func (s *Sim) arranged(p *parcel, tracking string, v carrier) *failure {
	if err := s.arrange(p, tracking, v); err != nil {
		return fail(codeShippedAlready, "%s", errs.Safe(err))
	}
	if len(p.order.parcels) > 1 {
		s.parcelsChanged(p.order, "SPLIT", "ROLE_SELLER")
	}
	return nil
}

// byPackage are the markets in which the seller ships the package that the platform made, with a number of its own.
var byPackage = map[string]bool{"SG": true, "MY": true, "TH": true, "VN": true, "PH": true, "ID": true, "MX": true, "BR": true}

// markShipped is the seller's own shipping in markets where the package is made by this call or waits already.
func (s *Sim) markShipped(c *call) (any, *failure) {
	var in struct {
		Lines    []string `json:"order_line_item_ids"`
		Tracking string   `json:"tracking_number"`
		Provider string   `json:"shipping_provider_id"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o, f := s.shippable(c, c.vars["order_id"])
	if f != nil {
		return nil, f
	}
	if o.ship != "SELLER" {
		return nil, fail(codeByPlatform, "The order ships on a platform label.")
	}
	if byPackage[o.shop.region] {
		return nil, fail(codeFulfilInput, "In this market a package is shipped, not an order.")
	}
	lines, f := o.linesToShip(in.Lines)
	if f != nil {
		return nil, f
	}
	v, f := o.shop.newTracking(in.Tracking, in.Provider)
	if f != nil {
		return nil, f
	}
	p := s.parcelFor(o, lines, v)
	if f := s.arranged(p, in.Tracking, v); f != nil {
		return nil, f
	}
	return fields{"order_id": o.id, "order_line_item_ids": lineIDs(lines), "package_id": p.id}, nil
}

// parcelFor uses the package made after payment when it holds exactly the lines, and takes them out of it otherwise.
func (s *Sim) parcelFor(o *order, lines []*line, v carrier) *parcel {
	for _, p := range o.parcels {
		if p.status != toFulfill {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(p.lines), func(l *line) bool { return slices.Contains(lines, l) || !l.open() })
		if len(rest) == 0 {
			return p
		}
		p.lines = rest
	}
	return s.newParcel(o, lines, "", v, o.ship)
}

type shipRequest struct {
	ID       string            `json:"id"`
	Handover string            `json:"handover_method"`
	Slot     opt[slot]         `json:"pickup_slot"`
	Self     opt[selfShipment] `json:"self_shipment"`
}

func (s *Sim) shipPackage(c *call) (any, *failure) {
	var in shipRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	in.ID = c.vars["package_id"]
	return nil, s.ship(c, in)
}

func (s *Sim) shipPackages(c *call) (any, *failure) {
	var in struct {
		Packages []shipRequest `json:"packages"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.Packages) == 0 || len(in.Packages) > 50 {
		return nil, fail(codeFulfilInput, "Name 1 to 50 packages.")
	}
	problems := []fields{}
	for _, one := range in.Packages {
		if f := s.ship(c, one); f != nil {
			problems = append(problems, fields{"code": f.code, "message": f.message, "detail": fields{"package_id": one.ID}})
		}
	}
	if len(problems) > 0 {
		return fields{"errors": problems}, nil
	}
	return nil, nil
}

// ship arranges a waiting package outside the US.
func (s *Sim) ship(c *call, in shipRequest) *failure {
	p, f := c.packageOf(in.ID)
	if f != nil {
		return f
	}
	o := p.order
	for _, id := range p.orderIDs() {
		if _, f = s.shippable(c, id); f != nil {
			return f
		}
	}
	if p.status != toFulfill {
		return fail(codeShippedAlready, "The package is shipped already.")
	}
	if o.shop.tooMany(p) {
		return fail(codePackageState, "The order must be split: the package holds too many units of a category.")
	}
	tracking, v := s.trackingNumber(p.provider), p.provider
	if o.ship == "SELLER" {
		if v, f = o.shop.newTracking(in.Self.v.Tracking, in.Self.v.Provider); f != nil {
			return f
		}
		tracking = in.Self.v.Tracking
	} else if in.Handover != "" && in.Handover != "PICKUP" && in.Handover != "DROP_OFF" {
		return fail(codeFulfilInput, "handover_method is PICKUP or DROP_OFF.")
	}
	p.handover, p.slot = in.Handover, in.Slot.v
	return s.arranged(p, tracking, v)
}

func (c *call) packageOf(id string) (*parcel, *failure) {
	if p := c.shop.packages[id]; p != nil {
		return p, nil
	}
	return nil, fail(codePackageUnknown, "The package %s does not exist.", id)
}

func (s *Sim) handoverSlots(c *call) (any, *failure) {
	if _, f := c.packageOf(c.vars["package_id"]); f != nil {
		return nil, f
	}
	slots := []fields{}
	day := s.o.Clock.Now().In(c.shop.zone)
	for i := 1; i <= 3; i++ {
		start := time.Date(day.Year(), day.Month(), day.Day()+i, 9, 0, 0, 0, c.shop.zone)
		slots = append(slots, fields{"start_time": start.Unix(), "end_time": start.Add(4 * time.Hour).Unix(),
			"avaliable": businessDay(start, c.shop.region)}) // the platform's own spelling
	}
	return fields{"can_pickup": true, "can_drop_off": true, "can_van_collection": false, "drop_off_point_url": "", "pickup_slots": slots}, nil
}

// shippingDocument gives an address of this simulator where the document can be fetched without a signature.
func (s *Sim) shippingDocument(c *call) (any, *failure) {
	kinds := []string{"SHIPPING_LABEL", "PACKING_SLIP", "SHIPPING_LABEL_AND_PACKING_SLIP", "SHIPPING_LABEL_PICTURE", "HAZMAT_LABEL", "INVOICE_LABEL"}
	p, f := c.packageOf(c.vars["package_id"])
	switch {
	case f != nil:
		return nil, f
	case !slices.Contains(kinds, c.query.Get("document_type")):
		return nil, badParameter("document_type")
	case p.shipping != "TIKTOK":
		return nil, fail(codeDocNotTikTok, "Documents exist for packages on platform labels only.")
	case p.status == toFulfill:
		return nil, fail(codeDocNotShipped, "The package is not shipped yet.")
	case p.status != processing:
		return nil, fail(codeDocPickedUp, "The package has been picked up.")
	case s.o.Clock.Now().Before(time.Unix(p.arranged, 0).Add(s.o.DocumentDelay)):
		return nil, fail(codeNotReady, "The document is being made. Try again later.")
	}
	address := "http://" + c.Host + "/_sandbox/documents/" + p.id
	switch c.query.Get("document_format") {
	case "", "PDF":
	case "ZPL":
		if c.shop.region != "BR" {
			return nil, badParameter("document_format")
		}
		address += "?format=ZPL"
	default:
		return nil, badParameter("document_format")
	}
	return fields{"doc_url": address, "tracking_number": p.tracking}, nil
}
