package ops

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// eventsBefore is how long before an incident something may have to do with it.
	eventsBefore = time.Hour
	// eventsRead bounds each list that is read, eventsOfOne what is read about one thing, and eventsKept what an incident's timeline takes of all.
	eventsRead, eventsOfOne, eventsKept = 50, 20, 100
)

// storyLine is a line of a timeline with what it is about.
type storyLine struct {
	alert.Entry
	ref view.Ref
}

// meanwhile is what happened lately, by what is stored of it.
type meanwhile struct {
	holds  []store.Hold
	drifts []store.Drift
	others []store.Incident
	quiets []store.AlertSilence
	done   []CapacityDone
	events []store.Event // of shops, items, nodes, markets and rules, as the subjects of events name them
	market map[string]string
	nodes  map[string]string // their names
}

func (x *Ops) readMeanwhile(tx *store.Tx, at time.Time, of []store.Incident) (m meanwhile, err error) {
	past, err := tx.HoldsPast(at, eventsRead)
	if err != nil {
		return m, err
	}
	if m.holds, err = tx.HoldsActive(at); err != nil {
		return m, err
	}
	m.holds = append(m.holds, past...)
	if m.drifts, err = tx.DriftList(0, eventsRead); err != nil {
		return m, err
	}
	first := at
	for _, i := range of {
		if i.OpenedAt.Before(first) {
			first = i.OpenedAt
		}
	}
	if m.others, err = tx.IncidentsOpened(first.Add(-eventsBefore), eventsRead); err != nil {
		return m, err
	}
	if m.quiets, err = tx.SilenceList(at); err != nil {
		return m, err
	}
	if m.done, err = capacityDone(tx); err != nil {
		return m, err
	}
	nodes, err := tx.Nodes()
	if err != nil {
		return m, err
	}
	m.nodes = map[string]string{}
	for _, n := range nodes {
		m.nodes[n.ID] = n.Name
	}
	m.events, err = x.eventsAbout(tx, of, &m)
	return m, err
}

// eventsAbout reads the newest events about what the incidents are about.
func (x *Ops) eventsAbout(tx *store.Tx, of []store.Incident, m *meanwhile) (out []store.Event, err error) {
	m.market = map[string]string{}
	if rules := x.rules.Load(); rules != nil {
		for shop, j := range rules.of {
			if j != nil && j.rules != nil {
				m.market[shop] = j.rules.Market
			}
		}
	}
	cat := x.catalog.Load()
	subjects := []string{"routing"}
	for _, i := range of {
		s := scopeOf(i)
		subjects = append(subjects, string(i.Kind), s.shop, s.node, s.item, m.market[s.shop])
		n := 0
		for id, l := range cat.listings {
			if s.item != "" && l.ItemID == s.item && n < eventsOfOne {
				subjects, n = append(subjects, id), n+1
			}
		}
	}
	n := 0
	for id := range m.nodes {
		if n++; n <= eventsOfOne {
			subjects = append(subjects, id)
		}
	}
	for _, subject := range unique(subjects) {
		if subject == "" {
			continue
		}
		es, err := tx.EventsOf(subject, eventsOfOne)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	return out, nil
}

// scope is what an incident is about; what is empty is not said.
type scope struct{ shop, node, item string }

func scopeOf(i store.Incident) scope {
	s := scope{shop: i.Last.Shop, node: i.Last.Node}
	if i.Kind == alert.StockAhead {
		s.item = i.Subject
	}
	return s
}

// relates reports whether something of a shop, a node and an item may have to do with it. What is not said of either keeps nothing apart.
func (s scope) relates(o scope) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(s.shop, o.shop) && same(s.node, o.node) && same(s.item, o.item)
}

// aboutWork are the kinds that what is done about capacity, routes and rules has to do with.
var aboutWork = map[alert.Kind]bool{alert.RateBreach: true, alert.Forecast: true, alert.AccountRating: true, alert.LateOrders: true, alert.OrderSpike: true, alert.TrackingUpload: true,
	alert.Short: true, alert.StuckParcel: true}

// of are the lines that belong into an incident's timeline: from an hour before it until it was over.
func (m *meanwhile) of(cat *catalogue, i store.Incident, at time.Time) []storyLine {
	t := telling{m: m, cat: cat, i: i, s: scopeOf(i), since: i.OpenedAt.Add(-eventsBefore), until: at}
	if i.Phase == alert.Resolved && i.ResolvedAt.Before(at) {
		t.until = i.ResolvedAt
	}
	t.beginning()
	t.work()
	t.changes()
	t.holds()
	t.incidents()
	t.numbers()
	return t.out
}

