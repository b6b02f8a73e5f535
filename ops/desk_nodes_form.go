package ops

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops/view"
)

// nodeID is what a new node may be called by.
var nodeID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// formOf writes what is said of a node as people write it.
func formOf(n network.Node, version int64) view.NodeForm {
	f := view.NodeForm{ID: n.ID, Name: n.Name, Kind: string(n.Kind), Country: n.Place.Country, State: n.Place.State, Postal: n.Place.Postal, City: n.Place.City, Zone: n.Zone,
		Active: n.Active, Priority: writeNumber(n.Priority), Holidays: string(n.Closed.Holidays), Closed: writeClosed(n.Closed.Days), Overtime: writeOvertime(n.Overtime),
		PerOrder: writeMoney(n.Costs.PerOrder), PerLine: writeMoney(n.Costs.PerLine), PerUnit: writeMoney(n.Costs.PerUnit), PerBox: writeMoney(n.Costs.PerParcel),
		Above: writeNumber(n.Surge.Above), Percent: writeNumber(n.Surge.Percent), Max: writeNumber(n.Surge.Max), Version: version, Currency: currencyOf(n), Account: n.Account,
		Company: n.Place.Company, Line1: n.Place.Line1, Line2: n.Place.Line2, Phone: n.Place.Phone}
	for i, day := range weekdays {
		f.Week[i] = writeShifts(n.Shifts, day)
	}
	for _, a := range n.Abilities {
		f.Abilities = append(f.Abilities, string(a))
	}
	for _, l := range n.Lanes {
		x := view.LaneForm{Carrier: l.Carrier, Service: l.Service, Serves: strings.Join(l.Serves, ", "), Pickups: writePickups(l.Pickups), Holidays: string(l.Holidays), MaxGrams: writeNumber(l.MaxGrams),
			Abroad: writeMoney(l.Tariff.ByZone[0]), ByZone: writeNine(l.Tariff.ByZone[1:], writeMoney), PerPound: writeMoney(l.Tariff.PerPound),
			AbroadDays: writeNumber(l.Days[0]), ByZoneDays: writeNine(l.Days[1:], writeNumber[int]), Account: l.Account}
		for _, a := range l.Abilities {
			x.Abilities = append(x.Abilities, string(a))
		}
		f.Lanes = append(f.Lanes, x)
	}
	f.Lanes = append(f.Lanes, view.LaneForm{}) // room for one more
	return f
}

func currencyOf(n network.Node) string {
	all := []money.Amount{n.Costs.PerOrder, n.Costs.PerLine, n.Costs.PerUnit, n.Costs.PerParcel}
	for _, l := range n.Lanes {
		all = append(append(all, l.Tariff.ByZone[:]...), l.Tariff.PerPound)
	}
	for _, a := range all {
		if a.Currency != "" {
			return a.Currency
		}
	}
	return ""
}

// nodeReader reads a form and notes what is wrong with each field.
type nodeReader struct {
	wrong    []view.FieldError
	currency string
}

func (r *nodeReader) bad(field, label string, err error) {
	if err != nil {
		r.wrong = append(r.wrong, view.FieldError{Field: field, Label: label, Text: capital(strings.TrimSuffix(err.Error(), ".")) + "."})
	}
}

func readField[T any](r *nodeReader, field, label string, read func() (T, error)) T {
	v, err := read()
	r.bad(field, label, err)
	return v
}

func (r *nodeReader) number(field, label, text string) int64 {
	return readField(r, field, label, func() (int64, error) { return readNumber(text, 1_000_000_000) })
}

func (r *nodeReader) money(field, label, text string) money.Amount {
	return readField(r, field, label, func() (money.Amount, error) { return readMoney(text, r.currency) })
}

