package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/dial"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/store"
)

const hookSecret = "a-secret-of-some-length"

// watch is use-cases over a database whose clock, signals and receiver a test holds.
type watch struct {
	t    *testing.T
	x    *Ops
	mu   sync.Mutex
	at   time.Time
	now  []alert.Signal
	blow error // what the source fails with
}

func newWatch(t *testing.T, url string) *watch {
	t.Helper()
	w := &watch{t: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	st, err := store.Open(t.Context(), url, store.Options{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return http.DefaultClient }
	w.x, err = New(Options{Store: st, Ring: ring, Now: w.clock, Client: client, Files: client, PublicURL: "https://ops.example.com/",
		Notify: notify.New(notify.Options{Reach: dial.Reach{Loopback: true}, Timeout: 300 * time.Millisecond})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.x.Stop()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.x.LoadOnly(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.x.AddSignals(func(context.Context) ([]alert.Signal, error) { return w.now, w.blow }, alert.ConnectionDown, alert.OrderSpike, alert.Drift)
	return w
}

func (w *watch) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watch) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets a time go by in steps of a minute: looking, deciding and, if asked to, sending.
func (w *watch) pass(d time.Duration, send bool) {
	w.t.Helper()
	for range int(d / time.Minute) {
		w.mu.Lock()
		w.at = w.at.Add(time.Minute)
		w.mu.Unlock()
		w.must(w.x.stepAlerts(w.t.Context()))
		w.must(w.x.sendDigest(w.t.Context()))
		if send {
			w.must(w.x.sendAlerts(w.t.Context()))
		}
	}
}

func (w *watch) target(id string, role alert.Role, to string) {
	w.t.Helper()
	_, err := w.x.PutTarget(w.t.Context(), NewTarget{ID: id, Name: id, Role: role, Address: to, Actor: "lena"})
	w.must(err)
}

func (w *watch) open() []store.Incident {
	w.t.Helper()
	is, err := w.x.Incidents(w.t.Context(), 0)
	w.must(err)
	return is
}

// hooks is a receiver of webhooks that can fail in every way.
type hooks struct {
	*httptest.Server
	mu   sync.Mutex
	fail func(w http.ResponseWriter, r *http.Request) bool // true: it has answered, or will not
	got  map[string]int                                    // by delivery: how often it was taken
	text []string
}

func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{got: map[string]int{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fail != nil && h.fail(w, r) {
			return
		}
		var m struct{ Title, Text, Link string }
		if err != nil || json.Unmarshal(body, &m) != nil || r.Header.Get(notify.HeaderSignature) == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.got[r.Header.Get(notify.HeaderDelivery)]++
		h.text = append(h.text, m.Title+"\n"+m.Text+"\n"+m.Link)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hooks) url() string {
	return "webhook://" + hookSecret + "@" + strings.TrimPrefix(h.URL, "http://") + "/x"
}

func (h *hooks) failing(f func(http.ResponseWriter, *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = f
}

func (h *hooks) texts() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.text...)
}

func gone(shop string) alert.Signal {
	return alert.Signal{Cause: alert.Cause{Kind: alert.ConnectionDown, Subject: shop}, Shop: shop, Severity: alert.Critical, Text: shop + " does not answer."}
}

func TestAnIncidentFromItsFirstSignToItsPostmortem(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w, h := newWatch(t, url), newHooks(t)
		ctx := t.Context()
		w.target("eng", alert.Engineering, h.url())
		w.now = []alert.Signal{gone("shop-1"), {Cause: alert.Cause{Kind: alert.OrderSpike, Subject: "shop-1"}, Text: "Many orders.",
			Figures: []alert.Figure{{Name: "times the daily average", Value: 4_000, Unit: alert.Times}}}}
		w.pass(10*time.Minute, true)
		is := w.open()
		if len(is) != 2 || is[0].Number == 0 || is[0].Number == is[1].Number {
			t.Fatalf("%+v", is)
		}
		if got := h.texts(); len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "https://ops.example.com/incidents/"+is[0].ID) {
			t.Fatalf("%q", got)
		}
		i := is[0]
		if i.Kind != alert.OrderSpike {
			i = is[1]
		}
		for range 2 { // each deed twice: the second changes nothing
			_, err := w.x.Acknowledge(ctx, i.ID, "lena")
			w.must(err)
			w.must(w.x.AddTask(ctx, incident.Task{ID: "own", IncidentID: i.ID, Text: "Call the carrier.", Owner: "lena", CreatedBy: "lena"}))
			w.must(w.x.SetTask(ctx, i.ID, "own", true, "mo"))
		}
		w.must(w.x.Note(ctx, i.ID, "mo", "It was the LIVE."))
		w.now = nil
		w.pass(3*time.Hour, true)
		for range 2 {
			_, err := w.x.Resolve(ctx, i.ID, "lena", "all sent")
			w.must(err)
		}
		f, err := w.x.IncidentFile(ctx, i.ID)
		w.must(err)
		kinds := map[alert.EntryKind]int{}
		for _, e := range f.Entries {
			kinds[e.Kind]++
		}
		for k, n := range map[alert.EntryKind]int{alert.EntryOpened: 1, alert.EntryAcknowledged: 1, alert.EntryTelling: 2, alert.EntryDelivered: 2, alert.EntryGone: 1, alert.EntryResolved: 1, alert.EntryNote: 1} {
			if kinds[k] != n {
				t.Errorf("%d lines of kind %s, want %d: %+v", kinds[k], k, n, f.Entries)
			}
		}
		if f.Phase != alert.Resolved || len(f.Tasks) != 11 {
			t.Errorf("%s with %d tasks", f.Phase, len(f.Tasks))
		}
		md, err := w.x.Postmortem(ctx, i.ID, time.UTC)
		w.must(err)
		for _, want := range []string{"It was the LIVE.", "- [x] Call the carrier. (mo", "- [ ] ", "Taken up by | lena"} {
			if !strings.Contains(md, want) {
				t.Errorf("%q is not in\n%s", want, md)
			}
		}
		if _, err := w.x.Acknowledge(ctx, i.ID, "lena"); !errs.Is(err, errs.Conflict) {
			t.Errorf("acknowledged when over: %v", err)
		}
		_, err = w.x.Reopen(ctx, i.ID, "lena")
		w.must(err)
		if len(w.open()) != 1 {
			t.Error("not open again")
		}
		if _, err := w.x.Acknowledge(ctx, "none", "lena"); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
	})
}

func TestWithoutConfigurationIncidentsAreKeptAndNothingIsSent(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(2*time.Hour, true)
	if is := w.open(); len(is) != 1 || len(is[0].Told) != 0 {
		t.Errorf("%+v", is)
	}
}

// Between the decision and the sending a process may end, at any place: another sends what was decided, and nothing twice that was noted.
func TestNoMessageIsLostWhenAProcessEndsBetweenDecidingAndSending(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		h := newHooks(t)
		first := newWatch(t, url)
		first.target("eng", alert.Engineering, h.url())
		first.now = []alert.Signal{gone("shop-1")}
		first.pass(10*time.Minute, false) // decided, and not sent
		// Claimed, sent, and the process ends before it notes that.
		var claimed []outgoing
		first.must(first.x.st.Update(t.Context(), func(tx *store.Tx) (err error) {
			claimed, err = claimDeliveries(tx, first.at)
			return err
		}))
		if len(claimed) != 1 {
			t.Fatalf("%+v", claimed)
		}
		first.must(first.x.tell(t.Context(), claimed[0].to, claimed[0].Delivery))
		if url[:6] == "sqlite" {
			first.must(first.x.sendAlerts(t.Context())) // while it is claimed nobody else sends it
			if len(h.texts()) != 1 {
				t.Fatal("sent by two")
			}
		}
		second := newWatch(t, url)
		second.now, second.at = first.now, first.at
		second.pass(9*time.Minute, true)
		for id, n := range h.got {
			if n != 2 {
				t.Errorf("%s was sent %d times", id, n)
			}
		}
		if len(h.got) != 1 {
			t.Errorf("%d messages, want one with the same id twice", len(h.got))
		}
	})
}