// telling gathers the lines of one incident.
type telling struct {
	m            *meanwhile
	cat          *catalogue
	i            store.Incident
	s            scope
	since, until time.Time
	out          []storyLine
}

func (t *telling) add(when time.Time, actor, key string, ref view.Ref, format string, args ...any) {
	if !when.IsZero() && !when.Before(t.since) && !when.After(t.until) {
		t.out = append(t.out, storyLine{alert.NewEntry(t.i.ID, when, alert.EntryEvent, actor, fmt.Sprintf(format, args...), key), ref})
	}
}

// beginning says since when it is wrong: by what the signal knows of its cause, else since it was seen first.
func (t *telling) beginning() {
	at, text := t.i.Since, "First seen: "+t.i.First.Text
	if began := t.i.First.At; !began.IsZero() && began.Before(at) {
		at, text = began, "It began, by what is stored; it was seen first at "+t.i.Since.UTC().Format("15:04")+" UTC."
	}
	t.out = append(t.out, storyLine{alert.NewEntry(t.i.ID, at, alert.EntryBegan, "", text, ""), aboutRef(t.i.Incident)})
}

// aboutRef is the page of what an incident is about.
func aboutRef(i alert.Incident) view.Ref {
	switch {
	case i.Last.Order != "":
		return view.Ref{Kind: view.KindOrder, ID: i.Last.Order}
	case i.Kind == alert.StockAhead:
		return view.Ref{Kind: view.KindItem, ID: i.Subject}
	case i.Last.Shop != "" && (i.Kind == alert.RateBreach || i.Kind == alert.Forecast || i.Kind == alert.AccountRating || i.Kind == alert.LateOrders):
		return view.Ref{Kind: view.KindHealth, ID: i.Last.Shop}
	case i.Last.Shop != "":
		return view.Ref{Kind: view.KindConnection, ID: i.Last.Shop}
	}
	return view.Ref{}
}

// work is what was done about capacity: overtime, orders sent elsewhere, shops capped.
func (t *telling) work() {
	for _, c := range t.m.done {
		if !aboutWork[t.i.Kind] || !t.s.relates(scope{shop: c.Cap, node: c.Node}) {
			continue
		}
		text := c.Sentence
		if n := len(c.Orders); n > 0 {
			text += " " + plural(int64(n), "order went", "orders went") + "."
		}
		t.add(c.At, c.Actor, "capacity "+c.ID, view.Ref{Kind: view.KindCapacity}, "%s", text)
	}
}

// changes are the deeds of people that the log of events holds.
func (t *telling) changes() {
	for _, e := range t.m.events {
		var d struct {
			By, Actor, ID, Undone, Finished string
			Version, Orders, Moved          int64
		}
		if e.Kind == "capacity.done" || json.Unmarshal(e.Data, &d) != nil { // of a shape of its own
			continue
		}
		text, ref, of := t.changed(e, d.Orders, d.Moved)
		if text == "" || !t.s.relates(of) {
			continue
		}
		t.add(e.At, cmp.Or(d.By, d.Actor), fmt.Sprint("event ", e.Seq), ref, "%s", text)
	}
	for _, s := range t.m.quiets {
		if s.Covers(t.i.Last, s.From) {
			t.add(s.From, s.Author, "silence "+s.ID, view.Ref{Kind: view.KindAlerts}, "Its messages are kept still until %s UTC: %s", utcTime(s.Until), s.Reason)
		}
	}
}