// readNode reads a draft, or says what is wrong with it.
func readNode(a view.NodeDraft, at time.Time) (network.Node, []view.FieldError) {
	r := &nodeReader{currency: strings.ToUpper(strings.TrimSpace(a.Currency))}
	line := strings.TrimSpace
	n := network.Node{ID: line(a.ID), Name: line(a.Name), Kind: network.Kind(a.Kind), Zone: line(a.Zone), Active: a.Active, Priority: int(r.number("priority", "Priority", a.Priority)),
		Place: network.Place{Country: strings.ToUpper(line(a.Country)), State: strings.ToUpper(line(a.State)), Postal: line(a.Postal), City: line(a.City),
			Company: line(a.Company), Line1: line(a.Line1), Line2: line(a.Line2), Phone: line(a.Phone)}, Account: line(a.Account)}
	if a.New && !nodeID.MatchString(n.ID) {
		r.bad("id", "Id", fmt.Errorf("write a short name of small letters, digits and hyphens, such as reno"))
	}
	for i, day := range weekdays {
		n.Shifts = append(n.Shifts, readField(r, fmt.Sprintf("week%d", i+1), day.String(), func() ([]network.Shift, error) { return readShifts(day, a.Week[i]) })...)
	}
	n.Closed.Holidays = calendar.Holidays(a.Holidays)
	n.Closed.Days = readField(r, "closed", "Closures", func() ([]calendar.Closure, error) { return readClosed(a.Closed, a.Actor) })
	n.Overtime = readField(r, "overtime", "Overtime", func() ([]network.Overtime, error) { return readOvertime(a.Overtime) })
	n.Abilities = abilitiesOf(a.Abilities)
	n.Costs = network.Costs{PerOrder: r.money("perorder", "Cost of an order", a.PerOrder), PerLine: r.money("perline", "Cost of a line", a.PerLine),
		PerUnit: r.money("perunit", "Cost of a unit", a.PerUnit), PerParcel: r.money("perbox", "Cost of a parcel", a.PerBox)}
	n.Surge = network.Surge{Above: r.number("above", "Surge from", a.Above), Percent: r.number("percent", "Surge", a.Percent), Max: r.number("max", "At most", a.Max)}
	for i, l := range a.Lanes {
		if empty := (view.LaneForm{}); l.Carrier == "" && l.Service == "" && l.Pickups == "" && l.Serves == "" && l.ByZone == empty.ByZone && l.PerPound == "" {
			continue
		}
		n.Lanes = append(n.Lanes, r.lane(fmt.Sprintf("lane%d.", i), l))
	}
	if len(r.wrong) == 0 {
		if err := tidied(n, calendar.DayOf(at, n.Location())).Check(); err != nil {
			r.wrong = append(r.wrong, fieldOf(err))
		}
	}
	return n, r.wrong
}

func (r *nodeReader) lane(at string, l view.LaneForm) network.Lane {
	name := cmp.Or(strings.TrimSpace(l.Carrier), "the new carrier")
	out := network.Lane{Carrier: strings.TrimSpace(l.Carrier), Service: strings.TrimSpace(l.Service), Holidays: calendar.Holidays(l.Holidays), MaxGrams: r.number(at+"maxgrams", "Weight limit of "+name, l.MaxGrams),
		Abilities: abilitiesOf(l.Abilities), Account: strings.TrimSpace(l.Account)}
	if out.Carrier == "" {
		r.bad(at+"carrier", "Carrier", fmt.Errorf("write the carrier’s name, as the channel calls it"))
	}
	for _, s := range pieces(l.Serves) {
		out.Serves = append(out.Serves, strings.ToUpper(s))
	}
	out.Pickups = readField(r, at+"pickups", "Pick-ups of "+name, func() ([]network.Pickup, error) { return readPickups(l.Pickups) })
	out.Tariff.ByZone[0] = r.money(at+"abroad", "Price abroad of "+name, l.Abroad)
	zones := readField(r, at+"byzone", "Prices of "+name, func() ([9]money.Amount, error) {
		return readNine(l.ByZone, "a price", func(text string) (money.Amount, error) { return readMoney(text, r.currency) })
	})
	copy(out.Tariff.ByZone[1:], zones[:])
	out.Tariff.PerPound = r.money(at+"perpound", "Price of a pound of "+name, l.PerPound)
	out.Days[0] = int(r.number(at+"abroaddays", "Days abroad of "+name, l.AbroadDays))
	road := readField(r, at+"byzonedays", "Days of "+name, func() ([9]int64, error) {
		return readNine(l.ByZoneDays, "days", func(text string) (int64, error) { return readNumber(text, 1000) })
	})
	for i, d := range road {
		out.Days[i+1] = int(d)
	}
	return out
}

func abilitiesOf(words []string) (out []network.Ability) {
	for _, a := range network.Abilities {
		if slices.Contains(words, string(a)) {
			out = append(out, a)
		}
	}
	return out
}

// checkFields lead from what network.Node.Check names to the field of the form.
var checkFields = map[string][2]string{"id": {"id", "Id"}, "name": {"name", "Name"}, "kind": {"kind", "Kind"}, "country": {"country", "Country"}, "place": {"city", "Place"}, "zone": {"zone", "Time zone"},
	"abilities": {"abilities", "Abilities"}, "surge": {"above", "Surge"}, "shifts": {"week1", "Hours"}, "overtime": {"overtime", "Overtime"}, "closed": {"closed", "Closures"}, "lanes": {"lane0.carrier", "Carriers"}, "costs": {"currency", "Costs"}}

// fieldOf is what Check says, by field. Before the field may stand the node's id.
func fieldOf(err error) view.FieldError {
	rest := errs.Safe(err)
	for range 2 {
		name, text, ok := strings.Cut(rest, ": ")
		if f, known := checkFields[strings.ToLower(name)]; ok && known {
			return view.FieldError{Field: f[0], Label: f[1], Text: capital(strings.TrimSuffix(text, ".")) + "."}
		}
		if ok {
			rest = text
		}
	}
	return view.FieldError{Field: "name", Label: "Node", Text: capital(strings.TrimSuffix(rest, ".")) + "."}
}

