package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/store"
)

const (
	// eventsEvery is how often timelines are filled with what else happened.
	eventsEvery = time.Minute
	// eventsBefore is how long before an incident something may have to do with it.
	eventsBefore = time.Hour
	// eventsRead bounds each list that is read, eventsKept what an incident's timeline takes of them.
	eventsRead, eventsKept = 50, 100
)

// fillTimelines adds to the timelines of open incidents what else happened meanwhile: holds that begin and end, other incidents, other numbers on
// the same channel. What is there already is not written again.
func (x *Ops) fillTimelines(ctx context.Context, at time.Time) error {
	var fresh []alert.Entry
	var touched []string
	err := x.st.View(ctx, func(tx *store.Tx) error {
		fresh, touched = nil, nil
		live, err := liveIncidents(tx, at)
		if err != nil || len(live) == 0 {
			return err
		}
		m, err := readMeanwhile(tx, at, live)
		if err != nil {
			return err
		}
		for _, i := range live {
			have, err := tx.EntriesOf(i.ID, shownEntries)
			if err != nil {
				return err
			}
			known, events := map[string]bool{}, 0
			for _, e := range have {
				known[e.ID] = true
				if e.Kind == alert.EntryEvent {
					events++
				}
			}
			for _, e := range m.of(x.catalog.Load(), i, at) {
				if events < eventsKept && !known[e.ID] {
					events++
					fresh, touched = append(fresh, e), append(touched, i.ID)
				}
			}
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return err
	}
	if err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.EntriesAppend(fresh) }); err != nil {
		return err
	}
	x.live.notify(incidentTopics(unique(touched))...)
	return nil
}

// meanwhile is what happened lately.
type meanwhile struct {
	holds  []store.Hold
	drifts []store.Drift
	others []store.Incident
}

func readMeanwhile(tx *store.Tx, at time.Time, live []store.Incident) (m meanwhile, err error) {
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
	for _, i := range live {
		if i.OpenedAt.Before(first) {
			first = i.OpenedAt
		}
	}
	m.others, err = tx.IncidentsOpened(first.Add(-eventsBefore), eventsRead)
	return m, err
}

// of are the entries that belong into an incident's timeline.
func (m meanwhile) of(cat *catalogue, i store.Incident, at time.Time) (out []alert.Entry) {
	since := i.OpenedAt.Add(-eventsBefore)
	add := func(when time.Time, key, format string, args ...any) {
		if !when.Before(since) && !when.After(at) {
			out = append(out, alert.NewEntry(i.ID, when, alert.EntryEvent, "", fmt.Sprintf(format, args...), key))
		}
	}
	ofShop := func(shop string) bool { return i.Last.Shop == "" || shop == "" || shop == i.Last.Shop }
	for _, h := range m.holds {
		if ofShop(connectionOf(cat, h)) {
			add(h.From, "hold from "+h.ID, "The hold “%s” begins: %s are kept.", h.Title, unitsOf(h.Qty))
			add(h.Until, "hold until "+h.ID, "The hold “%s” ends.", h.Title)
		}
	}
	for _, o := range m.others {
		if o.ID != i.ID && ofShop(o.Last.Shop) {
			add(o.OpenedAt, "incident "+o.ID, "Incident %d is opened: %s", o.Number, o.First.Text)
		}
	}
	for _, d := range m.drifts {
		if l := cat.listings[d.ListingID]; i.Last.Shop != "" && l.ConnectionID == i.Last.Shop {
			add(d.FoundAt, fmt.Sprint("drift ", d.Seq), "%s shows %s instead of %s.", l.ExternalSKU, number(d.Found), number(d.Expected))
		}
	}
	return out
}
