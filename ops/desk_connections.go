package ops

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// catchingUp is the state of a connection that works and has numbers to tell.
	catchingUp = "catching up"
	// driftScan findings are looked through for those of one connection or item.
	driftScan = 500
	// driftRows are shown.
	driftRows = 20
	// lateSweeps sweeps missed make the poll late.
	lateSweeps = 3
	// endsBefore is how long ahead the end of a login is worth a word.
	endsBefore = 7 * 24 * time.Hour
)

func (d *Desk) vendorTitle(name string) string {
	if v, ok := d.x.vendors[name]; ok {
		return cmp.Or(v.Describe().Title, name)
	}
	return name
}

// Connections is every wire to the outside, the apps behind them and what could be connected.
func (d *Desk) Connections(ctx context.Context) (view.Connections, error) {
	v := view.Connections{At: d.x.now(), Vendors: d.vendors()}
	s, err := d.survey(ctx)
	if err != nil {
		return v, err
	}
	err = d.read(ctx, "ops.Connections", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		grants, err := grantsByID(tx)
		if err != nil {
			return err
		}
		apps, err := tx.AppList()
		if err != nil {
			return err
		}
		for _, a := range apps {
			v.Apps = append(v.Apps, d.app(a, ch))
		}
		for _, c := range ch.rows {
			row := d.connection(c, s, grants[c.GrantID])
			mark, err := tx.WatermarkGet(c.ID, ordersStream)
			if err != nil {
				return err
			}
			row.Streams = d.streams(c, mark)
			v.Connections = append(v.Connections, row)
		}
		return nil
	})
	return v, err
}

func grantsByID(tx *store.Tx) (map[string]store.Grant, error) {
	rows, err := tx.GrantList()
	out := make(map[string]store.Grant, len(rows))
	for _, g := range rows {
		out[g.ID] = g
	}
	return out, err
}

// app is an app without its secrets, with the addresses to enter at the vendor.
func (d *Desk) app(a store.App, ch channels) view.App {
	out := view.App{ID: a.ID, Vendor: a.Vendor, Title: d.vendorTitle(a.Vendor) + " app " + a.ID, Key: a.Key, CreatedAt: a.CreatedAt}
	if d.o.PublicURL != "" {
		out.RedirectURL = d.o.PublicURL + "/apps/" + url.PathEscape(a.ID) + "/callback"
		out.WebhookURL = d.hookURL(a.Vendor, a.ID)
	}
	for _, c := range ch.rows {
		if c.AppID == a.ID {
			out.Shops++
		}
	}
	return out
}

// hookURL is where a vendor sends its webhooks of an app.
func (d *Desk) hookURL(vendor, app string) string {
	return strings.TrimRight(cmp.Or(d.x.o.PublicURL, d.o.PublicURL), "/") + "/hooks/" + vendor + "/" + app
}

// vendors are the systems we can connect to, by title.
func (d *Desk) vendors() []view.Vendor {
	var out []view.Vendor
	for _, v := range d.x.vendors {
		x := v.Describe()
		row := view.Vendor{Name: x.Vendor, Title: x.Title, Docs: x.Docs, Write: string(x.Write), Capabilities: capabilities(x)}
		for _, s := range x.AppSettings {
			row.AppSettings = append(row.AppSettings, view.Setting{Name: s.Name, Help: s.Help, Default: s.Default, Required: s.Required, Secret: s.Secret})
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b view.Vendor) int { return cmp.Compare(a.Title, b.Title) })
	return out
}

func capabilities(x driver.Description) []view.Capability {
	var out []view.Capability
	for _, c := range x.Capabilities {
		out = append(out, view.Capability{Name: c.Name, Support: string(c.Support), Why: c.Why, Link: c.Link})
	}
	return out
}

