package storybook

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

var (
	nodeSets = []view.Option{{ID: "", Label: "none"}, {ID: "us_federal", Label: "US federal holidays"}, {ID: "us_postal", Label: "US postal holidays"}}
	nodeAble = []view.Option{{ID: "fragile", Label: "fragile"}, {ID: "temperature", Label: "temperature-controlled"}, {ID: "hazmat", Label: "dangerous goods"}, {ID: "oversize", Label: "oversize"}}
)

// placeNodes says something of one warehouse and nothing of another.
func (b *Book) placeNodes() {
	week := [7]string{"08:00-12:00 60, 13:00-17:00 40", "08:00-12:00 60, 13:00-17:00 40", "08:00-12:00 60, 13:00-17:00 40", "08:00-12:00 60, 13:00-17:00 40", "08:00-14:00 60", "", ""}
	main := &view.NodePage{Form: view.NodeForm{ID: "berlin", Name: "Berlin", Kind: "own", Country: "DE", Postal: "12099", City: "Berlin", Zone: "Europe/Berlin", Active: true, Week: week,
		Closed: "2026-12-24..2026-12-26 Christmas", Overtime: "2026-11-28 08:00-14:00 60 Black Friday", Abilities: []string{"fragile"}, Currency: "EUR", PerOrder: "1.50", PerLine: "0.30", Above: "700", Percent: "25", Max: "1500",
		Lanes: []view.LaneForm{{Carrier: "DHL", Service: "Paket", Serves: "DE, AT", Pickups: "Mon-Fri 17:00 cut-off 30, Sat 12:00", MaxGrams: "31500", Abilities: []string{"fragile"}, ByZoneDays: "1 1 2 2 2 2 3 3 3"}, {Carrier: "DPD", Pickups: "Mon-Fri 16:30"}}, Version: 2},
		Lanes:   []view.NodeLane{{Carrier: "DHL Paket", Next: "Mon 23 Nov 17:00", CutOff: "11:30, over for today", Basis: "stated"}, {Carrier: "DPD", Next: "Mon 23 Nov 16:30", CutOff: "–", Basis: "stated"}},
		Parts:   []view.Input{{Name: "Clip · Nordlicht", Value: "71 %"}, {Name: "Clip · Outlet", Value: "29 %"}},
		History: []view.NodeChange{{Version: 2, Actor: "lena@nordlicht.example", At: b.now().AddDate(0, 0, -3), Text: "Friday, Overtime and Pick-ups of DHL"}, {Version: 1, Actor: "lena@nordlicht.example", At: b.now().AddDate(0, -1, 0), Text: "said for the first time"}}}
	main.Row = view.NodeRow{ID: "berlin", Name: "Berlin", Kind: "own warehouse", Where: "Berlin, 12099, DE", Zone: "Europe/Berlin", Active: true, Said: true, Today: "no shift today", Basis: "stated",
		BasisText: "as stated, at 87 % of that pace, as 61 hours with a queue show", Waiting: 412, Overdue: 3, Text: "412 orders wait, more than can be done by 2026-11-23; 3 past their deadlines", Level: view.Watch,
		Days: b.nodeDays([8]int64{0, 0, 348, 348, 348, 348, 313, 313}, [8]int64{0, 0, 371, 30, 8, 0, 0, 0}, [8]string{"", "", "08:00–17:00", "08:00–17:00", "08:00–17:00", "08:00–17:00", "08:00–14:00", "08:00–14:00"})}
	hub := &view.NodePage{Form: view.NodeForm{ID: "hub", Name: "Fulfil Hub", Kind: "3pl", Country: "US", Zone: "Europe/Berlin", Active: true}}
	hub.Row = view.NodeRow{ID: "hub", Name: "Fulfil Hub", Kind: "logistics provider", Active: true, Zone: "Europe/Berlin", Today: "hours are not said", Basis: "learned", BasisText: "learned from its best days; it never had a queue",
		Waiting: 12, Text: "12 orders wait", Level: view.Good, Days: b.nodeDays([8]int64{10, 0, 120, 120, 120, 120, 120, 0}, [8]int64{0, 0, 12, 0, 0, 0, 0, 0}, [8]string{})}
	b.nodes = []*view.NodePage{main, hub}
}

func (b *Book) nodeDays(can, due [8]int64, open [8]string) (out []view.NodeDay) {
	for i := range can {
		d := view.NodeDay{Day: b.dayBack(-i), Open: open[i], Capacity: can[i], Due: due[i], Coming: can[i] * 7 / 10}
		if d.Due > d.Capacity {
			d.Level = view.Watch
		}
		out = append(out, d)
	}
	return out
}

// Nodes lists where orders leave from.
func (b *Book) Nodes(context.Context) (view.Nodes, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Nodes{}, err
	}
	defer unlock()
	v := view.Nodes{At: b.now(), LoadAt: b.now()}
	for _, n := range b.nodes {
		v.Nodes = append(v.Nodes, n.Row)
	}
	if len(b.nodes) > 0 {
		v.Unknown = []string{"4 orders wait at warehouse 7391 of Clip · Outlet, which no place here stands for. Its pace is learned under that name."}
	}
	return v, nil
}

