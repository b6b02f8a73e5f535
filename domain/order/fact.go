package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// MaxUnits bounds the units of an order: far above any platform's cart, low enough that a defect cannot fill memory.
	MaxUnits = 5000
	// MaxLineQty bounds one quantity line, so that no sum of lines overflows.
	MaxLineQty = 1_000_000
	// MaxCases bounds the cancellations and the returns kept of one order; the ones with the greatest ids stay.
	MaxCases = 100
	// MaxParcels bounds the parcels of an order: more than any has units to fill in earnest, few enough to be stored with it.
	MaxParcels = 500
	maxID      = 128  // bytes of an outside id
	maxText    = 500  // bytes of an outside text; longer ones are cut
	minYear    = 2000 // a year outside these is a unit mix-up (seconds read as milliseconds or the reverse)
	maxYear    = 2200
)

// Kind says what a fact is about.
type Kind string

const (
	Snapshot      Kind = "snapshot"     // the whole order as the platform shows it: Status, Detail, ReadAt
	StatusNotice  Kind = "status"       // only that it has a new Status
	CancelNotice  Kind = "cancellation" // Cancellation
	AddressNotice Kind = "address"      // the recipient's address changed; the address itself is kept apart
	TouchNotice   Kind = "touch"        // something else changed (packages, an unknown status): read the order again
	ReturnNotice  Kind = "return"       // Return
)

// Fact is what a connector reports about one order.
type Fact struct {
	Kind         Kind      `json:"kind"`
	ConnectionID string    `json:"connection_id"`
	ExternalID   string    `json:"external_id"`
	UpdatedAt    time.Time `json:"updated_at"` // the order's version on the platform; of a notice without one, the time of the event
	// ReadAt, for snapshots: when the platform answered our question, or sent it to us unasked. Never part of the Hash.
	ReadAt       time.Time     `json:"read_at,omitzero"`
	Status       Status        `json:"status,omitzero"` // empty in a snapshot: a word the connector does not know
	StatusText   string        `json:"status_text,omitzero"`
	Detail       *Detail       `json:"detail,omitempty"`
	Cancellation *Cancellation `json:"cancellation,omitempty"`
	Return       *Return       `json:"return,omitempty"`
}

// Hash is a stable hash of the content of f: the same for the same content read twice, whatever the order of its lines.
// It fails with errs.Invalid where Merge would. De-duplicate notices by it; a snapshot read again is worth merging, since
// a later ReadAt can clear NeedsDetail.
func (f Fact) Hash() (string, error) {
	g, err := f.canonical()
	if err != nil {
		return "", err
	}
	return g.hash()
}

// hash is Hash of a canonical fact.
func (f Fact) hash() (string, error) {
	f.ReadAt = time.Time{}
	b, err := json.Marshal(f)
	if err != nil {
		return "", errs.Wrap("order.Hash", f.ExternalID, err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// canonical checks f and returns a copy that shares nothing with it: times in UTC microseconds, lines grouped and sorted.
func (f Fact) canonical() (Fact, error) {
	if err := f.check(); err != nil {
		return Fact{}, err
	}
	f.UpdatedAt, f.ReadAt = clean(f.UpdatedAt), clean(f.ReadAt)
	clip(&f.StatusText)
	if f.Detail != nil {
		d := *f.Detail
		for _, t := range d.times() {
			*t = clean(*t)
		}
		clip(&d.Number, &d.CancelReport.Reason, &d.WarehouseRef, &d.RelatedOrder, &d.BuyerHash)
		d.Lines, d.Parcels = group(d.Lines), sorted(d.Parcels)
		f.Detail = &d
	}
	if f.Cancellation != nil {
		c := *f.Cancellation
		c.CreatedAt, c.AnswerBy, c.UpdatedAt = clean(c.CreatedAt), clean(c.AnswerBy), f.UpdatedAt
		clip(&c.Reason)
		c.Units = append([]string(nil), c.Units...)
		slices.Sort(c.Units)
		c.Units = slices.Compact(c.Units)
		f.Cancellation = &c
	}
	if f.Return != nil {
		r := *f.Return
		r.UpdatedAt, r.AnswerBy = f.UpdatedAt, clean(r.AnswerBy)
		clip(&r.Kind, &r.StatusText)
		f.Return = &r
	}
	return f, nil
}

// group gathers the unit lines of one SKU at one price into one line, completes the counts and sorts.
func group(in []Line) []Line {
	var out []Line // nil when empty, as all lists here, so that a stored order reads back equal
	byContent := map[string]int{}
	for _, l := range in {
		clip(&l.ExternalProduct, &l.ExternalSKU, &l.SellerSKU, &l.Title)
		l.Units, l.Parts = append([]Unit(nil), l.Units...), append([]Part(nil), l.Parts...)
		for i := range l.Units {
			u := &l.Units[i]
			clip(&u.StatusText, &u.CancelReason, &u.PackageRef)
			u.Cancelled = u.Cancelled || u.Status == Cancelled
		}
		l.Key = l.ExternalLineID
		if len(l.Units) > 0 {
			l.Key = l.ExternalSKU
			content := fmt.Sprintf("%q %q %q %q %v %v", l.ExternalProduct, l.ExternalSKU, l.SellerSKU, l.Title, l.UnitPrice, l.Parts)
			if i, ok := byContent[content]; ok {
				out[i].Units = append(out[i].Units, l.Units...)
				continue
			}
			byContent[content] = len(out)
		}
		out = append(out, l)
	}
	for i := range out {
		slices.SortFunc(out[i].Units, func(a, b Unit) int { return strings.Compare(a.ExternalLineID, b.ExternalLineID) })
		out[i].count()
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.first(), b.first()))
	})
	return out
}

