package storybook

import (
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/ops/view"
)

// The invented vendors: one that only takes absolute numbers, one that compares before it sets.
const (
	clip = "clip"
	cart = "cart"
)

var channelNames = map[string]string{"clip-north": "Clip · Nordlicht", "cart-north": "Cart · Nordlicht", "clip-outlet": "Clip · Outlet"}

// stock is how one item stands: on hand, reserved and damaged in Berlin and at the 3PL, and what each channel was told.
type stock struct {
	sku, title    string
	berlin, porto [3]int64
	told          [3]int64 // clip-north, cart-north, clip-outlet; −1: not listed
	buffer        int64
	lastMin       int64
}

var stocks = []stock{
	{"MUG-01", "Enamel mug, fjord blue", [3]int64{640, 212, 4}, [3]int64{220, 31, 0}, [3]int64{402, 96, 60}, 30, 48},
	{"LAMP-02", "Paper lamp, 40 cm", [3]int64{84, 9, 1}, [3]int64{0, 0, 0}, [3]int64{32, 24, 8}, 4, 2},
	{"THROW-03", "Wool throw, undyed", [3]int64{310, 18, 0}, [3]int64{90, 2, 1}, [3]int64{150, 140, 60}, 20, 3},
	{"CANDLE-04", "Candle, spruce and smoke", [3]int64{1200, 88, 12}, [3]int64{400, 15, 0}, [3]int64{700, 500, 200}, 60, 7},
	{"POSTER-05", "Poster, aurora, A2", [3]int64{140, 6, 0}, [3]int64{0, 0, 0}, [3]int64{134, 134, -1}, 0, 1},
	{"KNIFE-06", "Butter knife, birch", [3]int64{56, 2, 0}, [3]int64{20, 0, 0}, [3]int64{30, 30, 10}, 4, 0},
	{"BOWL-07", "Serving bowl, ash", [3]int64{37, 1, 2}, [3]int64{12, 0, 0}, [3]int64{20, 16, -1}, 3, 0},
	{"SOCKS-08", "Socks, ribbed, 39–42", [3]int64{480, 22, 0}, [3]int64{260, 8, 0}, [3]int64{300, 280, 90}, 40, 4},
	{"TIN-09", "Storage tin, large", [3]int64{0, 0, 0}, [3]int64{18, 0, 0}, [3]int64{8, 8, -1}, 2, 0},
	{"BOARD-11", "Cutting board, oak", [3]int64{65, 3, 1}, [3]int64{0, 0, 0}, [3]int64{24, 30, -1}, 3, 0},
}

// stockUp fills the warehouses, with the journal that led there.
func (b *Book) stockUp() {
	start := b.opened.Add(-9 * 24 * time.Hour)
	for i, s := range stocks {
		it := &item{id: s.sku, title: s.title, buffer: s.buffer, lastMin: s.lastMin, balances: map[string]*view.Balance{}}
		b.items = append(b.items, it)
		b.fill(it, "berlin", "Berlin", "own", s.berlin, start.Add(time.Duration(i)*time.Minute))
		if s.porto[0] > 0 {
			b.fill(it, "porto", "Porto Logistica", "3PL", s.porto, start.Add(time.Duration(i)*time.Minute))
		}
		for c, conn := range []string{"clip-north", "cart-north", "clip-outlet"} {
			if s.told[c] >= 0 {
				it.listings = append(it.listings, b.listing(it, conn, s.told[c]))
			}
		}
	}
	b.inOrder()
	b.special()
}

// inOrder numbers the journal the way it would have been written: by time.
func (b *Book) inOrder() {
	slices.SortStableFunc(b.journal, func(x, y view.Movement) int { return x.RecordedAt.Compare(y.RecordedAt) })
	items := map[string]string{}
	for i := range b.journal {
		m := &b.journal[i]
		of := b.moved[m.ID]
		m.Seq, m.ID = int64(i+1), fmt.Sprintf("mv-%d", i+1)
		items[m.ID] = of
	}
	b.moved = items
}