func TestTwoProcessesDecideOnce(t *testing.T) {
	url := pgtest.Start(t)
	h := newHooks(t)
	both := []*watch{newWatch(t, url), newWatch(t, url)}
	both[0].target("eng", alert.Engineering, h.url())
	for n := range 10 {
		both[0].now = append(both[0].now, gone(fmt.Sprint("shop-", n)))
	}
	both[1].now = both[0].now
	for range 8 {
		var wg sync.WaitGroup
		for _, w := range both {
			w.mu.Lock()
			w.at = w.at.Add(time.Minute)
			w.mu.Unlock()
			wg.Go(func() {
				// Both may begin the same incident in the same moment: the loser is told so and sees it a moment later.
				if err := w.x.stepAlerts(t.Context()); err != nil && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
				if err := w.x.sendAlerts(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if is := both[0].open(); len(is) != 10 {
		t.Errorf("%d incidents", len(is))
	}
	if got := h.texts(); len(got) != 1 || !strings.Contains(got[0], "10 channels cannot be worked") {
		t.Errorf("%q", got)
	}
}

func TestAReceiverThatFailsIsTriedAgainAndThenGivenUp(t *testing.T) {
	w, h := newWatch(t, "sqlite:"+t.TempDir()+"/a.db"), newHooks(t)
	w.target("eng", alert.Engineering, h.url())
	calls := 0
	h.failing(func(rw http.ResponseWriter, r *http.Request) bool {
		switch calls++; calls {
		case 1:
			rw.WriteHeader(http.StatusInternalServerError)
		case 2:
			<-r.Context().Done() // hangs until the sender gives up
		case 3:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			return false
		}
		return true
	})
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(9*time.Minute, true)
	if got := h.texts(); len(got) != 1 || calls != 4 {
		t.Errorf("%d calls, %q", calls, got)
	}
	// A wrong address is not tried for ever; that somebody cannot be told is an incident of its own, and others are told of it.
	h.failing(func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(http.StatusNotFound); return true })
	w.now = append(w.now, gone("shop-2"))
	w.pass(20*time.Minute, true)
	ds := w.deliveries("eng")
	if ds[0].State != store.DeliveryFailed || ds[0].Tries != refusedTries || strings.Contains(ds[0].Error, hookSecret) {
		t.Errorf("%+v", ds[0])
	}
	found := false
	for _, i := range w.open() {
		found = found || i.Kind == alert.Notify && i.Subject == "eng"
	}
	if !found {
		t.Error("nobody hears that alerts do not arrive")
	}
}

func (w *watch) deliveries(target string) (ds []store.AlertDelivery) {
	w.t.Helper()
	w.must(w.x.st.View(w.t.Context(), func(tx *store.Tx) (err error) { ds, err = tx.DeliveriesOf(target, 100); return err }))
	return ds
}

func TestASourceThatFailsResolvesNothing(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(10*time.Minute, false)
	w.now, w.blow = nil, errors.New("away")
	w.pass(time.Hour, false)
	var down, blind bool
	for _, i := range w.open() {
		down, blind = down || i.Kind == alert.ConnectionDown, blind || i.Kind == alert.Upkeep
	}
	if !down || !blind {
		t.Errorf("the incident is open: %t; that a source fails is told: %t", down, blind)
	}
	w.blow = nil
	w.pass(time.Hour, false)
	if is := w.open(); len(is) != 0 {
		t.Errorf("%+v", is)
	}
}

func TestAnAddressIsSealedAndNeverShown(t *testing.T) {
	w, h := newWatch(t, "sqlite:"+t.TempDir()+"/a.db"), newHooks(t)
	ctx := t.Context()
	w.target("eng", alert.Engineering, h.url())
	all, err := w.x.Targets(ctx)
	w.must(err)
	if shown := fmt.Sprintf("%+v %s", all, all[0].Sealed); strings.Contains(shown, hookSecret) {
		t.Error(shown)
	}
	if _, err := w.x.o.Ring.Open(targetPlace("other"), all[0].Sealed); err == nil {
		t.Error("it opens in another place")
	}
	w.must(w.x.TestTarget(ctx, "eng", "lena"))
	if got := h.texts(); len(got) != 1 || !strings.Contains(got[0], "lena tests") {
		t.Errorf("%q", got)
	}
	h.failing(func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(http.StatusForbidden); return true })
	if err := w.x.TestTarget(ctx, "eng", "lena"); !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), hookSecret) {
		t.Error(err)
	}
	if ds := w.deliveries("eng"); len(ds) != 2 {
		t.Errorf("%+v", ds)
	}
	// Changed without an address it keeps its own.
	_, err = w.x.PutTarget(ctx, NewTarget{ID: "eng", Name: "Engineer", Role: alert.Operations, Actor: "lena"})
	w.must(err)
	if got, err := w.x.TargetBy(ctx, "engineer"); err != nil || len(got.Sealed) == 0 || got.Role != alert.Operations {
		t.Errorf("%+v %v", got, err)
	}
	for range 2 {
		w.must(w.x.RemoveTarget(ctx, "eng", "lena"))
	}
	if err := w.x.TestTarget(ctx, "eng", "lena"); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
	for name, n := range map[string]NewTarget{"name": {Role: alert.Everyone, Address: h.url()}, "role": {Name: "x", Address: h.url()}, "address": {Name: "x", Role: alert.Everyone},
		"zone": {Name: "x", Role: alert.Everyone, Address: h.url(), Zone: "Nowhere/Town"}, "service": {Name: "x", Role: alert.Everyone, Address: "logger://"}} {
		if _, err := w.x.PutTarget(ctx, n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSilencesQuietHoursAndTheDigest(t *testing.T) {
	w, h := newWatch(t, "sqlite:"+t.TempDir()+"/a.db"), newHooks(t)
	ctx := t.Context()
	w.target("eng", alert.Engineering, h.url())
	for range 2 {
		w.must(w.x.AddSilence(ctx, alert.Silence{ID: "s", Shop: "shop-1", From: w.at, Until: w.at.Add(time.Hour), Author: "lena", Reason: "moving"}))
	}
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(30*time.Minute, true)
	if got := h.texts(); len(got) != 0 || len(w.open()) != 1 {
		t.Errorf("%q", got)
	}
	for range 2 {
		w.must(w.x.EndSilence(ctx, "s", "lena"))
	}
	w.pass(2*time.Minute, true)
	if got := h.texts(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	_, err := w.x.SetAlertSettings(ctx, "lena", func(s *AlertSettings) {
		s.Quiet = HouseQuiet{On: true, From: 9 * 60, Until: 12 * 60, Zone: "UTC"}
		s.Digest = DigestSetting{On: true, Day: time.Monday, Hour: 10, Role: alert.Engineering, Zone: "UTC"}
	})
	w.must(err)
	w.now = []alert.Signal{{Cause: alert.Cause{Kind: alert.Drift, Subject: "shop-2"}, Text: "Other numbers."}}
	w.pass(27*time.Minute, true) // 9:59: quiet, and the digest not due
	if got := h.texts(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	w.pass(3*time.Minute, true)
	if got := h.texts(); len(got) != 2 || !strings.Contains(got[1], "The week: ") {
		t.Errorf("%q", got)
	}
	for name, change := range map[string]func(*AlertSettings){
		"zone": func(s *AlertSettings) { s.Quiet.Zone = "Nowhere/Town" }, "hour": func(s *AlertSettings) { s.Digest.Hour = 24 },
		"role": func(s *AlertSettings) { s.Digest.Role = "cook" }, "steps": func(s *AlertSettings) { s.Steps = []alert.Step{{After: time.Hour}, {}} },
	} {
		if _, err := w.x.SetAlertSettings(ctx, "lena", change); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnOperatorsRunbookReplacesTheShippedOne(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	ctx := t.Context()
	if err := w.x.SetRunbooks(ctx, "id: x", "lena"); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	w.must(w.x.SetRunbooks(ctx, "id: connection\ntitle: Ours\ntrigger: {kind: connection_down}\nsteps: [{text: Call Ann.}]", "lena"))
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(10*time.Minute, false)
	f, err := w.x.IncidentFile(ctx, w.open()[0].ID)
	w.must(err)
	if len(f.Tasks) != 1 || f.Tasks[0].Text != "Call Ann." || f.Tasks[0].Owner != string(alert.Engineering) {
		t.Errorf("%+v", f.Tasks)
	}
}

// A runbook starts when its incident has grown so far, though it was opened for less.
func TestARunbookStartsWhenAnIncidentHasGrown(t *testing.T) {
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	spike := func(s alert.Severity, times int64) []alert.Signal {
		return []alert.Signal{{Cause: alert.Cause{Kind: alert.OrderSpike, Subject: "shop-1"}, Severity: s, Text: "Many orders.",
			Figures: []alert.Figure{{Name: "times the daily average", Value: times, Unit: alert.Times}}}}
	}
	w.must(w.x.SetRunbooks(t.Context(), "id: flood\ntitle: Ours\ntrigger: {kind: order_spike, at_least: critical}\nsteps: [{text: Call Ann.}]", "lena"))
	calls := func() (n int) {
		f, err := w.x.IncidentFile(t.Context(), w.open()[0].ID)
		w.must(err)
		for _, k := range f.Tasks {
			if k.Text == "Call Ann." {
				n++
			}
		}
		return n
	}
	w.now = spike(alert.Warning, 2_100)
	w.pass(10*time.Minute, false)
	if n := calls(); n != 0 {
		t.Errorf("%d tasks before it has grown", n)
	}
	w.now = spike(alert.Critical, 6_000)
	w.pass(10*time.Minute, false)
	w.pass(10*time.Minute, false)
	if n := calls(); n != 1 {
		t.Errorf("%d tasks when it has", n)
	}
}

func TestATimelineTellsWhatElseHappened(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		ctx := t.Context()
		w.must(w.x.PutItems(ctx, []catalog.Item{{ID: "mug", SKU: "MUG"}}))
		w.must(w.x.st.Update(ctx, func(tx *store.Tx) error {
			for _, h := range []store.Hold{{ID: "live", Title: "Friday LIVE", ConnectionID: "shop-1", From: w.at.Add(5 * time.Minute), Until: w.at.Add(20 * time.Minute)},
				{ID: "elsewhere", Title: "Other shop", ConnectionID: "shop-2", From: w.at, Until: w.at.Add(time.Hour)}, {ID: "old", Title: "Yesterday", ConnectionID: "shop-1", From: w.at.Add(-day), Until: w.at.Add(-20 * time.Hour)}} {
				h.ItemID, h.Qty = "mug", 500
				if err := tx.HoldPut(h); err != nil {
					return err
				}
			}
			return nil
		}))
		w.now = []alert.Signal{gone("shop-1")}
		w.pass(4*time.Minute, false)
		w.now = append(w.now, alert.Signal{Cause: alert.Cause{Kind: alert.Drift, Subject: "shop-1"}, Shop: "shop-1", Text: "Other numbers."})
		w.pass(30*time.Minute, false)
		var i store.Incident
		for _, o := range w.open() {
			if o.Kind == alert.ConnectionDown {
				i = o
			}
		}
		for range 2 { // written once
			w.must(w.x.fillTimelines(ctx, w.at))
		}
		f, err := w.x.IncidentFile(ctx, i.ID)
		w.must(err)
		var got []string
		for _, e := range f.Entries {
			if e.Kind == alert.EntryEvent {
				got = append(got, e.Text)
			}
		}
		want := []string{"The hold “Friday LIVE” ends.", "Incident 2 is opened: Other numbers.", "The hold “Friday LIVE” begins: 500 units are kept."}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q", got)
		}
	})
}
