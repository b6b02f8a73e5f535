package ops

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// nodeKinds are our words for what sort of place a node is.
var nodeKinds = map[network.Kind]string{network.Own: "own warehouse", network.Store: "own shop", network.Coop: "shared warehouse", network.ThreePL: "logistics provider",
	network.MCF: "marketplace that ships for others", network.FBT: "platform’s warehouse"}

var holidaySets = []view.Option{{ID: "", Label: "none"}, {ID: string(calendar.USFederal), Label: "US federal holidays"}, {ID: string(calendar.USPostal), Label: "US postal holidays"}}

var abilityWords = map[network.Ability]string{network.Fragile: "fragile", network.Temperature: "temperature-controlled", network.Hazmat: "dangerous goods", network.Oversize: "oversize"}

// usualZones are offered; any other may be written.
var usualZones = []string{"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Singapore", "Asia/Jakarta", "UTC"}

// Nodes is where orders leave from, with what each can do and has to do.
func (d *Desk) Nodes(ctx context.Context) (view.Nodes, error) {
	v := view.Nodes{At: d.x.now()}
	err := d.look(ctx, "ops.Nodes", "", func(tx *store.Tx) error {
		states, err := nodeStates(tx)
		if err != nil {
			return err
		}
		for _, s := range states {
			v.Nodes = append(v.Nodes, d.nodeRow(s, v.At))
		}
		load, err := nodeLoads(tx)
		if err != nil {
			return err
		}
		ch, err := readChannels(tx)
		v.LoadAt = load.At
		for _, key := range slices.Sorted(maps.Keys(load.Unknown)) {
			shop, code, _ := strings.Cut(key, " ")
			v.Unknown = append(v.Unknown, plural(load.Unknown[key], "order waits", "orders wait")+" at warehouse "+code+" of "+ch.of(shop)+", which no place here stands for. Its pace is learned under that name.")
		}
		return err
	})
	return v, err
}

// nodeRow is a node as the list shows it.
func (d *Desk) nodeRow(s NodeState, at time.Time) view.NodeRow {
	v := view.NodeRow{ID: s.Location.ID, Name: cmp.Or(s.Location.Name, s.Location.ID), Kind: kindWord(s), Active: s.Location.Active, Zone: d.home.String()}
	zone := d.home
	var days *network.Timetable
	if n := s.Said; n != nil {
		v.Said, v.Zone, v.Where, zone = true, n.Zone, whereOf(n.Place), n.Location()
		days, _ = n.Timetable()
	}
	today := calendar.DayOf(at, zone)
	for k := range loadDays {
		v.Days = append(v.Days, nodeDay(days, s.Load, today, k, at))
	}
	v.Today = cmp.Or(v.Days[0].Rests, v.Days[0].Open, "no shift today")
	if days == nil || !days.Says() {
		v.Today = cmp.Or(v.Days[0].Rests, "hours are not said")
	}
	v.Basis, v.BasisText = basisOf(s)
	if s.Load != nil {
		v.Waiting, v.Overdue = int64(s.Load.Waiting), int64(s.Load.Overdue)
	}
	v.Text, v.Level = loadText(v)
	return v
}

func kindWord(s NodeState) string {
	if s.Said != nil {
		return nodeKinds[s.Said.Kind]
	}
	if kinds := kindsOf[s.Location.Kind]; len(kinds) > 0 {
		return nodeKinds[kinds[0]]
	}
	return string(s.Location.Kind)
}

func whereOf(p network.Place) string {
	var out []string
	for _, x := range []string{p.City, strings.TrimSpace(p.State + " " + p.Postal), p.Country} {
		if x != "" {
			out = append(out, x)
		}
	}
	return strings.Join(out, ", ")
}

// nodeDay is the k-th day from today on. What the last forecast took a node to be good for is shown where there is one; else what is stated.
func nodeDay(days *network.Timetable, load *NodeLoad, today calendar.Day, k int, at time.Time) view.NodeDay {
	d := today + calendar.Day(k)
	v := view.NodeDay{Day: dayOf(d)}
	if days != nil {
		open := days.On(d)
		v.Rests = days.Rests(d)
		if len(open) > 0 { // overtime on a closed day
			v.Rests = ""
		}
		v.Open = hoursText(open, days.Zone())
		if k == 0 {
			open = days.Hours(at, (d + 1).Start(days.Zone()))
		}
		v.Capacity = int64(network.Orders(open) + 0.5)
	}
	if load != nil {
		v.Capacity, v.Due, v.Coming = int64(load.Capacity[k]+0.5), int64(load.Due[k]), int64(load.Coming[k]+0.5)
		if v.Due > v.Capacity {
			v.Level = view.Watch
		}
	}
	return v
}

