package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// patience is how long anything may take here; on a quiet machine all of it takes milliseconds.
const patience = 60 * time.Second

// day is a shop with three channels.
type day struct {
	t        *testing.T
	home     string
	database string // empty: embedded
	app      *app.App
	shops    []stage.Shop
	conns    []string
	articles []stage.Article
}

// open starts the program with empty shelves and connects three shops.
func open(t *testing.T) *day { t.Helper(); return openOn(t, "") }

func openOn(t *testing.T, database string) *day {
	t.Helper()
	d := &day{t: t, database: database, home: t.TempDir(), articles: []stage.Article{{SKU: "MUG", Title: "Mug", Cents: 1290}, {SKU: "APRON", Title: "Apron", Cents: 3450}}}
	d.start()
	t.Cleanup(func() {
		d.stop()
		for _, s := range d.shops {
			s.Stop()
		}
	})
	d.must(stage.Furnish(t.Context(), d.app, d.articles, func(int) int64 { return 0 }, "test"))
	log := slog.New(slog.DiscardHandler)
	for i, start := range []func() (stage.Shop, error){
		func() (stage.Shop, error) { return stage.TikTok("A", 1, -1, d.articles, log) },
		func() (stage.Shop, error) { return stage.Shopify("S", 2, shopify.Plus, d.articles, log) },
		func() (stage.Shop, error) { return stage.TikTok("B", 3, -1, d.articles, log) },
	} {
		s, err := start()
		d.must(err)
		d.shops = append(d.shops, s)
		ids, err := stage.Connect(t.Context(), d.app, s.App([]string{"a", "s", "b"}[i]), "test")
		d.must(err)
		d.conns = append(d.conns, ids...)
	}
	return d
}

func (d *day) start() {
	d.t.Helper()
	a, err := app.New(context.Background(), app.Options{Home: d.home, Database: d.database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, SweepEvery: 500 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(d.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	d.must(err)
	d.must(a.Start(context.Background()))
	d.app = a
}

func (d *day) stop() { d.must(d.app.Stop(context.Background())) }

func (d *day) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// eventually waits until what is said becomes true.
func (d *day) eventually(what string, check func() string) {
	d.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for wrong := check(); wrong != ""; wrong = check() {
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("%s: %s", what, wrong)
		}
	}
}

// receive books a delivery of an article.
func (d *day) receive(sku string, n int64) {
	d.t.Helper()
	d.must(d.app.Ops().Move(d.t.Context(), "test", []stock.Movement{{ID: id.New(), At: time.Now().UTC(), Kind: stock.Receive, ItemID: sku, LocationID: "main", OnHand: n}}, nil))
}

func (d *day) balance(sku string) (b stock.Balance) {
	d.t.Helper()
	d.must(d.app.Store().View(d.t.Context(), func(tx *store.Tx) error {
		bs, err := tx.Balances([]string{sku})
		for _, x := range bs {
			b.OnHand, b.Reserved, b.Damaged = b.OnHand+x.OnHand, b.Reserved+x.Reserved, b.Damaged+x.Damaged
		}
		return err
	}))
	return b
}

// sellable waits until a shop shows at least n of an article.
func (d *day) sellable(shop int, sku string, n int) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("shop %d shows %d %s", shop, n, sku), func() string {
		if has := d.shops[shop].Shows(sku); has < n {
			return fmt.Sprintf("it shows %d", has)
		}
		return ""
	})
}

func (d *day) buy(shop int, sku string, n int) string {
	d.t.Helper()
	var id string
	d.eventually(fmt.Sprintf("shop %d sells %d %s", shop, n, sku), func() string { // units may be on their way to it
		var err error
		if id, err = d.shops[shop].Place([]stage.Line{{SKU: sku, Qty: n}}); err != nil {
			return err.Error()
		}
		return ""
	})
	return d.conns[shop] + ":" + id
}