// Connection is one wire and what went over it lately. Errors: NotFound.
func (d *Desk) Connection(ctx context.Context, id string) (view.Connection, error) {
	var v view.Connection
	s, err := d.survey(ctx)
	if err != nil {
		return v, err
	}
	err = d.read(ctx, "ops.Connection", id, func(tx *store.Tx) error {
		c, err := tx.ConnectionGet(id)
		if err != nil {
			return err
		}
		g, err := tx.GrantGet(c.GrantID)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		v = d.connection(c, s, g)
		mark, err := tx.WatermarkGet(id, ordersStream)
		if err != nil {
			return err
		}
		if d.x.packages(id) {
			if v.Combine, err = combineMode(tx, id); err != nil {
				return err
			}
		}
		v.Streams = d.streams(c, mark)
		v.Webhooks, v.MessageAt = d.webhooks(c)
		v.Drift, err = d.drift(tx, func(listing string) bool { return strings.HasPrefix(listing, id+":") })
		return err
	})
	if w := d.x.wires.get(id); err == nil && w != nil {
		v.Errors, v.Requests = exchanges(w.session.Recent().Errors()), exchanges(w.session.Recent().Latest())
		v.Rates = d.rates(w)
	}
	return v, err
}

// connection is what lists show of a connection.
func (d *Desk) connection(c store.Connection, s survey, g store.Grant) view.Connection {
	w := d.wire(c)
	v := view.Connection{ID: c.ID, AppID: c.AppID, Vendor: c.Vendor, VendorTitle: d.vendorTitle(c.Vendor), Shop: cmp.Or(c.Name, c.ID), Region: c.Region, State: w.state,
		Text: w.text, Level: w.level, Simulated: d.x.o.Simulated, AccessExpires: ptr(g.AccessExpiresAt), LoginExpires: ptr(g.RefreshExpiresAt),
		Listings: s.listings[c.ID], Wrong: s.wrong[c.ID], Waiting: int64(w.waiting), LastSeen: w.seen}
	if x, ok := d.x.vendors[c.Vendor]; ok {
		v.Write, v.Capabilities = string(x.Describe().Write), capabilities(x.Describe())
	}
	if v.State == wireRight && v.Wrong > 0 {
		v.State = catchingUp
	}
	if v.Text == "" && v.Wrong > 0 {
		v.Text = capital(plural(v.Wrong, "listing is", "listings are")) + " being told a new number."
	}
	if v.LoginExpires != nil && v.Level == view.Good {
		if left := v.LoginExpires.Sub(d.x.now()); left < endsBefore {
			v.Level, v.Text = view.Watch, "The seller's consent ends in "+lasting(max(0, left))+"; connect the shop again before that."
		}
	}
	if n := s.unmapped[c.ID]; n > 0 && v.Text == "" {
		v.Text = capital(plural(n, "listing sells", "listings sell")) + " no item we know."
	}
	if v.Text == "" && v.Level == view.Good {
		v.Text = "Every listing shows the number it should."
	}
	return v
}

// streams are what is read behind the webhooks.
func (d *Desk) streams(c store.Connection, mark store.Watermark) []view.Stream {
	w := d.wire(c)
	s := view.Stream{Name: "orders", Watermark: mark.At, RunAt: w.sweptAt, Level: view.Good, Text: "polled every " + lasting(d.x.o.SweepEvery) + " as the safety net behind the webhooks"}
	if w.mark.After(mark.At) {
		s.Watermark = w.mark
	}
	switch age := d.x.now().Sub(w.sweptAt); {
	case w.sweptAt.IsZero():
		s.Level, s.Text = view.Watch, "not read to the end since the start of this program"
	case age > lateSweeps*d.x.o.SweepEvery:
		s.Level, s.Text = view.Watch, "last read to the end "+lasting(age)+" ago; it should be every "+lasting(d.x.o.SweepEvery)
	}
	return []view.Stream{s}
}

// webhooks are the topics the vendor sends, compared with where they should go, and when a message about orders last came.
func (d *Desk) webhooks(c store.Connection) ([]view.Webhook, *time.Time) {
	w := d.x.wires.get(c.ID)
	if w == nil {
		return nil, nil
	}
	w.mu.Lock()
	subs, last := slices.Clone(w.state.subscriptions), ptr(w.state.messageAt)
	w.mu.Unlock()
	ours := d.hookURL(c.Vendor, c.AppID)
	var out []view.Webhook
	for _, s := range subs {
		row := view.Webhook{Topic: s.Topic, Address: s.Address, State: "subscribed", Level: view.Good}
		if strings.TrimRight(s.Address, "/") != ours {
			row.State, row.Level = "other address", view.Watch
		}
		out = append(out, row)
	}
	if len(out) == 0 && d.x.o.PublicURL == "" {
		out = append(out, view.Webhook{Topic: "all", State: "missing", Level: view.Watch, Address: "no public address is configured; orders are polled only"})
	}
	return out, last
}

