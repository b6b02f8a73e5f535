package ops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// What the overview shows adds up, within itself and with the item and order pages.
func TestDeskOverviewAddsUp(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.sell("S1", 2)
	}
	late := r.sell("S4", 1)
	r.rest()
	r.d.did(nil) // look anew
	v, err := r.d.Overview(t.Context())
	r.must(err)
	tr := v.Truth
	if tr.OnHand != 200 || tr.Reserved != 7 || tr.Available != tr.OnHand-tr.Reserved-tr.Damaged || tr.Items != 2 || tr.Movements != 6 {
		t.Errorf("truth %+v", tr)
	}
	if v.Open != 4 || v.OrdersLast != 4 || v.OrdersDay != 4 || int64(v.Orders.Points[59]+v.Orders.Points[58]) != 4 {
		t.Errorf("open %d, last minute %d, day %d, series %v", v.Open, v.OrdersLast, v.OrdersDay, v.Orders.Points)
	}
	if c := v.DueCount; c.Late+c.Hour+c.Today+c.Later != v.Open {
		t.Errorf("due counts %+v of %d open", c, v.Open)
	}
	if len(v.Due) != 4 || v.Due[0].Due == nil {
		t.Errorf("due rows %+v", v.Due)
	}
	var exposed, buffer int64
	for _, p := range v.Hot {
		sum := p.Buffer + p.Free
		for _, x := range p.Parts {
			sum += x.Exposure
			exposed += x.Exposure
			if x.Channel != "Dummy shop" {
				t.Errorf("channel %q", x.Channel)
			}
		}
		buffer += p.Buffer
		if sum != p.Available {
			t.Errorf("%s: parts, buffer and free sum to %d of %d available", p.ItemID, sum, p.Available)
		}
	}
	if len(v.Hot) != 2 || exposed != tr.Exposed || buffer != tr.Buffer {
		t.Errorf("hot %+v sum to %d exposed, %d buffer; truth %+v", v.Hot, exposed, buffer, tr)
	}
	if v.Hot[0].ItemID != "MUG" || v.Hot[0].LastMin != 6 {
		t.Errorf("hottest %+v", v.Hot[0])
	}
	if v.Oversold.Units != 0 || len(v.Oversold.Checks) < 3 {
		t.Errorf("oversold %+v", v.Oversold)
	}
	for _, c := range v.Oversold.Checks {
		if !c.OK {
			t.Errorf("check %+v", c)
		}
	}
	o, err := r.d.Order(t.Context(), late)
	r.must(err)
	if len(o.Reservations) != 1 || o.Reservations[0].Held != 1 || len(o.Timeline) < 2 || o.OrderLines[0].Held != 1 || o.OrderLines[0].ItemID != "LAMP" || len(o.Deadlines) == 0 {
		t.Errorf("order %+v", o)
	}
	f, err := r.d.Frame(t.Context())
	r.must(err)
	// The shop sells three SKUs we have no items for, and says so.
	if f.Shop != "Testhaus" || f.Health != view.Watch || f.Problems != 1 {
		t.Errorf("frame %+v", f)
	}
}

// The full proof runs in the background and appears with its time.
func TestDeskProof(t *testing.T) {
	r := newRig(t)
	r.until("the journal was added up", func() bool {
		v, err := r.d.Overview(t.Context())
		r.must(err)
		for _, c := range v.Oversold.Checks {
			if strings.Contains(c.Name, "journal") {
				return c.OK && strings.Contains(c.Text, "ago")
			}
		}
		return false
	})
}

// A page of the past shows what was known then, and its journal nothing that came after.
func TestDeskItemAsOf(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	now, err := r.d.Item(ctx, "MUG", nil, 0)
	r.must(err)
	then := now.At
	r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "dmg", Kind: "damage", ItemID: "MUG", LocationID: "main", Qty: 7, Actor: "lena"}))
	r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "more", Kind: "receive", ItemID: "MUG", LocationID: "main", Qty: 20, Actor: "lena"}))
	now, err = r.d.Item(ctx, "ITEM-S1", nil, 0) // people know the SKU
	r.must(err)
	if now.Total.OnHand != 120 || now.Total.Damaged != 7 || len(now.Journal) != 3 || now.AsOf || now.Journal[0].ID != "more" {
		t.Errorf("now %+v, journal %+v", now.Total, now.Journal)
	}
	past, err := r.d.Item(ctx, "MUG", &then, 0)
	r.must(err)
	if !past.AsOf || past.Total.OnHand != 100 || past.Total.Damaged != 0 || len(past.Journal) != 1 || past.Listings != nil {
		t.Errorf("past %+v, journal %+v", past.Total, past.Journal)
	}
	page, err := r.d.Item(ctx, "MUG", nil, now.Journal[0].Seq)
	r.must(err)
	if len(page.Journal) != 2 || page.Journal[0].ID != "dmg" {
		t.Errorf("second page %+v", page.Journal)
	}
}