func (d *day) reserved(sku string, n int64) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("%d %s reserved", n, sku), func() string {
		if b := d.balance(sku); b.Reserved != n {
			return fmt.Sprintf("%+v", b)
		}
		return ""
	})
}

func (d *day) orderStatus(id string, want order.Status) {
	d.t.Helper()
	d.eventually("order "+id+" becomes "+string(want), func() string {
		var o []order.Order
		d.must(d.app.Store().View(d.t.Context(), func(tx *store.Tx) (err error) {
			o, err = tx.OrdersGet([]string{id})
			return err
		}))
		if len(o) == 0 {
			return "it is not known"
		}
		if o[0].Status != want {
			return "it is " + string(o[0].Status)
		}
		return ""
	})
}

// proved checks the whole: ledger, shorts, exposures.
func (d *day) proved() {
	d.t.Helper()
	p, err := d.app.Ops().Prove(d.t.Context())
	d.must(err)
	if !p.OK() {
		d.t.Fatalf("the books do not hold: %+v", p)
	}
}

func TestASellersDay(t *testing.T) { sellersDay(open(t)) }

func TestASellersDayOnPostgreSQL(t *testing.T) { sellersDay(openOn(t, pgtest.Start(t))) }

func sellersDay(d *day) {
	t := d.t
	d.receive("MUG", 90)
	for i := range d.shops {
		d.sellable(i, "MUG", 5)
	}
	first := d.buy(0, "MUG", 2)
	second := d.buy(1, "MUG", 3)
	third := d.buy(2, "MUG", 1)
	d.reserved("MUG", 6)
	d.proved()
	d.must(d.app.Store().View(t.Context(), func(tx *store.Tx) error {
		events, err := tx.EventsOf(first, 10)
		if len(events) == 0 || !bytes.Contains(events[0].Data, []byte(`"source":"`)) { // its webhook, or a sweep that was quicker
			t.Errorf("the order's events do not say where they came from: %+v", events)
		}
		return err
	}))

	// The warehouse ships one, a buyer changes his mind about another.
	d.must(d.shops[0].Ship(first[strings.IndexByte(first, ':')+1:]))
	d.must(d.shops[1].Cancel(second[strings.IndexByte(second, ':')+1:]))
	d.orderStatus(first, order.InTransit)
	d.orderStatus(second, order.Cancelled)
	d.reserved("MUG", 1)
	if b := d.balance("MUG"); b.OnHand != 88 {
		t.Errorf("on hand after shipping 2 of 90: %+v", b)
	}
	d.orderStatus(third, order.AwaitingShipment)
	d.proved()

	// A restart in the middle of the day changes nothing.
	d.stop()
	d.start()
	d.buy(0, "MUG", 1) // its webhook goes to the old address and is lost: the poll finds the sale
	d.reserved("MUG", 2)
	d.proved()
}

func TestSoldOutEverywhereIsSoldOutOnce(t *testing.T) {
	d := open(t)
	d.receive("APRON", 30)
	for i := range d.shops {
		d.sellable(i, "APRON", 1)
	}
	sold := 0
	d.eventually("all 30 are sold", func() string {
		for _, s := range d.shops {
			if _, err := s.Place([]stage.Line{{SKU: "APRON", Qty: 1}}); err == nil {
				sold++
			}
		}
		if sold < 30 {
			return fmt.Sprintf("%d sold", sold)
		}
		return ""
	})
	d.reserved("APRON", 30)
	active := 0
	for _, s := range d.shops {
		active += s.Active("APRON")
		if _, err := s.Place([]stage.Line{{SKU: "APRON", Qty: 1}}); err == nil {
			t.Error("a 31st unit could be bought")
		}
	}
	if active != 30 {
		t.Errorf("the shops sold %d of 30", active)
	}
	d.proved()
}

