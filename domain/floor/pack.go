package floor

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Stage is what a station waits for.
type Stage string

const (
	Check Stage = "check" // the units of the parcel, one scan each
	Boxed Stage = "box"   // the box
	Weigh Stage = "weigh"
	Label Stage = "label" // the label that is stuck on
)

// Counted is an item of a parcel with how many of it are in the box.
type Counted struct {
	Need
	In int64 `json:"in,omitzero"`
}

// Pack is a parcel in the hands of a packer.
type Pack struct {
	Stage  Stage     `json:"stage"`
	Items  []Counted `json:"items"`
	Carton string    `json:"carton,omitzero"`
}

// Open begins a parcel.
func Open(needs []Need) Pack {
	p := Pack{Stage: Check}
	for _, n := range needs {
		p.Items = append(p.Items, Counted{Need: n})
	}
	return p
}

// Fit is what became of a unit that was scanned.
type Fit string

const (
	Fits    Fit = "fits"
	Foreign Fit = "foreign" // no such item belongs into this parcel
	TooMany Fit = "too many"
)

// Put puts n units of an item into the box; what does not fit changes nothing. With the last unit the box is asked for.
func (p *Pack) Put(item string, n int64) Fit {
	for i := range p.Items {
		c := &p.Items[i]
		if c.Item != item {
			continue
		}
		if n < 1 || n > c.Qty-c.In {
			return TooMany
		}
		if c.In += n; len(p.Missing()) == 0 {
			p.Stage = Boxed
		}
		return Fits
	}
	return Foreign
}

// Swap says that n units of an item that are not in yet are packed as units of another one. Errors: Invalid (fewer are missing).
func (p *Pack) Swap(item, by string, n int64) error {
	i := slices.IndexFunc(p.Items, func(c Counted) bool { return c.Item == item })
	if i < 0 || n < 1 || n > p.Items[i].Qty-p.Items[i].In {
		return errs.New(errs.Invalid, "floor.Swap", item, "fewer than %d are missing", n)
	}
	p.Items[i].Qty -= n
	if p.Items[i].Qty == 0 {
		p.Items = slices.Delete(p.Items, i, i+1)
	}
	if i = slices.IndexFunc(p.Items, func(c Counted) bool { return c.Item == by }); i >= 0 {
		p.Items[i].Qty += n
		return nil
	}
	p.Items = append(p.Items, Counted{Need: Need{by, n}})
	return nil
}

// Part closes the box with what is in it: the rest is another parcel's.
func (p *Pack) Part() {
	p.Items = slices.DeleteFunc(p.Items, func(c Counted) bool { return c.In == 0 })
	for i := range p.Items {
		p.Items[i].Qty = p.Items[i].In
	}
	p.Stage = Boxed
}

// Missing is what is not in the box yet.
func (p *Pack) Missing() (out []Need) {
	for _, c := range p.Items {
		if c.In < c.Qty {
			out = append(out, Need{c.Item, c.Qty - c.In})
		}
	}
	return out
}

// Bounds of what a packer weighs: nothing weighs less than a gram, and no parcel carrier takes more than 70 kg.
const maxGrams = 70_000

// Grams reads a weight as scales and people write it: 412, 412 g, 0.412 kg; a number alone is grams. Errors: Invalid.
func Grams(s string) (int64, error) {
	text := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), ",", "."))
	scale := 1.0
	for _, u := range []struct {
		name  string
		grams float64
	}{{"kg", 1000}, {"g", 1}, {"lb", 453.59237}, {"oz", 28.349523125}} {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, scale = strings.TrimSpace(rest), u.grams
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	g := n*scale + 0.5
	if err != nil || strings.ContainsAny(text, "xpein") || !(g >= 1) || g >= maxGrams+1 {
		return 0, errs.New(errs.Invalid, "floor.Grams", "weight", "that is no weight: write grams, such as 412, or 0.412 kg; at most 70 kg")
	}
	return int64(g), nil
}

// MaxTimes bounds how many units one scan stands for.
const MaxTimes = 999

// Times reads a scan that stands for several units, 12*4006381333931; without a number it stands for one.
func Times(s string) (n int64, code string) {
	if at := strings.IndexByte(s, '*'); at > 0 && at <= 3 {
		if n, err := strconv.ParseInt(s[:at], 10, 64); err == nil && n >= 1 && n <= MaxTimes {
			return n, strings.TrimSpace(s[at+1:])
		}
	}
	return 1, s
}

// Lease is how long a station keeps a parcel without a scan: longer than packing the largest, short enough that a station that was left
// does not hold an order over the carrier's van.
const Lease = 5 * time.Minute

// Claim is who has a parcel.
type Claim struct {
	Parcel  string    `json:"parcel"`
	Station string    `json:"station"`
	Actor   string    `json:"actor,omitzero"`
	Until   time.Time `json:"until"`
}

// Take gives a parcel to a station, or keeps it there. had is who has it; the zero claim is nobody. Errors: Conflict, naming who has it.
func Take(had Claim, parcel, station, actor string, at time.Time) (Claim, error) {
	if had.Parcel != "" && had.Station != station && at.Before(had.Until) {
		return had, errs.New(errs.Conflict, "floor.Take", parcel, "station %s has this parcel (%s), until %s if nothing is scanned there", had.Station,
			cmp.Or(had.Actor, "somebody"), had.Until.UTC().Format("15:04 MST"))
	}
	return Claim{parcel, station, actor, at.Add(Lease)}, nil
}