func TestDeskUndo(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	onHand := func() int64 {
		v, err := r.d.Item(ctx, "MUG", nil, 0)
		r.must(err)
		return v.Total.OnHand
	}
	done := r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "r1", Kind: "receive", ItemID: "MUG", LocationID: "main", Qty: 5, Actor: "lena"}))
	again := r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "r1", Kind: "receive", ItemID: "MUG", LocationID: "main", Qty: 5, Actor: "lena"}))
	if done != again || onHand() != 105 {
		t.Errorf("the same receipt twice: %v, %v, %d on hand", done, again, onHand())
	}
	r.did(r.d.Undo(ctx, done.Undo, "lena"))
	if onHand() != 100 {
		t.Errorf("%d on hand after undo", onHand())
	}
	if _, err := r.d.Undo(ctx, done.Undo, "lena"); !errs.Is(err, errs.Conflict) {
		t.Errorf("undone twice: %v", err)
	}
	count := r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "c1", Kind: "count", ItemID: "MUG", LocationID: "main", Qty: 90, Actor: "lena"}))
	if onHand() != 90 {
		t.Errorf("%d on hand after the count", onHand())
	}
	r.did(r.d.Undo(ctx, count.Undo, "lena"))
	if onHand() != 100 {
		t.Errorf("%d on hand after the count was undone", onHand())
	}
	rules := view.RulesDraft{ListingID: r.listing("S1"), Rules: view.Rules{Max: 10}, Actor: "lena"}
	set := r.did(r.d.SetRules(ctx, rules))
	r.rest()
	if n := *r.told("MUG", "S1").Told; n > 10 {
		t.Errorf("told %d above the maximum of 10", n)
	}
	r.did(r.d.Undo(ctx, set.Undo, "lena"))
	if got := r.told("MUG", "S1").Rules; got != (view.Rules{}) {
		t.Errorf("rules after undo %+v", got)
	}
	if _, err := r.d.Undo(ctx, set.Undo, "lena"); !errs.Is(err, errs.Conflict) {
		t.Errorf("rules undone twice: %v", err)
	}
	for _, bad := range []string{"", "reverse nothing", "rules x y", "rules 1 y", "restore a b", "hold none", "delete everything"} {
		if v, err := r.d.Undo(ctx, bad, "lena"); err == nil {
			t.Errorf("undo %q did %v", bad, v)
		}
	}
}

// A preview says what then happens: the numbers it names are those the shop shows once all is done.
func TestDeskPreviewEqualsDeed(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	check := func(what string, v view.Preview, was map[string]int64) {
		t.Helper()
		r.rest()
		want := was
		for _, c := range v.Changes {
			for _, sku := range []string{"S1", "S3", "S4"} {
				seller := "ITEM-" + sku
				if strings.Contains(c.What, "· "+seller+" is told") {
					n, err := strconv.ParseInt(strings.ReplaceAll(c.To, ",", ""), 10, 64)
					r.must(err)
					want[sku] = n
				}
			}
		}
		for sku, n := range want {
			if got := r.shop.Stock(sku)["W1"]; got != n {
				t.Errorf("%s: %s shows %d, the preview said %d (%+v)", what, sku, got, n, v)
			}
		}
	}
	shown := func() map[string]int64 {
		return map[string]int64{"S1": r.shop.Stock("S1")["W1"], "S3": r.shop.Stock("S3")["W1"], "S4": r.shop.Stock("S4")["W1"]}
	}
	now := time.Now()
	hold := view.HoldDraft{ID: "h1", Title: "Evening LIVE", Item: "MUG", ConnectionID: r.conn, Qty: 80, From: now.Add(-time.Minute), Until: now.Add(time.Hour), Actor: "mia"}
	v, err := r.d.PreviewHold(ctx, hold)
	r.must(err)
	if v.Refused != "" || len(v.Changes) == 0 {
		t.Fatalf("preview %+v", v)
	}
	was := shown()
	r.did(r.d.CreateHold(ctx, hold))
	check("hold", v, was)
	if r.shop.Stock("S1")["W1"] < 40 { // the favoured listing is told at least half of what is kept for it at once
		t.Errorf("the favoured listing shows %d of 80 kept", r.shop.Stock("S1")["W1"])
	}

	receipt := view.StockDraft{ID: "more", Kind: "receive", ItemID: "MUG", LocationID: "main", Qty: 300, Actor: "lena"}
	v, err = r.d.PreviewStock(ctx, receipt)
	r.must(err)
	was = shown()
	r.did(r.d.AdjustStock(ctx, receipt))
	check("receipt", v, was)

	damage := view.StockDraft{ID: "wet", Kind: "damage", ItemID: "MUG", LocationID: "main", Qty: 290, Actor: "lena"}
	v, err = r.d.PreviewStock(ctx, damage)
	r.must(err)
	was = shown()
	r.did(r.d.AdjustStock(ctx, damage))
	check("damage", v, was)

	rules := view.RulesDraft{ListingID: r.listing("S4"), Rules: view.Rules{Mode: "fixed", Fixed: 12}, Actor: "lena"}
	v, err = r.d.PreviewRules(ctx, rules)
	r.must(err)
	was = shown()
	r.did(r.d.SetRules(ctx, rules))
	check("rules", v, was)

	v, err = r.d.PreviewHoldEnd(ctx, "h1")
	r.must(err)
	was = shown()
	r.did(r.d.DeleteHold(ctx, "h1", "mia"))
	check("end of the hold", v, was)
}

