package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// spikeOf is a cause that began an hour before anybody saw it.
func spikeOf(shop string, began time.Time) alert.Signal {
	return alert.Signal{Cause: alert.Cause{Kind: alert.OrderSpike, Subject: shop}, Shop: shop, At: began, Text: "Many orders.", Figures: []alert.Figure{{Name: "orders in 24 hours", Value: 400}}}
}

// What people did about an incident stands in its timeline by itself: with who, when and where to look, that of its shop only, and nothing from after it.
func TestAnIncidentTellsWhatWasDoneAboutIt(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		ctx := t.Context()
		w.must(w.x.PutItems(ctx, []catalog.Item{{ID: "mug", SKU: "MUG"}}))
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			if err := tx.ConnectionPut(store.Connection{ID: "shop-1", Name: "Nordlicht", Vendor: "v", State: store.Paused}); err != nil {
				return err
			}
			return tx.ListingPut([]catalog.Listing{{ID: "shop-1:1", ConnectionID: "shop-1", ExternalSKU: "M1", ItemID: "mug", Active: true}})
		}))
		w.must(w.x.reloadCatalogue(ctx))
		began := w.at.Add(-time.Hour)
		w.now = []alert.Signal{spikeOf("shop-1", began)}
		w.pass(10*time.Minute, false)
		i := w.open()[0]
		w.must(w.x.noteCapacity(ctx, CapacityDone{ID: "c1", What: "cap", At: w.at, Actor: "lena", Sentence: "Nordlicht takes 300 orders a day.", Cap: "shop-1"}))
		w.must(w.x.noteCapacity(ctx, CapacityDone{ID: "c2", What: "cap", At: w.at, Actor: "lena", Sentence: "Another shop is capped.", Cap: "shop-2"}))
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			for _, err := range []error{
				tx.DriftAppend([]store.Drift{{ListingID: "shop-1:1", FoundAt: w.at, Expected: 3, Found: 9}}),
				tx.EventsAppend([]store.Event{{Kind: EventConnected, Subject: "shop-1", Data: jsonOf(map[string]string{"by": "mo"})}, {Kind: EventConnected, Subject: "shop-2"},
					{Kind: "routing.saved", Subject: "routing", Data: jsonOf(map[string]any{"by": "ann", "version": 2})}}),
				tx.DriftRepaired("shop-1:1", "Spillway set it back"),
			} {
				if err != nil {
					return err
				}
			}
			return nil
		}))
		lines := func(f IncidentFile) (out []string) {
			for _, e := range slices.SortedFunc(slices.Values(f.Entries), alert.Entry.Compare) {
				if e.Kind == alert.EntryEvent || e.Kind == alert.EntryBegan {
					out = append(out, fmt.Sprint(e.At.Sub(began).Minutes(), " ", e.Actor, ": ", e.Text, " ", f.Refs[e.ID].Kind))
				}
			}
			slices.Sort(out)
			return out
		}
		f, err := w.x.IncidentFile(ctx, i.ID) // before anything of it is stored
		w.must(err)
		want := []string{"0 : It began, by what is stored; it was seen first at 09:01 UTC. connection", "70 : M1 is put right: Spillway set it back. item", "70 : M1 shows 9 instead of 3. item",
			"70 ann: The rules of routing are changed. capacity", "70 lena: Nordlicht takes 300 orders a day. capacity", "70 mo: The shop is connected again. connection"}
		if got := lines(f); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		for range 2 { // stored it is told once
			w.must(w.x.fillTimelines(ctx, w.at))
		}
		if f, err = w.x.IncidentFile(ctx, i.ID); err != nil || !slices.Equal(lines(f), want) {
			t.Errorf("%q %v", lines(f), err)
		}
		_, err = w.x.Resolve(ctx, i.ID, "lena", "")
		w.must(err)
		w.pass(time.Minute, false)
		w.must(w.x.noteCapacity(ctx, CapacityDone{ID: "c3", What: "cap", At: w.at, Actor: "lena", Sentence: "After it was over.", Cap: "shop-1"}))
		w.must(w.x.fillTimelines(ctx, w.at))
		if f, err = w.x.IncidentFile(ctx, i.ID); err != nil || !slices.Equal(lines(f), want) {
			t.Errorf("%q %v", lines(f), err)
		}
		md := f.Postmortem(w.at, time.UTC)
		for _, want := range []string{"| Its cause began | 2026-03-02 08:00 |", "| Time to notice | 1 h 0", "| Orders of the shop that came in meanwhile | 0 |", "not known: no rules are known", "## What was done\n\n- 2026-03-02 09:10: "} {
			if !strings.Contains(md, want) {
				t.Errorf("%q is not in\n%s", want, md)
			}
		}
	})
}