// drift are the findings about some listings, newest first.
func (d *Desk) drift(tx *store.Tx, meant func(listing string) bool) ([]view.Drift, error) {
	rows, err := tx.DriftList(0, driftScan)
	if err != nil {
		return nil, err
	}
	ch, err := readChannels(tx)
	cat := d.x.catalog.Load()
	var out []view.Drift
	for _, r := range rows {
		if meant(r.ListingID) && len(out) < driftRows {
			out = append(out, view.Drift{At: r.FoundAt, ListingID: r.ListingID, Channel: ch.of(cat.listings[r.ListingID].ConnectionID), Expected: r.Expected, Found: r.Found,
				RepairedAt: ptr(r.RepairedAt), Text: r.Actor})
		}
	}
	return out, err
}

func exchanges(in []driver.Exchange) []view.Exchange {
	out := make([]view.Exchange, len(in))
	for i, x := range in {
		out[i] = view.Exchange{At: x.At, Operation: string(x.Op), Status: x.Status, Code: x.Code, RequestID: x.RequestID, Took: x.Took, Err: x.Err}
	}
	return out
}

// rates is how much of the vendor's documented limits is used, as far as the log of the latest exchanges reaches back.
func (d *Desk) rates(w *wire) []view.Rate {
	now := d.x.now()
	latest := w.session.Recent().Latest()
	span := time.Minute
	if n := len(latest); n > 0 {
		if reach := now.Sub(latest[n-1].At); reach < span && reach > 0 && n > 50 { // the log is full of the last seconds
			span = max(reach, time.Second)
		}
	}
	used, slow := map[driver.Operation]int{}, map[driver.Operation]int64{}
	for _, x := range latest {
		if now.Sub(x.At) <= span {
			used[x.Op]++
		}
	}
	for _, x := range w.session.Recent().Errors() {
		if x.Status == tooMany && now.Sub(x.At) <= time.Hour {
			slow[x.Op]++
		}
	}
	var out []view.Rate
	for _, op := range []driver.Operation{driver.OpOrders, driver.OpOrder, driver.OpListings, driver.OpQuantities, driver.OpSet} {
		limit, ok := w.vendor.Limits.PerSecond[op]
		if !ok {
			limit = w.vendor.Limits.Default
		}
		out = append(out, view.Rate{Operation: string(op), Limit: limit, Used: float64(used[op]) / span.Seconds(), Throttled: slow[op]})
	}
	return out
}

// tooMany is the status of an answer that asks us to slow down.
const tooMany = 429

// AddApp keeps an operator's registration with a vendor.
func (d *Desk) AddApp(ctx context.Context, a view.AppDraft) (view.App, error) {
	row, err := d.x.AddApp(ctx, NewApp{Vendor: a.Vendor, Key: a.Key, Secret: a.Secret, Settings: a.Settings})
	if err != nil {
		return view.App{}, err
	}
	d.x.live.notify(view.TopicConnection + ":" + row.ID)
	return d.app(row, channels{}), nil
}

// ConnectStart is the vendor's consent page for an app.
func (d *Desk) ConnectStart(ctx context.Context, appID, redirect, actor string) (string, error) {
	return d.x.ConnectStart(ctx, appID, redirect, actor)
}

// ConnectFinish takes the vendor's answer and sets the shops to work.
func (d *Desk) ConnectFinish(ctx context.Context, appID string, answer url.Values, actor string) (view.Done, error) {
	ids, err := d.x.ConnectFinish(ctx, appID, answer, actor)
	if err != nil {
		return view.Done{}, err
	}
	var names []string
	err = d.read(ctx, "ops.ConnectFinish", appID, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		for _, id := range ids {
			names = append(names, ch.of(id))
		}
		return err
	})
	d.surveyed.stale()
	return view.Done{Sentence: and(names) + " is connected. Its orders and listings are being read; numbers are set after that."}, err
}