// special gives single items the states pages must be able to show.
func (b *Book) special() {
	mug, poster, lamp := b.items[0], b.items[4], b.items[1]
	for _, l := range poster.listings {
		l.Mode, l.Rules.Mode, l.Risk = "shared", "shared", 134
		l.Why = "Shared mode: every channel shows all that is available, so the same units can be sold twice."
	}
	mug.listings[1].State, mug.listings[1].Level, mug.listings[1].Desired = "waiting for the barrier", view.Watch, 110
	mug.listings[1].Why = "14 units more than told: it sells faster now. Raised when Clip · Outlet has confirmed giving them."
	mug.listings[0].Why = "71 % of what may be promised, by its sales of the last ten minutes; 300 of it kept for the LIVE."
	lamp.listings[2].Rules = view.Rules{Max: 8, BufferPercent: 10, Priority: -1}
	bundle := &item{id: "SET-10", title: "Gift set: mug and candle", balances: map[string]*view.Balance{}, components: []view.Component{
		{ItemID: "MUG-01", SKU: "MUG-01", Title: mug.title, Qty: 1}, {ItemID: "CANDLE-04", SKU: "CANDLE-04", Title: b.items[3].title, Qty: 1},
	}}
	bundle.listings = append(bundle.listings, b.listing(bundle, "cart-north", 20))
	b.items = append(b.items, bundle)
}

func (b *Book) listing(it *item, conn string, n int64) *view.Listing {
	return &view.Listing{
		ID: conn + ":" + it.id, ConnectionID: conn, Channel: channelNames[conn], ExternalSKU: fmt.Sprintf("17294%s", it.id), Title: it.title,
		Told: &n, ToldAt: b.opened.Add(-4 * time.Minute), Exposure: n, Desired: n, Mode: "guarded", State: "right", Level: view.Good,
		Why: "Its share of what may be promised, by its sales of the last ten minutes.",
	}
}

// fill receives more than there is now and sells the difference, so that the journal has a history.
func (b *Book) fill(it *item, loc, name, kind string, q [3]int64, at time.Time) {
	it.balances[loc] = &view.Balance{LocationID: loc, Location: name, Kind: kind, Serves: "all channels"}
	sold := q[0] / 4
	b.move(view.Movement{Kind: "receive", OnHand: q[0] + sold, Text: "delivery note LS-2207", Actor: "lena@nordlicht.example"}, it, loc, at)
	for n, left := int64(0), sold; left > 0 && n < 6; n++ {
		qty := max(1, left/2)
		if n == 5 {
			qty = left
		}
		order := fmt.Sprintf("57717%07d", 1000+len(b.journal))
		day := at.Add(time.Duration(n+1) * 20 * time.Hour)
		b.move(view.Movement{Kind: "reserve", Reserved: qty, Text: "order " + order, Actor: "Clip · Nordlicht"}, it, loc, day)
		b.move(view.Movement{Kind: "ship", OnHand: -qty, Reserved: -qty, Text: "order " + order, Actor: "lena@nordlicht.example"}, it, loc, day.Add(5*time.Hour))
		left -= qty
	}
	if q[2] > 0 {
		b.move(view.Movement{Kind: "damage", Damaged: q[2], Text: "count sheet 41", Reason: "dropped in aisle 3", Actor: "lena@nordlicht.example"}, it, loc, b.opened.Add(-26*time.Hour))
	}
	for n, left := int64(0), q[1]; left > 0; n++ {
		qty := max(1, min(left, 40))
		b.move(view.Movement{Kind: "reserve", Reserved: qty, Text: fmt.Sprintf("%d orders of one batch", qty), Actor: "Clip · Nordlicht"}, it, loc, b.opened.Add(time.Duration(n-12)*4*time.Minute))
		left -= qty
	}
}

// connect opens the three shops, one of them in trouble.
func (b *Book) connect() {
	t, d := b.opened, time.Hour
	soon, year, refresh := t.Add(5*d), t.Add(300*24*d), t.Add(58*24*d)
	b.apps = []view.App{
		{ID: "clip-app", Vendor: clip, Title: "Clip Shop app", Key: "6f2k…91", CreatedAt: t.Add(-90 * 24 * d), RedirectURL: "https://ops.nordlicht.example/apps/clip-app/callback", WebhookURL: "https://ops.nordlicht.example/hooks/clip/clip-app", Shops: 2},
		{ID: "cart-app", Vendor: cart, Title: "Cart app", Key: "a01c…7e", CreatedAt: t.Add(-90 * 24 * d), RedirectURL: "https://ops.nordlicht.example/apps/cart-app/callback", WebhookURL: "https://ops.nordlicht.example/hooks/cart/cart-app", Shops: 1},
	}
	b.conns = []view.Connection{
		b.open("clip-north", "clip-app", clip, "Clip Shop", "Nordlicht", &soon, &year),
		b.open("cart-north", "cart-app", cart, "Cart", "Nordlicht", nil, nil),
		b.open("clip-outlet", "clip-app", clip, "Clip Shop", "Outlet", &soon, &refresh),
	}
	outlet := &b.conns[2]
	outlet.State, outlet.Level = "catching up", view.Watch
	outlet.Text = "It answered “too many requests” for 40 s; 6 listings wait for their push."
	outlet.Wrong, outlet.Waiting = 6, 6
	outlet.Rates[1].Used, outlet.Rates[1].Throttled = 9.6, 41
	for i := range 4 {
		outlet.Errors = append(outlet.Errors, view.Exchange{At: t.Add(time.Duration(-40-11*i) * time.Second), Operation: "set-quantities", Status: 429, Code: "36009004",
			RequestID: fmt.Sprintf("20261121-%04d", 7310-i), Took: 38 * time.Millisecond, Err: "too many requests; asked to wait 2 s"})
	}
	outlet.Errors = append(outlet.Errors, view.Exchange{At: t.Add(-3 * d), Operation: "orders", Took: 10 * time.Second, Err: "no answer within 10 s; read again and found complete"})
	fixed := t.Add(-50 * time.Minute)
	outlet.Drift = []view.Drift{{At: t.Add(-51 * time.Minute), ListingID: "clip-outlet:KNIFE-06", Channel: "Clip · Outlet", Expected: 10, Found: 25, RepairedAt: &fixed, Text: "changed by hand on the channel"}}
}