func TestDeskHolds(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	from := time.Now().Add(time.Hour)
	hold := view.HoldDraft{ID: "h1", Title: "Evening LIVE", Item: "ITEM-S1", ConnectionID: r.conn, Qty: 60, From: from, Until: from.Add(time.Hour), Actor: "mia"}
	done := r.did(r.d.CreateHold(ctx, hold))
	if again := r.did(r.d.CreateHold(ctx, hold)); again != done {
		t.Errorf("the same hold twice: %v, %v", done, again)
	}
	other := hold
	other.Qty = 61
	if _, err := r.d.CreateHold(ctx, other); !errs.Is(err, errs.Conflict) {
		t.Errorf("another hold under the same id: %v", err)
	}
	too := hold
	too.ID, too.Qty = "h2", 50 // 60 of 100 are promised to h1
	v, err := r.d.PreviewHold(ctx, too)
	r.must(err)
	if v.Refused == "" {
		t.Errorf("preview of too much: %+v", v)
	}
	if _, err := r.d.CreateHold(ctx, too); !errs.Is(err, errs.Insufficient) {
		t.Errorf("too much was kept: %v", err)
	}
	cal, err := r.d.Calendar(ctx)
	r.must(err)
	if len(cal.Upcoming) != 1 || len(cal.Active) != 0 || cal.Upcoming[0].Channel != "Dummy shop" || cal.Upcoming[0].SKU != "ITEM-S1" {
		t.Errorf("calendar %+v", cal)
	}
	gone := r.did(r.d.Undo(ctx, done.Undo, "mia"))
	if cal, err = r.d.Calendar(ctx); err != nil || len(cal.Upcoming) != 0 {
		t.Errorf("after undo %+v, %v", cal, err)
	}
	r.did(r.d.Undo(ctx, gone.Undo, "mia"))
	if cal, err = r.d.Calendar(ctx); err != nil || len(cal.Upcoming) != 1 || cal.Upcoming[0].Qty != 60 {
		t.Errorf("after the undo was undone %+v, %v", cal, err)
	}
	for _, bad := range []view.HoldDraft{
		{ID: "b1", Item: "nothing", ConnectionID: r.conn, Qty: 1, From: from, Until: from.Add(time.Hour)},
		{ID: "b2", Item: "MUG", ConnectionID: "elsewhere", Qty: 1, From: from, Until: from.Add(time.Hour)},
		{ID: "b3", Item: "MUG", ConnectionID: r.conn, Qty: 1, From: from.Add(-3 * time.Hour), Until: from.Add(-2 * time.Hour)},
	} {
		if _, err := r.d.CreateHold(ctx, bad); err == nil {
			t.Errorf("hold %+v was kept", bad)
		}
		if v, err := r.d.PreviewHold(ctx, bad); err == nil && v.Refused == "" {
			t.Errorf("preview of %+v: %+v", bad, v)
		}
	}
}