// sorted is a copy of the parcels by Ref.
func sorted(in []Parcel) []Parcel {
	out := append([]Parcel(nil), in...)
	for i := range out {
		clip(&out[i].Carrier, &out[i].Tracking)
	}
	slices.SortFunc(out, func(a, b Parcel) int { return strings.Compare(a.Ref, b.Ref) })
	return out
}

func (l *Line) first() string {
	if len(l.Units) > 0 {
		return l.Units[0].ExternalLineID
	}
	return l.ExternalLineID
}

// count derives the counts of a line that names its units.
func (l *Line) count() {
	if len(l.Units) == 0 {
		return
	}
	l.Qty, l.Cancelled, l.Shipped = int64(len(l.Units)), 0, 0
	for _, u := range l.Units {
		switch {
		case u.Cancelled:
			l.Cancelled++
		case u.Status.Left():
			l.Shipped++
		}
	}
}

// check names the first field of f that cannot be right.
func (f Fact) check() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "order.Fact", f.ExternalID, "%s %s", field, fmt.Sprintf(format, args...))
	}
	switch {
	case !goodID(f.ConnectionID):
		return bad("connection_id", "must be 1 to %d bytes of plain text", maxID)
	case !goodID(f.ExternalID):
		return bad("external_id", "must be 1 to %d bytes of plain text", maxID)
	case !sane(f.UpdatedAt):
		return bad("updated_at", "must be a time between the years %d and %d", minYear, maxYear)
	case f.Status != "" && !f.Status.Known():
		return bad("status", "%q is not a status; leave it empty if the platform's word is unknown", f.Status)
	}
	switch f.Kind {
	case Snapshot:
		if f.Detail == nil || !sane(f.ReadAt) {
			return bad("detail", "and read_at must be set in a snapshot")
		}
		return f.Detail.check(bad)
	case StatusNotice:
		if f.Status == "" {
			return bad("status", "must be set in a status notice; report a word the connector does not know as a touch notice")
		}
	case CancelNotice:
		c := f.Cancellation
		if c == nil || !goodID(c.ID) || !slices.Contains(cancelStates, c.State) || len(c.Units) > MaxUnits {
			return bad("cancellation", "must have an id, a known state and at most %d units", MaxUnits)
		}
		if slices.ContainsFunc(c.Units, func(id string) bool { return !goodID(id) }) {
			return bad("cancellation", "names a unit without a proper id")
		}
		if !saneOrZero(c.CreatedAt) || !saneOrZero(c.AnswerBy) {
			return bad("cancellation", "must have times between the years %d and %d", minYear, maxYear)
		}
	case ReturnNotice:
		if f.Return == nil || !goodID(f.Return.ID) {
			return bad("return", "must have an id of 1 to %d bytes", maxID)
		}
		if !saneOrZero(f.Return.AnswerBy) {
			return bad("return", "must have times between the years %d and %d", minYear, maxYear)
		}
	case AddressNotice, TouchNotice:
	default:
		return bad("kind", "%q is not a kind of fact", f.Kind)
	}
	return nil
}