// nodeChanges is what differs between two things said of a node.
func nodeChanges(was, now network.Node) (out []view.Change) {
	a, b := formOf(was, 0), formOf(now, 0)
	differ := func(what, x, y string) {
		if x != y {
			out = append(out, view.Change{What: what, From: cmp.Or(strings.ReplaceAll(x, "\n", "; "), "not said"), To: cmp.Or(strings.ReplaceAll(y, "\n", "; "), "not said")})
		}
	}
	yes := map[bool]string{true: "active", false: "not active"}
	differ("Name", a.Name, b.Name)
	differ("Kind", nodeKinds[was.Kind], nodeKinds[now.Kind])
	differ("Where", whereOf(was.Place), whereOf(now.Place))
	differ("Sender", strings.Join([]string{a.Company, a.Line1, a.Line2, a.Phone}, " "), strings.Join([]string{b.Company, b.Line1, b.Line2, b.Phone}, " "))
	differ("Carrier account", a.Account, b.Account)
	differ("Time zone", a.Zone, b.Zone)
	if was.ID != "" {
		differ("State", yes[a.Active], yes[b.Active])
	}
	differ("Priority", a.Priority, b.Priority)
	for i, day := range weekdays {
		differ(day.String(), a.Week[i], b.Week[i])
	}
	differ("Holidays", setName(a.Holidays), setName(b.Holidays))
	differ("Closures", a.Closed, b.Closed)
	differ("Overtime", a.Overtime, b.Overtime)
	differ("Abilities", strings.Join(a.Abilities, ", "), strings.Join(b.Abilities, ", "))
	differ("Cost of an order", a.PerOrder, b.PerOrder)
	differ("Cost of a line", a.PerLine, b.PerLine)
	differ("Cost of a unit", a.PerUnit, b.PerUnit)
	differ("Cost of a parcel", a.PerBox, b.PerBox)
	differ("Currency", a.Currency, b.Currency)
	differ("Surge terms", surgeText(was.Surge), surgeText(now.Surge))
	for i := range max(len(was.Lanes), len(now.Lanes)) {
		x, y := view.LaneForm{}, view.LaneForm{}
		if i < len(was.Lanes) {
			x = a.Lanes[i]
		}
		if i < len(now.Lanes) {
			y = b.Lanes[i]
		}
		laneChanges(cmp.Or(y.Carrier, x.Carrier), x, y, differ)
	}
	return out
}

func laneChanges(name string, x, y view.LaneForm, differ func(what, x, y string)) {
	differ("Carrier "+name, strings.TrimSpace(x.Carrier+" "+x.Service), strings.TrimSpace(y.Carrier+" "+y.Service))
	differ("Pick-ups of "+name, x.Pickups, y.Pickups)
	differ("Account of "+name, x.Account, y.Account)
	differ(name+" serves", x.Serves, y.Serves)
	differ("Holidays of "+name, setName(x.Holidays), setName(y.Holidays))
	differ("Weight limit of "+name, x.MaxGrams, y.MaxGrams)
	differ(name+" takes", strings.Join(x.Abilities, ", "), strings.Join(y.Abilities, ", "))
	differ("Prices of "+name, strings.TrimSpace(x.ByZone+" "+x.Abroad), strings.TrimSpace(y.ByZone+" "+y.Abroad))
	differ("Price of a pound of "+name, x.PerPound, y.PerPound)
	differ("Days of "+name, strings.TrimSpace(x.ByZoneDays+" "+x.AbroadDays), strings.TrimSpace(y.ByZoneDays+" "+y.AbroadDays))
}

func setName(id string) string {
	for _, s := range holidaySets {
		if s.ID == id {
			return s.Label
		}
	}
	return id
}

func surgeText(s network.Surge) string {
	if s == (network.Surge{}) {
		return ""
	}
	return fmt.Sprintf("+%d %% above %d a day, at most %s", s.Percent, s.Above, cmp.Or(writeNumber(s.Max), "any number"))
}

// capacityChange is what becomes of the next seven days.
func capacityChange(was, now network.Node, at time.Time) []view.Change {
	week := func(n network.Node) string {
		days, err := n.Timetable()
		if err != nil || !days.Says() {
			return "learned"
		}
		return strconv.Itoa(int(network.Orders(days.Hours(at, at.AddDate(0, 0, 7)))+0.5)) + " orders"
	}
	from := "learned"
	if was.ID != "" {
		from = week(was)
	}
	if to := week(now); to != from {
		return []view.Change{{What: "The next seven days", From: from, To: to, Why: "by the stated pace; forecasts correct it by what is done"}}
	}
	return nil
}

// changesText names what changed in a line.
func changesText(changes []view.Change) string {
	var names []string
	for i, c := range changes {
		if i == 3 {
			names = append(names, plural(len(changes)-3, "thing more", "things more"))
			break
		}
		names = append(names, c.What)
	}
	return cmp.Or(and(names), "nothing")
}