// changed says what an event is about an incident; empty: nothing.
func (t *telling) changed(e store.Event, orders, moved int64) (text string, ref view.Ref, of scope) {
	work := aboutWork[t.i.Kind]
	switch {
	case e.Kind == EventConnected && e.Subject == t.s.shop:
		return "The shop is connected again.", view.Ref{Kind: view.KindConnection, ID: e.Subject}, of
	case e.Kind == EventConnectionState && e.Subject == t.s.shop:
		return "The connection is set to “" + stateIn(e.Data) + "”.", view.Ref{Kind: view.KindConnection, ID: e.Subject}, of
	case e.Kind == "hold.deleted" && e.Subject == t.s.item:
		return "A hold of it is ended early.", view.Ref{Kind: view.KindItem, ID: e.Subject}, of
	case e.Kind == "listing.rules" && t.s.item != "":
		l := t.cat.listings[e.Subject]
		return "The rules of its listing " + cmp.Or(l.SellerSKU, l.ExternalSKU) + " are changed.", view.Ref{Kind: view.KindItem, ID: l.ItemID}, scope{shop: l.ConnectionID, item: l.ItemID}
	case e.Kind == "routing.saved" && work:
		return "The rules of routing are changed.", view.Ref{Kind: view.KindCapacity}, of
	case e.Kind == "routing.replanned" && work:
		return fmt.Sprintf("All open orders are planned together: %s of %s leave from elsewhere.", number(moved), number(orders)), view.Ref{Kind: view.KindCapacity}, of
	case e.Kind == "node.saved" && work:
		return "What is said of " + cmp.Or(t.m.nodes[e.Subject], e.Subject) + " is changed.", view.Ref{Kind: view.KindCapacity}, scope{node: e.Subject}
	case (e.Kind == "policy.set" || e.Kind == "policy.ended") && work && e.Subject == t.m.market[t.s.shop]:
		return "A rule of ours for " + e.Subject + " is " + map[string]string{"policy.set": "set", "policy.ended": "ended"}[e.Kind] + ".", view.Ref{Kind: view.KindPolicy, ID: e.Subject}, of
	case e.Kind == "alert.rule" && e.Subject == string(t.i.Kind):
		return "How incidents of this kind are told is changed.", view.Ref{Kind: view.KindAlerts}, of
	}
	return "", ref, of
}

// stateIn reads a connection's state out of its event.
func stateIn(data json.RawMessage) string {
	var d struct{ State string }
	_ = json.Unmarshal(data, &d) // a state that cannot be read is said to be none
	return d.State
}

func (t *telling) holds() {
	for _, h := range t.m.holds {
		if !t.s.relates(scope{shop: connectionOf(t.cat, h), item: h.ItemID}) {
			continue
		}
		ref := view.Ref{Kind: view.KindHold, ID: h.ID}
		if h.CreatedBy != "" && h.CreatedAt.Before(h.From) {
			t.add(h.CreatedAt, h.CreatedBy, "hold made "+h.ID, ref, "The hold “%s” is entered: %s from %s UTC.", h.Title, unitsOf(h.Qty), utcTime(h.From))
		}
		t.add(h.From, "", "hold from "+h.ID, ref, "The hold “%s” begins: %s are kept.", h.Title, unitsOf(h.Qty))
		t.add(h.Until, "", "hold until "+h.ID, ref, "The hold “%s” ends.", h.Title)
	}
}

func (t *telling) incidents() {
	for _, o := range t.m.others {
		if o.ID != t.i.ID && t.s.relates(scopeOf(o)) {
			t.add(o.OpenedAt, "", "incident "+o.ID, view.Ref{Kind: view.KindIncident, ID: o.ID}, "Incident %d is opened: %s", o.Number, o.First.Text)
		}
	}
}

// numbers are those the channel showed instead of ours, and when they were put right.
func (t *telling) numbers() {
	for _, d := range t.m.drifts {
		l := t.cat.listings[d.ListingID]
		if (t.s.shop == "" && t.s.item == "") || l.ConnectionID == "" || !t.s.relates(scope{shop: l.ConnectionID, item: l.ItemID}) {
			continue
		}
		ref := view.Ref{Kind: view.KindItem, ID: l.ItemID}
		t.add(d.FoundAt, "", fmt.Sprint("drift ", d.Seq), ref, "%s shows %s instead of %s.", l.ExternalSKU, number(d.Found), number(d.Expected))
		t.add(d.RepairedAt, "", fmt.Sprint("drift repaired ", d.Seq), ref, "%s is put right: %s.", l.ExternalSKU, d.Actor)
	}
}

// withStory adds to what is stored of a timeline what is to be told and not stored yet, and says what each line is about.
func withStory(entries []alert.Entry, story []storyLine) ([]alert.Entry, map[string]view.Ref) {
	known, refs, events := map[string]bool{}, map[string]view.Ref{}, 0
	for _, e := range entries {
		known[e.ID] = true
		if e.Kind == alert.EntryEvent {
			events++
		}
	}
	for _, l := range story {
		refs[l.ID] = l.ref
		if !known[l.ID] && (l.Kind != alert.EntryEvent || events < eventsKept) {
			known[l.ID] = true
			entries = append(entries, l.Entry)
			if l.Kind == alert.EntryEvent {
				events++
			}
		}
	}
	return slices.SortedFunc(slices.Values(entries), func(a, b alert.Entry) int { return b.Compare(a) }), refs
}