// A timeline takes a bounded number of what else happened, on the page as in the store.
func TestATimelineIsBounded(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	w.now = []alert.Signal{spikeOf("shop-1", w.at)}
	w.pass(10*time.Minute, false)
	for n := range capacityKept {
		w.must(w.x.noteCapacity(t.Context(), CapacityDone{ID: fmt.Sprint("c", n), What: "cap", At: w.at, Actor: "lena", Sentence: fmt.Sprint("Cap ", n, "."), Cap: "shop-1"}))
	}
	var es []store.Event
	for range 2 * eventsOfOne {
		es = append(es, store.Event{Kind: EventConnected, Subject: "shop-1"})
	}
	w.must(w.x.st.Update(t.Context(), func(tx *store.Tx) error { return tx.EventsAppend(es) }))
	for range 2 {
		w.must(w.x.fillTimelines(t.Context(), w.at))
		f, err := w.x.IncidentFile(t.Context(), w.open()[0].ID)
		w.must(err)
		n := 0
		for _, e := range f.Entries {
			if e.Kind == alert.EntryEvent {
				n++
			}
		}
		if n != eventsKept {
			t.Errorf("%d lines of what else happened, want %d", n, eventsKept)
		}
	}
}

// The report tells the rate before, at its worst and at the end, with its limits, and what counts as late of those days.
func TestTheReportTellsHowTheRateMoved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		d, _ := judgedDesk(t, url, "a")
		began := judgedDay.Add(-30 * time.Hour)
		cause := alert.Cause{Kind: alert.RateBreach, Subject: "a ldr"}
		s := alert.Signal{Cause: cause, Shop: "a", Text: "x", At: began}
		i := store.Incident{Incident: alert.Incident{ID: "i", Cause: cause, First: s, Last: s, Since: judgedDay.Add(-29 * time.Hour), OpenedAt: judgedDay.Add(-29 * time.Hour), Phase: alert.Open}}
		facts := func() map[string]string {
			t.Helper()
			out := map[string]string{}
			if err := d.x.st.View(t.Context(), func(tx *store.Tx) error {
				f, err := d.x.incidentFacts(tx, i, judgedDay)
				for _, n := range f.Numbers {
					out[n.Name] = n.Value
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got := facts(); !strings.HasPrefix(got["Rates before, at their worst and after"], "not known: ") {
			t.Errorf("before anything was counted: %v", got)
		}
		d.take(t, "a", week(4)...)
		if _, err := d.x.CountHealth(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := facts()
		v, err := d.Health(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		points := gaugeNamed(t, v, "ldr").Trend.Points
		before := points[len(points)-3] // began on the day before the last
		for name, want := range map[string]string{"Late dispatch, at the end": "6.67 % of 60 (20 Mar)", "Late dispatch, at its worst": "6.67 % of 60 (20 Mar)",
			"Late dispatch, limits": "target 4 %, enforcement 10 %"} {
			if got[name] != want {
				t.Errorf("%s: %q, want %q", name, got[name], want)
			}
		}
		if want := fmt.Sprintf("of %d (18 Mar)", before.Den); !strings.HasSuffix(got["Late dispatch, the day before it began"], want) {
			t.Errorf("%q, want %q: %+v", got["Late dispatch, the day before it began"], want, before)
		}
		var late string
		for name, value := range got {
			if strings.HasPrefix(name, "Orders that count as dispatched late") {
				late = value
			}
		}
		if !strings.HasPrefix(late, "4 of ") {
			t.Errorf("%q are late, of which 4 were on these days: %v", late, got)
		}
	})
}

func TestThePageLeadsToWhatALineIsAbout(t *testing.T) {
	w, d := newWatchDesk(t)
	w.now = []alert.Signal{spikeOf("shop-1", w.at.Add(-time.Hour))}
	w.pass(10*time.Minute, false)
	var page view.Incident
	for _, i := range w.open() {
		if i.Kind == alert.OrderSpike {
			v, err := d.Incident(t.Context(), i.ID)
			w.must(err)
			page = v
		}
	}
	if len(page.Timeline) == 0 || page.Timeline[0].Kind != "began" || page.Timeline[0].Ref != (view.Ref{Kind: view.KindConnection, ID: "shop-1"}) {
		t.Errorf("%+v", page.Timeline)
	}
	got := map[string]string{}
	for _, f := range page.Figures {
		got[f.Name] = f.Value
	}
	if got["Noticed"] != "after 63 minutes" || got["Told"] != "nobody" || got["orders in 24 hours"] != "400" {
		t.Errorf("%v", got)
	}
}
