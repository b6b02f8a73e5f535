package tiktok

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// Package statuses, as the API spells them.
const (
	toFulfill       = "TO_FULFILL"
	processing      = "PROCESSING"
	fulfilling      = "FULFILLING"
	parcelDone      = "COMPLETED"
	parcelCancelled = "CANCELLED"
)

// parcel is a package of an order, or of several that are combined.
type parcel struct {
	id       string
	order    *order
	with     []*order // the other orders of a combined package
	lines    []*line
	status   string
	shipping string // SELLER or TIKTOK
	provider carrier
	tracking string
	handover string
	slot     slot
	weight   measure
	size     dimension
	price    int64 // of a bought label, cents

	created, updated int64
	arranged         int64
	scanned          int64
	delivered        int64
	corrections      int
	events           []trackEvent
}

type trackEvent struct {
	at   int64
	text string
}

type carrier struct{ id, name string }

// carriers by region; ids have the platform's shape, only the simulator knows them.
var carriers = map[string][]carrier{
	"US": {{"7117858858072016686", "USPS"}, {"7117859084333745966", "UPS"}, {"7129720299146184490", "FedEx"}, {"7132708441138169646", "OnTrac"}},
	"GB": {{"7046627203423291137", "Royal Mail"}, {"7046627274437039874", "Evri"}, {"7046627340602345218", "DPD"}},
	"":   {{"6841743441349706241", "Local Express"}, {"6849067159451830786", "City Post"}},
}

func carriersOf(region string) []carrier {
	if list, ok := carriers[region]; ok {
		return list
	}
	return carriers[""]
}

// provider is a region's carrier by id, the first for an empty id, and a zero carrier when there is none.
func provider(region, id string) carrier {
	for _, c := range carriersOf(region) {
		if id == "" || c.id == id {
			return c
		}
	}
	return carrier{}
}

// trackingNumber makes a number of a carrier's: of 13 characters for Royal Mail, as posts give them to each other, else one of USPS's of 22 digits. Both
// have a check digit.
func (s *Sim) trackingNumber(c carrier) string {
	if c.name == "Royal Mail" {
		n := fmt.Sprintf("%08d", s.ids.rnd.Uint64N(1e8))
		return "RN" + n + string(postCheck(n)) + "GB"
	}
	n := fmt.Sprintf("9400%017d", s.ids.rnd.Uint64N(1e17))
	return n + string(uspsCheck(n))
}

// postCheck is the check digit of the postal union's standard S10 over eight digits.
func postCheck(digits string) byte {
	sum := 0
	for i, weight := range [8]int{8, 6, 4, 2, 3, 5, 9, 7} {
		sum += weight * int(digits[i]-'0')
	}
	switch check := 11 - sum%11; check {
	case 10:
		return '0'
	case 11:
		return '5'
	default:
		return byte('0' + check)
	}
}

// uspsCheck is the check digit of a USPS number: what brings the sum of its digits, weighted 3 and 1 in turn from the right, to a multiple of ten.
func uspsCheck(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 3
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// newParcel makes a package of lines, not yet shipped.
func (s *Sim) newParcel(o *order, lines []*line, tracking string, c carrier, shipping string) *parcel {
	p := &parcel{id: s.ids.of("package"), order: o, lines: lines, status: toFulfill, shipping: shipping, provider: c,
		tracking: tracking, created: s.now(), updated: s.now()}
	for _, l := range lines {
		l.parcel = p
	}
	o.parcels = append(o.parcels, p)
	o.shop.packages[p.id] = p
	o.shop.parcels = append(o.shop.parcels, p)
	return p
}

// arrange ships a package: the label is bought or the seller says it is on its way. The units leave the committed
// stock here.
func (s *Sim) arrange(p *parcel, tracking string, c carrier) error {
	if p.status != toFulfill {
		return errs.New(errs.Conflict, "tiktok.Ship", p.id, "The package is %s.", p.status)
	}
	now := s.now()
	p.tracking, p.provider, p.status, p.arranged, p.updated = tracking, c, processing, now, now
	p.order.shop.tracking[tracking] = true
	for _, l := range p.lines {
		if l.open() {
			l.status, l.rts = awaitingCollection, now
			l.stock.committed--
		}
	}
	return s.settleAll(p)
}

// scan is the carrier's first event.
func (s *Sim) scan(p *parcel) error {
	if p.status != processing {
		return nil
	}
	now := s.now()
	p.status, p.scanned, p.updated = fulfilling, now, now
	p.events = append(p.events, trackEvent{now, "Your package has been picked up by the carrier."})
	for _, l := range p.lines {
		if l.open() {
			l.status = inTransit
		}
	}
	return s.settleAll(p)
}

// deliver is the carrier's last event.
func (s *Sim) deliver(p *parcel) error {
	if p.status == processing {
		if err := s.scan(p); err != nil {
			return err
		}
	}
	if p.status != fulfilling {
		return nil
	}
	now := s.now()
	p.status, p.delivered, p.updated = parcelDone, now, now
	p.events = append(p.events, trackEvent{now, "Your package has been delivered."})
	for _, l := range p.lines {
		if l.open() {
			l.status = delivered
		}
	}
	return s.settleAll(p)
}

// orders are those of a package.
func (p *parcel) orders() []*order { return append([]*order{p.order}, p.with...) }

func (p *parcel) orderIDs() []string {
	out := []string{}
	for _, o := range p.orders() {
		out = append(out, o.id)
	}
	return out
}

// settleAll moves the orders of a package to what their lines call for. One that is cancelled stays so.
func (s *Sim) settleAll(p *parcel) error {
	for _, o := range p.orders() {
		if o.status == cancelled {
			continue
		}
		if err := s.settle(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sim) eachParcel(o *order, do func(*parcel) error) error {
	if len(o.parcels) == 0 {
		return errs.New(errs.Conflict, "tiktok.Parcel", o.id, "The order has no package yet.")
	}
	for _, p := range o.parcels {
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}

// shipRest arranges all that is open of an order, in its waiting package if there is one, else in a new one.
func (s *Sim) shipRest(o *order, tracking, providerID string) error {
	const op = "tiktok.Ship"
	c := provider(o.shop.region, providerID)
	if o.status != awaitingShipment && o.status != partiallyShipping {
		return errs.New(errs.Conflict, op, o.id, "A %s order cannot be shipped.", o.status)
	}
	if c.id == "" {
		return errs.New(errs.NotFound, op, providerID, "There is no such carrier in %s.", o.shop.region)
	}
	if tracking == "" {
		tracking = s.trackingNumber(c)
	}
	if o.shop.tracking[tracking] {
		return errs.New(errs.Conflict, op, tracking, "The tracking number is in use.")
	}
	for _, p := range o.parcels {
		if p.status == toFulfill {
			return s.arrange(p, tracking, c)
		}
	}
	return s.arrange(s.newParcel(o, o.waiting(nil), "", c, o.ship), tracking, c)
}

// waiting are the lines not arranged, or those of them whose ids are named.
func (o *order) waiting(only []string) []*line {
	return slices.DeleteFunc(slices.Clone(o.lines), func(l *line) bool {
		return l.status != awaitingShipment || len(only) > 0 && !slices.Contains(only, l.id)
	})
}

// goodTracking is the form of a tracking number the simulator accepts: 6 to 40 letters and digits.
func goodTracking(t string) bool {
	return len(t) >= 6 && len(t) <= 40 && strings.IndexFunc(t, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}) < 0
}