// hoursText writes when a node works on a day; stretches that follow one another are one.
func hoursText(open []network.Stretch, zone *time.Location) string {
	var out []string
	for i := 0; i < len(open); {
		k := i
		for k+1 < len(open) && open[k+1].From.Equal(open[k].Until) {
			k++
		}
		until := open[k].Until.In(zone).Format("15:04")
		if until == "00:00" {
			until = "24:00"
		}
		out = append(out, open[i].From.In(zone).Format("15:04")+"–"+until)
		i = k + 1
	}
	return strings.Join(out, ", ")
}

// basisOf says what a node's capacity rests on.
func basisOf(s NodeState) (basis, text string) {
	stated := s.Said != nil && len(s.Said.Shifts) > 0
	switch {
	case stated && s.Load != nil && s.Load.Busy > 0 && s.Load.Basis == forecast.Stated:
		return "stated", fmt.Sprintf("as stated, at %.0f %% of that pace, as %s with a queue show", 100*s.Load.Factor, plural(s.Load.Busy, "hour", "hours"))
	case stated:
		return "stated", "as stated; no queue has tested the pace lately"
	case s.Load != nil && s.Load.Basis == forecast.Learned && s.Load.Busy > 0:
		return "learned", "learned from " + plural(s.Load.Busy, "hour", "hours") + " with a queue"
	case s.Load != nil && s.Load.Basis == forecast.Learned:
		return "learned", "learned from its best days; it never had a queue"
	}
	return "assumed", "assumed: weekdays 9 to 17, ten orders an hour, until it is said or shown"
}

// loadText says what waits beside what can be done.
func loadText(v view.NodeRow) (string, view.Level) {
	if !v.Active {
		return "not active: nothing new is promised from here", view.Quiet
	}
	if v.Waiting == 0 {
		return "nothing waits", view.Good
	}
	text, level := plural(v.Waiting, "order waits", "orders wait"), view.Good
	var sum, due int64
	for _, d := range v.Days {
		sum, due = sum+d.Capacity, due+d.Due
		if due+v.Overdue > sum && level == view.Good {
			level = view.Watch
			text += ", more than can be done by " + string(d.Day)
		}
	}
	if v.Waiting > sum {
		level, text = view.Bad, plural(v.Waiting, "order waits", "orders wait")+", more than eight days can do"
	}
	if v.Overdue > 0 {
		if level == view.Good {
			level = view.Watch
		}
		text += "; " + number(v.Overdue) + " past " + map[bool]string{true: "its deadline", false: "their deadlines"}[v.Overdue == 1]
	}
	return text, level
}

// NodePage is one node with its form. The id "" is a new one. Errors: NotFound.
func (d *Desk) Node(ctx context.Context, id string) (view.NodePage, error) {
	v := view.NodePage{At: d.x.now(), Sets: holidaySets, Zones: usualZones, New: id == ""}
	for _, a := range network.Abilities {
		v.Able = append(v.Able, view.Option{ID: string(a), Label: abilityWords[a]})
	}
	accounts, err := d.x.CarrierAccounts(ctx)
	if err != nil {
		return v, err
	}
	v.Accounts = []view.Option{{Label: "none"}}
	for _, a := range accounts {
		v.Accounts = append(v.Accounts, view.Option{ID: a.ID, Label: a.Name + " (" + a.Carrier + ")"})
	}
	if id == "" {
		v.Form = view.NodeForm{Active: true, Kind: string(network.Own), Zone: d.home.String(), Country: "US", Lanes: make([]view.LaneForm, 1)}
		v.Kinds = kindOptions(network.Own, network.Store, network.Coop, network.ThreePL)
		return v, nil
	}
	s, err := d.x.Node(ctx, id)
	if err != nil {
		return v, err
	}
	v.Row, v.Kinds = d.nodeRow(s, v.At), kindOptions(kindsOf[s.Location.Kind]...)
	n := network.Node{ID: id, Name: s.Location.Name, Kind: kindsOf[s.Location.Kind][0], Zone: d.home.String(), Active: s.Location.Active, Place: network.Place{Country: "US"}}
	version := int64(0)
	if s.Said != nil {
		n, version = s.Said.Node, s.Said.Version
		v.Lanes = lanesNow(n, v.At)
	}
	v.Form = formOf(n, version)
	err = d.look(ctx, "ops.Node", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		if s.Load != nil {
			for _, shop := range slices.Sorted(maps.Keys(s.Load.Parts)) {
				v.Parts = append(v.Parts, view.Input{Name: ch.of(shop), Value: fmt.Sprintf("%.0f %%", 100*s.Load.Parts[shop]), Text: "of what came in lately"})
			}
		}
		if v.Kept, err = d.nodeKept(tx, id); err != nil {
			return err
		}
		history, err := tx.NodeHistory(id, 0, nodeHistory)
		for i, h := range history {
			c := view.NodeChange{Version: h.Version, Actor: h.Actor, At: h.At, Text: "said for the first time"}
			if i+1 < len(history) {
				c.Text = changesText(nodeChanges(history[i+1].Node, h.Node))
			}
			v.History = append(v.History, c)
		}
		return err
	})
	return v, err
}