// Every figure there is can be opened and says what it is.
func TestDeskExplainsEveryFigure(t *testing.T) {
	r := newRig(t)
	id := r.sell("S1", 1)
	ids := map[string]string{view.FigurePromise: "MUG", view.FigureBalance: "MUG@main", view.FigureListing: r.listing("S1"), view.FigureDeadline: id,
		view.FigureWrong: r.conn, view.FigureWatermark: r.conn}
	figures := figureConstants(t)
	if len(figures) < 16 {
		t.Fatalf("found %d figures only", len(figures))
	}
	for _, f := range figures {
		v, err := r.d.Explain(t.Context(), f+ids[f])
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if v.Figure != f+ids[f] || v.Title == "" || v.Value == "" || v.Sentence == "" || v.Formula == "" || v.JudgedBy == "" && f != view.FigureOnHand && f != view.FigureAvailable && f != view.FigureBalance && f != view.FigureOrdersMinute && f != view.FigureWrong || v.At.IsZero() {
			t.Errorf("%s: %+v", f, v)
		}
		if len(v.Inputs) == 0 {
			t.Errorf("%s has no inputs", f)
		}
		for _, row := range v.Rows {
			if len(row) != len(v.Columns) {
				t.Errorf("%s: a row of %d cells under %d columns", f, len(row), len(v.Columns))
			}
		}
	}
	for _, f := range []string{"nothing", "promise:nothing", "balance:MUG", "balance:MUG@moon", "listing:x", "deadline:x", "wrong:x", "watermark:x", "oversold:x"} {
		if v, err := r.d.Explain(t.Context(), f); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %+v, %v", f, v, err)
		}
	}
}

// figureConstants reads the Figure constants out of the source, so that a new one cannot be forgotten here.
func figureConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "view/topic.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(s.Names[0].Name, "Figure") {
			text, err := strconv.Unquote(s.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, text)
		}
		return true
	})
	return out
}

func TestDeskConnection(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	all, err := r.d.Connections(ctx)
	r.must(err)
	if len(all.Apps) != 1 || all.Apps[0].Shops != 1 || all.Apps[0].RedirectURL == "" || len(all.Vendors) != 1 || len(all.Vendors[0].Capabilities) == 0 || len(all.Connections) != 1 {
		t.Errorf("connections %+v", all)
	}
	c, err := r.d.Connection(ctx, r.conn)
	r.must(err)
	if c.Level != view.Good || c.AccessExpires == nil || len(c.Requests) == 0 || len(c.Webhooks) != 1 || c.Webhooks[0].State != "subscribed" || c.Listings != 6 || len(c.Rates) == 0 || len(c.Streams) != 1 {
		t.Errorf("connection %+v", c)
	}
	if _, err := r.d.Connection(ctx, "none"); !errs.Is(err, errs.NotFound) {
		t.Errorf("an unknown connection: %v", err)
	}
	found, err := r.d.Search(ctx, "item-s1")
	r.must(err)
	if len(found.Hits) == 0 || found.Hits[0].Ref != (view.Ref{Kind: view.KindItem, ID: "MUG"}) {
		t.Errorf("found %+v", found)
	}
	items, err := r.d.Items(ctx, "", "")
	r.must(err)
	if len(items.Rows) != 2 || items.Total != 2 || items.Rows[0].Listings != 2 || items.Rows[0].OnHand != 100 {
		t.Errorf("items %+v", items)
	}
}

func TestDeskProblems(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	row := store.InboxRow{ID: "m1", Vendor: "dummy", ConnectionID: r.conn, Topic: "order", Body: []byte(`{"order_id":"5","status":"odd","buyer":{"name":"Ada Lovelace"}}`), State: store.InboxParked, Reason: "odd is no status"}
	r.must(r.st.UpdateInbox(ctx, func(tx *store.InboxTx) error { _, err := tx.InboxAppend([]store.InboxRow{row}); return err }))
	v, err := r.d.Problems(ctx)
	r.must(err)
	if v.Total != 1 || len(v.Parked) != 1 || v.Parked[0].Reason != row.Reason || strings.Contains(v.Parked[0].Excerpt, "Ada") || !strings.Contains(v.Parked[0].Excerpt, `"odd"`) {
		t.Errorf("problems %+v", v)
	}
	done := r.did(r.d.RetryParked(ctx, []string{"m1"}, "lena"))
	if !strings.HasPrefix(done.Sentence, "1 message is") {
		t.Errorf("said %q", done.Sentence)
	}
}