func (d *Detail) check(bad func(field, format string, args ...any) error) error {
	for _, t := range d.times() {
		if !saneOrZero(*t) {
			return bad("detail", "has the time %d, outside the years %d to %d", t.Unix(), minYear, maxYear)
		}
	}
	if d.Fulfilment != BySeller && d.Fulfilment != ByPlatform {
		return bad("fulfilment", "must be %s or %s", BySeller, ByPlatform)
	}
	seen := map[string]bool{}
	name := func(id string) bool {
		fresh := goodID(id) && !seen[id]
		seen[id] = true
		return fresh
	}
	for i, l := range d.Lines {
		switch {
		case len(l.Units) > 0 && !goodID(l.ExternalSKU):
			return bad("lines", "line %d names units but no external_sku", i+1)
		case len(l.Units) == 0 && !name(l.ExternalLineID):
			return bad("lines", "line %d must name its units or have an external_line_id of its own", i+1)
		case len(l.Units) == 0 && (l.Qty < 0 || l.Qty > MaxLineQty):
			return bad("lines", "line %d must have a quantity from 0 to %d", i+1, MaxLineQty)
		case len(l.Units) == 0 && (l.Cancelled < 0 || l.Cancelled > l.Qty || l.Shipped < 0 || l.Shipped > l.Qty):
			return bad("lines", "line %d has more cancelled or shipped than its quantity, or less than none", i+1)
		}
		for _, u := range l.Units {
			if !name(u.ExternalLineID) {
				return bad("lines", "line %d has a unit without an id of its own", i+1)
			}
			if u.Status != "" && !u.Status.Known() {
				return bad("lines", "line %d has the unknown unit status %q", i+1, u.Status)
			}
		}
		for _, p := range l.Parts {
			if p.ExternalSKU == "" || p.Count < 1 || p.Count > MaxLineQty {
				return bad("lines", "line %d has a part without external_sku or with a count below 1", i+1)
			}
		}
	}
	if len(seen) > MaxUnits {
		return bad("lines", "has more than %d units", MaxUnits)
	}
	return d.checkWay(bad)
}

// checkWay checks where the order goes and in what.
func (d *Detail) checkWay(bad func(field, format string, args ...any) error) error {
	if !goodRegion(d.Region) {
		return bad("region", "must be empty, a country such as US, or a country and its state such as US-CA")
	}
	if d.PostalPrefix != PostalPrefix(d.PostalPrefix) {
		return bad("postal_prefix", "must be empty or the first three letters and digits of a postal code")
	}
	if len(d.Parcels) > MaxParcels {
		return bad("parcels", "has more than %d parcels", MaxParcels)
	}
	seen := make(map[string]bool, len(d.Parcels))
	for i, p := range d.Parcels {
		if !goodID(p.Ref) || seen[p.Ref] {
			return bad("parcels", "parcel %d must have a ref of its own", i+1)
		}
		seen[p.Ref] = true
	}
	return nil
}

// goodRegion holds ISO 3166: two letters, and after a dash one to three letters or digits. A town or a postal code does not fit.
func goodRegion(s string) bool {
	country, state, split := strings.Cut(s, "-")
	if s == "" {
		return true
	}
	if len(country) != 2 || (split && (len(state) < 1 || len(state) > 3)) {
		return false
	}
	upper := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	return !strings.ContainsFunc(country, func(r rune) bool { return !upper(r) }) &&
		!strings.ContainsFunc(state, func(r rune) bool { return !upper(r) && (r < '0' || r > '9') })
}

// PostalPrefix is as much of a postal code as zones and transit days are reckoned by, and as little as thousands of people share: its first
// three letters and digits, in upper case. A code that is masked or shorter has none.
func PostalPrefix(code string) string {
	out := make([]byte, 0, postalPrefix)
	for i := 0; i < len(code) && len(out) < postalPrefix; i++ {
		switch c := code[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
			out = append(out, c)
		case c >= 'a' && c <= 'z':
			out = append(out, c-'a'+'A')
		case c == ' ' || c == '-':
		default:
			return ""
		}
	}
	if len(out) < postalPrefix {
		return ""
	}
	return string(out)
}

const postalPrefix = 3

// times points at every time in d.
func (d *Detail) times() []*time.Time {
	l := &d.Deadlines
	return append(d.Moments.times(), &d.CreatedAt, &d.PaidAt, &l.ShipBy, &l.HandOverBy, &l.AutoCancelShipBy, &l.AutoCancelHandOverBy,
		&l.AutoCancelDeliverBy, &l.DeliverBy, &l.PromisedBy, &l.PickUpBy, &l.FastDispatchBy)
}

func (m *Moments) times() []*time.Time {
	return []*time.Time{&m.ReadyAt, &m.HandedOverAt, &m.DeliveredAt, &m.CancelledAt, &m.CancelRequestedAt}
}

func sane(t time.Time) bool       { return t.Year() >= minYear && t.Year() <= maxYear }
func saneOrZero(t time.Time) bool { return t.IsZero() || sane(t) }

// clean drops what databases cannot keep: zone, monotonic reading, nanoseconds.
func clean(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// goodID reports whether s can be an outside id: databases keep neither broken characters nor NUL.
func goodID(s string) bool {
	return s != "" && len(s) <= maxID && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// clip cuts texts to maxText bytes, without half a character and without what databases refuse.
func clip(texts ...*string) {
	for _, s := range texts {
		cut := (*s)[:min(len(*s), maxText)]
		*s = strings.ReplaceAll(strings.ToValidUTF8(cut, ""), "\x00", "")
	}
}