func (b *Book) open(id, app, vendor, title, shop string, access, login *time.Time) view.Connection {
	t := b.opened
	c := view.Connection{
		ID: id, AppID: app, Vendor: vendor, VendorTitle: title, Shop: shop, Region: "DE", State: "right", Level: view.Good, Simulated: true,
		Text: "Every listing shows the number it should.", AccessExpires: access, LoginExpires: login, LastSeen: t.Add(-2 * time.Second), Listings: 11,
		Streams: []view.Stream{
			{Name: "orders", Watermark: t.Add(-14 * time.Second), RunAt: t.Add(-9 * time.Second), Level: view.Good, Text: "polled every 10.0 s as the safety net behind the webhooks"},
			{Name: "quantities", Watermark: t.Add(-3 * time.Minute), RunAt: t.Add(-3 * time.Minute), Level: view.Good, Text: "no drift"},
		},
		Rates: []view.Rate{{Operation: "orders", Limit: 50, Used: 1.2}, {Operation: "set-quantities", Limit: 10, Used: 0.8}},
	}
	for i, topic := range []string{"order status", "order cancelled", "returns", "listing status", "authorisation"} {
		last := t.Add(time.Duration(-3-i*i*700) * time.Second)
		c.Webhooks = append(c.Webhooks, view.Webhook{Topic: topic, Address: "https://ops.nordlicht.example/hooks/" + vendor + "/" + app, State: "subscribed", LastAt: &last, Level: view.Good})
	}
	c.Webhooks[4].LastAt, c.MessageAt = nil, c.Webhooks[0].LastAt
	for i := range 12 {
		op := []string{"orders", "set-quantities", "quantities"}[i%3]
		c.Requests = append(c.Requests, view.Exchange{At: t.Add(time.Duration(-9*i-2) * time.Second), Operation: op, Status: 200, RequestID: fmt.Sprintf("20261121-%04d", 7400-i), Took: time.Duration(31+i*i%17) * time.Millisecond})
	}
	for _, v := range b.vendors {
		if v.Name == vendor {
			c.Capabilities, c.Write = v.Capabilities, v.Write
		}
	}
	return c
}

func vendors() []view.Vendor {
	able := func(no ...string) []view.Capability {
		var out []view.Capability
		for _, n := range []string{"order webhooks", "order poll", "order backfill", "stock read", "stock write", "several locations", "webhook registration", "token refresh", "cancellation events", "return events", "platform fulfilment stock", "tracking write"} {
			c := view.Capability{Name: n, Support: "yes", Why: "documented and tested against the simulator"}
			for _, x := range no {
				if x == n {
					c.Support, c.Why = "no", "the vendor does not offer it"
				}
			}
			if n == "tracking write" {
				c.Support, c.Why = "not yet", "comes with shipping"
			}
			out = append(out, c)
		}
		return out
	}
	return []view.Vendor{
		{Name: clip, Title: "Clip Shop", Docs: "docs/connectors/clip.md", Write: "absolute", Capabilities: able("order backfill"), AppSettings: []view.Setting{
			{Name: "service_id", Help: "The number in the consent address of your app.", Required: true},
			{Name: "host", Help: "Only for another region.", Default: "https://open.clip.example"},
		}},
		{Name: cart, Title: "Cart", Docs: "docs/connectors/cart.md", Write: "compare-and-set", Capabilities: able("token refresh", "platform fulfilment stock"), AppSettings: []view.Setting{
			{Name: "shop_domain", Help: "The shop’s own address, such as nordlicht.cart.example.", Required: true},
		}},
	}
}