func TestALiveKeepsItsUnitsAndGivesThemBackAfterARestart(t *testing.T) {
	d := open(t)
	d.receive("MUG", 60)
	for i := range d.shops {
		d.sellable(i, "MUG", 3)
	}
	now := time.Now().UTC()
	h := store.Hold{ID: "live-1", ItemID: "MUG", ConnectionID: d.conns[2], Qty: 50, From: now, Until: now.Add(15 * time.Second), Title: "LIVE", CreatedBy: "test"}
	d.must(d.app.Ops().PutHold(t.Context(), h))
	d.sellable(2, "MUG", 25) // the rest is kept for it and follows as it sells
	d.eventually("the others give", func() string {
		if n := d.shops[0].Shows("MUG") + d.shops[1].Shows("MUG"); n > 10 {
			return fmt.Sprintf("they still show %d", n)
		}
		return ""
	})
	d.proved()
	d.stop()
	d.start() // the hold ends while nobody remembers having begun it
	d.eventually("the units return", func() string {
		if a, b := d.shops[0].Shows("MUG"), d.shops[1].Shows("MUG"); a < 5 || b < 5 {
			return fmt.Sprintf("shops show %d and %d", a, b)
		}
		return ""
	})
	d.proved()
}

func TestAnEditOnTheChannelIsFoundAndRepaired(t *testing.T) {
	d := open(t)
	d.receive("MUG", 40)
	d.sellable(1, "MUG", 5)
	d.must(d.shops[1].Edit("MUG", 500))
	d.must(d.app.Ops().CheckNumbers(t.Context()))
	d.eventually("the edit is repaired", func() string {
		if n := d.shops[1].Shows("MUG"); n > 40 {
			return fmt.Sprintf("the shop shows %d of 40", n)
		}
		return ""
	})
	d.eventually("the record says who, what, when", func() string {
		var drifts []store.Drift
		d.must(d.app.Store().View(t.Context(), func(tx *store.Tx) (err error) {
			drifts, err = tx.DriftList(0, 10)
			return err
		}))
		if len(drifts) == 0 || drifts[0].RepairedAt.IsZero() {
			return fmt.Sprintf("%+v", drifts)
		}
		return ""
	})
}

// Somebody writes 500 at the shop and a buyer takes 60 of 40 before anybody notices: the order must come in all the same, and what is
// missing must be said.
func TestWhatNobodyGaveTheChannelIsSoldAndKnown(t *testing.T) {
	d := open(t)
	d.receive("MUG", 40)
	d.sellable(1, "MUG", 5)
	d.must(d.shops[1].Edit("MUG", 500))
	d.orderStatus(d.buy(1, "MUG", 60), order.AwaitingShipment)
	d.eventually("20 units are short", func() string {
		if p, err := d.app.Ops().Prove(t.Context()); err != nil || p.Short != 20 || len(p.Books) > 0 {
			return fmt.Sprintf("%+v, %v", p, err)
		}
		return ""
	})
	d.receive("MUG", 30)
	d.reserved("MUG", 60)
	d.eventually("the books hold again", func() string {
		if p, err := d.app.Ops().Prove(t.Context()); err != nil || !p.OK() {
			return fmt.Sprintf("%+v, %v", p, err)
		}
		return ""
	})
}

func TestADeadChannelHoldsUpNoOther(t *testing.T) {
	d := open(t)
	d.receive("MUG", 60)
	for i := range d.shops {
		d.sellable(i, "MUG", 3)
	}
	d.eventually("shop 0 sells while it cannot be reached", func() string { // its number may have been on its way down to its share when it died
		_, err := d.shops[0].Faults().Add(world.Rule{Point: "*", Kind: world.Unavailable, Probability: 1})
		d.must(err)
		if _, err := d.shops[0].Place([]stage.Line{{SKU: "MUG", Qty: 1}}); err != nil {
			d.shops[0].Faults().Clear()
			return err.Error()
		}
		return ""
	})
	d.buy(1, "MUG", 2)
	d.buy(2, "MUG", 2)
	d.reserved("MUG", 4)
	d.shops[0].Faults().Clear()
	d.reserved("MUG", 5)
	d.proved()
}