func kindOptions(kinds ...network.Kind) (out []view.Option) {
	for _, k := range kinds {
		out = append(out, view.Option{ID: string(k), Label: nodeKinds[k]})
	}
	return out
}

// lanesNow says when vans come next, and until when an order may come in to go with the last one today.
func lanesNow(n network.Node, at time.Time) (out []view.NodeLane) {
	days, err := n.Timetable()
	if err != nil {
		return nil
	}
	today := calendar.DayOf(at, days.Zone())
	for _, l := range n.Lanes {
		v := view.NodeLane{Carrier: strings.TrimSpace(l.Carrier + " " + l.Service), Next: "pick-ups are not said", CutOff: "–", Basis: "learned from its scans"}
		if van, ok := days.NextPickup(l, at); ok {
			v.Next, v.Basis = van.In(days.Zone()).Format("Mon 2 Jan 15:04"), "stated"
		} else if len(l.Pickups) > 0 {
			v.Next, v.Basis = "no van comes within a year", "stated"
		}
		if cut, ok := days.CutOff(l, today, 0); ok {
			v.CutOff = cut.In(days.Zone()).Format("15:04")
			if cut.Before(at) {
				v.CutOff += ", over for today"
			}
		}
		out = append(out, v)
	}
	return out
}

// PreviewNode works out what a draft changes.
func (d *Desk) PreviewNode(ctx context.Context, a view.NodeDraft) (view.NodePreview, error) {
	v := view.NodePreview{}
	n, wrong := readNode(a, d.x.now())
	if v.Wrong = wrong; len(wrong) > 0 {
		return v, nil
	}
	was, at, rests := network.Node{}, d.x.now(), false
	err := d.look(ctx, "ops.PreviewNode", "", func(tx *store.Tx) error {
		said, err := tx.NodeGet(n.ID)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		places, err := tx.Locations()
		if err != nil {
			return err
		}
		known := slices.ContainsFunc(places, func(l stock.Location) bool { return l.ID == n.ID })
		switch {
		case a.New && known:
			v.Wrong = append(v.Wrong, view.FieldError{Field: "id", Label: "Id", Text: "There is a place " + n.ID + " already; choose another id, or edit that one."})
			return nil
		case said.Version != a.Version:
			v.Refused = said.Actor + " has changed this node since this form was opened. Open it again and make the change there."
			return nil
		}
		was = said.Node
		if _, err := placeFor(tx, n); err != nil {
			v.Wrong = append(v.Wrong, fieldOf(err))
			return nil
		}
		rests = known && !n.Active
		return nil
	})
	if err != nil || len(v.Wrong) > 0 || v.Refused != "" {
		return v, err
	}
	changes := nodeChanges(was, n)
	if len(changes) == 0 {
		v.Refused = "Nothing is different from what is said already."
		return v, nil
	}
	v.Changes, v.Undo = changes, "What was said before stays in the history below and can be entered again."
	v.Changes = append(v.Changes, capacityChange(was, n, at)...)
	v.Sentence = plural(len(changes), "thing", "things") + " of " + n.Name + " " + map[bool]string{true: "changes", false: "change"}[len(changes) == 1] + "; forecasts and routes take it from their next turn on."
	if rests {
		v.Warnings = append(v.Warnings, "While it is not active, the units held there are promised to nobody new, and channels are told lower numbers.")
	}
	return v, nil
}

// SaveNode says what a draft says. Errors: as Ops.SaveNode.
func (d *Desk) SaveNode(ctx context.Context, a view.NodeDraft) (view.Done, error) {
	n, wrong := readNode(a, d.x.now())
	if len(wrong) > 0 {
		return view.Done{}, errs.New(errs.Invalid, "ops.SaveNode", n.ID, "%s: %s", wrong[0].Label, wrong[0].Text)
	}
	saved, err := d.x.SaveNode(ctx, n, a.Version, a.Actor)
	if err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: saved.Name + " is saved as version " + number(saved.Version) + "."}, nil
}