// Node is one of them; "" is a new one.
func (b *Book) Node(_ context.Context, id string) (view.NodePage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.NodePage{}, err
	}
	defer unlock()
	v := view.NodePage{New: id == "", Form: view.NodeForm{Active: true, Kind: "own", Zone: "Europe/Berlin", Lanes: make([]view.LaneForm, 1)}}
	if id != "" {
		n := b.nodeOf(id)
		if n == nil {
			return v, errs.New(errs.NotFound, "storybook.Node", id, "There is no node %s.", id)
		}
		v = *n
		v.Form.Lanes = append(slices.Clone(n.Form.Lanes), view.LaneForm{})
		v.Kept = b.kept(n.Form.Kind)
	}
	v.At, v.Sets, v.Able, v.Zones = b.now(), nodeSets, nodeAble, []string{"Europe/Berlin", "America/New_York", "America/Los_Angeles"}
	v.Accounts = []view.Option{{Label: "none"}}
	for _, a := range b.carriers {
		v.Accounts = append(v.Accounts, view.Option{ID: a.ID, Label: a.Name})
	}
	v.Kinds = []view.Option{{ID: "own", Label: "own warehouse"}, {ID: "store", Label: "own shop"}, {ID: "coop", Label: "shared warehouse"}, {ID: "3pl", Label: "logistics provider"}}
	return v, nil
}

func (b *Book) nodeOf(id string) *view.NodePage {
	i := slices.IndexFunc(b.nodes, func(n *view.NodePage) bool { return n.Form.ID == id })
	if i < 0 {
		return nil
	}
	return b.nodes[i]
}

// PreviewNode says what a draft changes, or what is wrong with it.
func (b *Book) PreviewNode(_ context.Context, d view.NodeDraft) (view.NodePreview, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.NodePreview{}, err
	}
	defer unlock()
	v := view.NodePreview{}
	if d.Name == "" {
		v.Wrong = append(v.Wrong, view.FieldError{Field: "name", Label: "Name", Text: "Write a name of at most 200 bytes."})
	}
	for i, text := range d.Week {
		if text != "" && !strings.Contains(text, "-") {
			v.Wrong = append(v.Wrong, view.FieldError{Field: "week" + strconv.Itoa(i+1), Label: [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}[i],
				Text: "“" + text + "” is no shift: write 08:00-16:00 60 for sixty orders an hour."})
		}
	}
	for i, l := range d.Lanes {
		if l.Pickups != "" && !strings.Contains(l.Pickups, ":") {
			v.Wrong = append(v.Wrong, view.FieldError{Field: "lane" + strconv.Itoa(i) + ".pickups", Label: "Pick-ups of " + l.Carrier, Text: "“" + l.Pickups + "” is no pick-up: write Mon-Fri 17:00 cut-off 30."})
		}
	}
	if len(v.Wrong) > 0 {
		return v, nil
	}
	was := view.NodeForm{}
	if n := b.nodeOf(d.ID); n != nil {
		was = n.Form
	}
	for _, c := range []struct{ what, from, to string }{{"Name", was.Name, d.Name}, {"Saturday", was.Week[5], d.Week[5]}, {"Closures", was.Closed, d.Closed}, {"Overtime", was.Overtime, d.Overtime}} {
		if c.from != c.to {
			v.Changes = append(v.Changes, view.Change{What: c.what, From: cmp.Or(c.from, "not said"), To: cmp.Or(c.to, "not said")})
		}
	}
	if len(v.Changes) == 0 {
		v.Refused = "Nothing is different from what is said already."
		return v, nil
	}
	v.Sentence = strconv.Itoa(len(v.Changes)) + " things of " + d.Name + " change; forecasts and routes take it from their next turn on."
	if len(v.Changes) == 1 {
		v.Sentence = "1 thing of " + d.Name + " changes; forecasts and routes take it from their next turn on."
	}
	v.Undo = "What was said before stays in the history below and can be entered again."
	return v, nil
}

// SaveNode keeps a draft.
func (b *Book) SaveNode(_ context.Context, d view.NodeDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	n := b.nodeOf(d.ID)
	switch {
	case n == nil:
		n = &view.NodePage{Row: view.NodeRow{ID: d.ID, Kind: "own warehouse", Active: true, Text: "nothing waits", Level: view.Good, Basis: "stated", BasisText: "as stated; no queue has tested the pace lately",
			Days: b.nodeDays([8]int64{}, [8]int64{}, [8]string{})}}
		b.nodes = append(b.nodes, n)
	case n.Form.Version != d.Version:
		return view.Done{}, errs.New(errs.Conflict, "storybook.SaveNode", d.ID, "somebody else has changed this node meanwhile; load it again and make the change there")
	}
	n.Form, n.Row.Name, n.Row.Said = d.NodeForm, d.Name, true
	n.Form.Version++
	n.History = append([]view.NodeChange{{Version: n.Form.Version, Actor: d.Actor, At: b.now(), Text: "what it says"}}, n.History...)
	b.tell(view.TopicNode, view.TopicNode+":"+d.ID)
	return view.Done{Sentence: d.Name + " is saved as version " + strconv.FormatInt(n.Form.Version, 10) + "."}, nil
}