func TestForgedTruncatedAndHugeWebhooksHaveNoEffect(t *testing.T) {
	d := open(t)
	d.receive("MUG", 10)
	body := `{"type":1,"tts_notification_id":"1","shop_id":"1","timestamp":1,"data":{"order_id":"1","order_status":"CANCEL","update_time":1}}`
	for _, c := range []struct {
		name, path string
		body       io.Reader
		status     int
	}{
		{"forged", "/hooks/tiktok/a", strings.NewReader(body), 401},
		{"truncated", "/hooks/tiktok/a", strings.NewReader(body[:40]), 401},
		{"empty", "/hooks/tiktok/a", strings.NewReader(""), 401},
		{"nested", "/hooks/tiktok/a", strings.NewReader(strings.Repeat("[", 100_000)), 401},
		{"10 MB", "/hooks/tiktok/a", bytes.NewReader(make([]byte, 10<<20)), 413},
		{"unknown app", "/hooks/tiktok/nobody", strings.NewReader(body), 404},
		{"unknown vendor", "/hooks/nobody/a", strings.NewReader(body), 404},
		{"forged for the other vendor", "/hooks/shopify/s", strings.NewReader(body), 401},
	} {
		resp, err := http.Post(d.app.URL()+c.path, "application/json", c.body)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", c.name, resp.StatusCode, c.status)
		}
	}
	d.must(d.app.Store().ViewInbox(t.Context(), func(tx *store.InboxTx) error {
		counts, err := tx.InboxCounts()
		if counts[store.InboxPending]+counts[store.InboxParked] > 0 {
			t.Errorf("something of it was stored: %v", counts)
		}
		return err
	}))
	d.proved()
}

// signed posts a webhook as the channel signs it.
func (d *day) signed(body string) int {
	d.t.Helper()
	mac := hmac.New(sha256.New, []byte("secret-1"))
	mac.Write([]byte("key-1" + body))
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.app.URL()+"/hooks/tiktok/a", strings.NewReader(body))
	d.must(err)
	req.Header.Set("Authorization", hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	d.must(err)
	resp.Body.Close()
	return resp.StatusCode
}

func TestAPoisonMessageIsSetAsideAndCanBeTriedAgain(t *testing.T) {
	d := open(t)
	d.receive("MUG", 10)
	d.sellable(0, "MUG", 1)
	poison := `{"type":1,"tts_notification_id":"poison-1","shop_id":"` + strings.TrimPrefix(d.conns[0], "tiktok-") + `","timestamp":1767225600,"data":{"order_id":{"not":"text"}}}`
	for range 2 { // a repeat of the same delivery changes nothing
		if status := d.signed(poison); status != 200 {
			t.Fatalf("status %d: a signed message is stored whatever it says", status)
		}
	}
	parked := func() (rows []store.InboxRow) {
		d.must(d.app.Store().ViewInbox(t.Context(), func(tx *store.InboxTx) (err error) {
			rows, err = tx.InboxParked(10)
			return err
		}))
		return rows
	}
	d.eventually("the message is set aside with its reason", func() string {
		if rows := parked(); len(rows) != 1 || rows[0].Reason == "" {
			return fmt.Sprintf("%d parked", len(rows))
		}
		return ""
	})
	d.buy(0, "MUG", 1)
	d.reserved("MUG", 1) // its neighbours go on
	n, err := d.app.Ops().RetryParked(t.Context(), nil)
	d.must(err)
	if n != 1 {
		t.Errorf("%d messages were tried again", n)
	}
	d.eventually("it is set aside again", func() string {
		if rows := parked(); len(rows) != 1 || rows[0].Tries < 2 {
			return fmt.Sprintf("%+v", rows)
		}
		return ""
	})
}
