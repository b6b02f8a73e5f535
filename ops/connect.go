package ops

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// consentTime is how long a seller may take to agree on the vendor's page.
	consentTime = 30 * time.Minute
	// mainLocation is made on the first connection, so that stock can be received at once.
	mainLocation = "main"
)

// Events of a connection: the seller agreed, by whose doing; and that it works, or does not, otherwise than by a person's doing.
const (
	EventConnected       = "connection.connected"
	EventConnectionState = "connection.state"
)

// appSecrets is the sealed part of an app.
type appSecrets struct {
	Secret    string `json:"secret"`
	OldSecret string `json:"old_secret,omitempty"`
}

// grantSecrets is the sealed part of a grant.
type grantSecrets struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

type knownApp struct {
	driver.App
	vendor string
}

// appCache keeps opened apps, which every webhook needs.
type appCache struct {
	mu    sync.RWMutex
	apps  map[string]knownApp
	doubt map[string]bool // may have changed: to be looked up again, and used as it is while the database is away
}

// doubtTime is how long a webhook waits for the look at an app that may have changed.
const doubtTime = 300 * time.Millisecond

// forget says that an app was changed, or that all may have been.
func (c *appCache) forget(appID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doubt == nil {
		c.doubt = map[string]bool{}
	}
	for id := range c.apps {
		if appID == "" || id == appID {
			c.doubt[id] = true
		}
	}
}

func (c *appCache) get(appID string) (a knownApp, known, sure bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a, known = c.apps[appID]
	return a, known, known && !c.doubt[appID]
}

func (c *appCache) put(appID string, a knownApp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apps == nil {
		c.apps = map[string]knownApp{}
	}
	c.apps[appID] = a
	delete(c.doubt, appID)
}

func (c *appCache) drop(appID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.apps, appID)
	delete(c.doubt, appID)
}

// app finds an app. One that was known before is good enough while the database is away: webhooks are taken then, too.
func (x *Ops) app(ctx context.Context, appID string) (knownApp, error) {
	was, known, sure := x.apps.get(appID)
	if sure {
		return was, nil
	}
	look := ctx
	if known {
		var cancel context.CancelFunc
		look, cancel = context.WithTimeout(ctx, doubtTime)
		defer cancel()
	}
	var row store.App
	err := x.st.View(look, func(tx *store.Tx) (err error) {
		row, err = tx.AppGet(appID)
		return err
	})
	switch {
	case errs.Is(err, errs.NotFound):
		x.apps.drop(appID)
		return knownApp{}, err
	case err != nil && known && ctx.Err() == nil:
		return was, nil
	case err != nil:
		return knownApp{}, err
	}
	a, err := x.openApp(row)
	if err != nil {
		return knownApp{}, err
	}
	x.apps.put(appID, a)
	return a, nil
}

func (x *Ops) openApp(row store.App) (knownApp, error) {
	plain, err := x.o.Ring.Open("app/"+row.ID, row.Sealed)
	if err != nil {
		return knownApp{}, err
	}
	var s appSecrets
	if err := json.Unmarshal(plain, &s); err != nil {
		return knownApp{}, errs.Wrap("ops.openApp", row.ID, err)
	}
	return knownApp{vendor: row.Vendor, App: driver.App{ID: row.ID, Key: row.Key, Secret: s.Secret, OldSecret: s.OldSecret, Settings: row.Settings}}, nil
}

// NewApp is an app as an operator enters it.
type NewApp struct {
	ID, Vendor, Key, Secret string
	Settings                map[string]string
}

// AddApp stores the operator's registration with a vendor. Secrets are sealed; settings the vendor does not know are refused.
func (x *Ops) AddApp(ctx context.Context, a NewApp) (store.App, error) {
	const op = "ops.AddApp"
	v, ok := x.vendors[a.Vendor]
	if !ok {
		return store.App{}, errs.New(errs.NotFound, op, a.Vendor, "no such vendor is known here")
	}
	settings, err := checkSettings(v.Describe().AppSettings, a.Settings)
	if err != nil {
		return store.App{}, err
	}
	if a.Secret == "" {
		return store.App{}, errs.New(errs.Invalid, op, "secret", "is needed: it signs requests and proves webhooks")
	}
	if a.ID == "" {
		a.ID = a.Vendor + "-" + id.New()[24:]
	}
	row := store.App{ID: a.ID, Vendor: a.Vendor, Key: strings.TrimSpace(a.Key), Settings: settings}
	row.Sealed = x.o.Ring.Seal("app/"+a.ID, jsonOf(appSecrets{Secret: strings.TrimSpace(a.Secret)}))
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		return tx.AppPut(row)
	})
	if err != nil {
		return store.App{}, errs.Wrap(op, a.ID, err)
	}
	x.apps.forget(a.ID)
	x.peers.tell(noticeApp + " " + a.ID)
	return row, nil
}

// checkSettings keeps what the vendor declares, fills defaults and refuses the rest.
func checkSettings(declared []driver.Setting, given map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range declared {
		v := strings.TrimSpace(given[s.Name])
		if v == "" {
			v = s.Default
		}
		if v == "" && s.Required {
			return nil, errs.New(errs.Invalid, "ops.AddApp", s.Name, "is needed: %s", s.Help)
		}
		if v != "" {
			out[s.Name] = v
		}
	}
	for name := range given {
		if !slices.ContainsFunc(declared, func(s driver.Setting) bool { return s.Name == name }) {
			return nil, errs.New(errs.Invalid, "ops.AddApp", name, "is not a setting of this vendor")
		}
	}
	return out, nil
}

// consent is a consent page a seller is looking at. It is kept where sessions are: the answer may come to another process, or after a restart.
type consent struct {
	AppID string `json:"app"`
	Actor string `json:"actor"`
}

// consentToken keeps consents apart from people's sessions.
func consentToken(state string) string { return "consent/" + state }

// ConnectStart returns the vendor's consent page for an app.
func (x *Ops) ConnectStart(ctx context.Context, appID, redirect, actor string) (string, error) {
	app, err := x.app(ctx, appID)
	if err != nil {
		return "", err
	}
	state := id.New() + id.New()
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		return tx.SessionCommit(consentToken(state), jsonOf(consent{AppID: appID, Actor: actor}), tx.Now().Add(consentTime))
	})
	if err != nil {
		return "", errs.Wrap("ops.ConnectStart", appID, err)
	}
	return x.vendors[app.vendor].ConsentURL(app.App, redirect, state)
}

// takeConsent finds the consent an answer belongs to and ends it.
func (x *Ops) takeConsent(ctx context.Context, state string) (c consent, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		data, found, err := tx.SessionFind(consentToken(state))
		if err != nil || !found {
			return err
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return err
		}
		return tx.SessionDelete(consentToken(state))
	})
	return c, err
}

// ConnectFinish takes the vendor's answer to a consent, stores the login and sets the shops to work. It returns their connection ids.
func (x *Ops) ConnectFinish(ctx context.Context, appID string, answer url.Values, actor string) ([]string, error) {
	const op = "ops.ConnectFinish"
	c, err := x.takeConsent(ctx, answer.Get("state"))
	if err != nil {
		return nil, errs.Wrap(op, appID, err)
	}
	if c.AppID == "" || c.AppID != appID || c.Actor != actor {
		return nil, errs.New(errs.Forbidden, op, "state", "does not belong to a consent begun here; start again from the connections page")
	}
	app, err := x.app(ctx, appID)
	if err != nil {
		return nil, err
	}
	grant, err := x.vendors[app.vendor].Exchange(ctx, app.App, x.o.Client(x.o.Simulated), answer)
	if err != nil {
		return nil, errs.Wrap(op, appID, err)
	}
	return x.connect(ctx, appID, grant, actor)
}

// Connect stores a grant with its shops and sets them to work.
func (x *Ops) Connect(ctx context.Context, appID string, grant driver.Grant) ([]string, error) {
	return x.connect(ctx, appID, grant, "")
}

func (x *Ops) connect(ctx context.Context, appID string, grant driver.Grant, actor string) ([]string, error) {
	const op = "ops.Connect"
	app, err := x.app(ctx, appID)
	if err != nil {
		return nil, err
	}
	if len(grant.Shops) == 0 {
		return nil, errs.New(errs.Invalid, op, appID, "the seller's consent covers no shop")
	}
	row := x.sealGrant(store.Grant{ID: appID + "/" + grant.Subject, AppID: appID, Subject: grant.Subject, SellerName: grant.SellerName}, grant)
	var ids []string
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		ids = nil
		if err := tx.GrantPut(row); err != nil {
			return err
		}
		for _, shop := range grant.Shops {
			c := store.Connection{ID: connectionID(app.vendor, shop), Vendor: app.vendor, Name: shop.Name, AppID: appID, GrantID: row.ID,
				ExternalID: shop.ExternalID, Region: shop.Region, ShopSettings: shop.Settings, State: store.Active}
			if err := tx.ConnectionPut(c); err != nil {
				return err
			}
			ids = append(ids, c.ID)
			if err := tx.EventsAppend([]store.Event{{Kind: EventConnected, Subject: c.ID, Data: jsonOf(map[string]string{"by": actor})}}); err != nil {
				return err
			}
		}
		return ensureLocation(tx)
	})
	if err != nil {
		return nil, errs.Wrap(op, appID, err)
	}
	if err := x.reloadCatalogue(ctx); err != nil {
		return nil, err
	}
	x.peers.tell(noticeLeases, noticeCatalogue)
	for _, id := range ids {
		if err := x.keeper.begin(ctx, id); err != nil {
			return ids, err
		}
	}
	return ids, nil
}

func ensureLocation(tx *store.Tx) error {
	places, err := tx.Locations()
	if err != nil || slices.ContainsFunc(places, func(l stock.Location) bool { return l.Kind == stock.Own }) {
		return err
	}
	return tx.LocationPut(stock.Location{ID: mainLocation, Name: "Main warehouse", Kind: stock.Own, Active: true})
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// connectionID is a short id that stays the same when the shop is connected again.
func connectionID(vendor string, shop driver.Shop) string {
	slug := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(shop.ExternalID), "-"), "-")
	return vendor + "-" + slug
}

func (x *Ops) sealGrant(row store.Grant, g driver.Grant) store.Grant {
	row.Scopes, row.AccessExpiresAt, row.RefreshExpiresAt = g.Scopes, g.AccessExpiresAt, g.RefreshExpires
	row.Sealed = x.o.Ring.Seal("grant/"+row.ID, jsonOf(grantSecrets{AccessToken: g.AccessToken, RefreshToken: g.RefreshToken}))
	return row
}

func (x *Ops) unsealGrant(row store.Grant) (driver.Grant, error) {
	plain, err := x.o.Ring.Open("grant/"+row.ID, row.Sealed)
	if err != nil {
		return driver.Grant{}, err
	}
	var s grantSecrets
	if err := json.Unmarshal(plain, &s); err != nil {
		return driver.Grant{}, errs.Wrap("ops.unsealGrant", row.ID, err)
	}
	return driver.Grant{AccessToken: s.AccessToken, RefreshToken: s.RefreshToken, AccessExpiresAt: row.AccessExpiresAt,
		RefreshExpires: row.RefreshExpiresAt, Subject: row.Subject, SellerName: row.SellerName, Scopes: row.Scopes}, nil
}

// login returns the shared login of a grant: a refresh token may work once only.
func (x *Ops) login(app knownApp, grantID string) *connector.Login {
	x.wires.mu.Lock()
	defer x.wires.mu.Unlock()
	if x.wires.logins == nil {
		x.wires.logins = map[string]*connector.Login{}
	}
	if l := x.wires.logins[grantID]; l != nil {
		l.Reload() // the seller may have agreed anew
		return l
	}
	l := connector.NewLogin(connector.LoginOptions{
		Vendor: x.vendors[app.vendor], App: app.App, Client: x.o.Client(x.o.Simulated), Now: x.now, Alone: x.keeper.alonePer("grant:" + grantID),
		Load: func(ctx context.Context) (g driver.Grant, err error) {
			err = x.st.View(ctx, func(tx *store.Tx) error {
				row, err := tx.GrantGet(grantID)
				if err != nil {
					return err
				}
				g, err = x.unsealGrant(row)
				return err
			})
			return g, err
		},
		Save: func(ctx context.Context, old, fresh driver.Grant) error {
			return x.st.Update(ctx, func(tx *store.Tx) error {
				row, err := tx.GrantGet(grantID)
				if err != nil {
					return err
				}
				stored, err := x.unsealGrant(row)
				if err != nil {
					return err
				}
				if stored.AccessToken != old.AccessToken {
					return errs.New(errs.Conflict, "ops.login", grantID, "another process has renewed this login")
				}
				return tx.GrantPut(x.sealGrant(row, fresh))
			})
		},
	})
	x.wires.logins[grantID] = l
	return l
}

// openWires sets every stored connection to work. One that cannot be opened is reported and holds up no other.
func (x *Ops) openWires(ctx context.Context) error {
	conns, err := x.learnShops(ctx)
	if err != nil {
		return err
	}
	for _, c := range conns {
		if c.State == store.Paused || c.State == store.Withdrawn {
			continue
		}
		if err := x.openWire(ctx, c.ID, nil); err != nil {
			x.log.Error("connection cannot be opened", "connection", c.ID, "err", err)
		}
	}
	return nil
}

// openWire sets a connection to work under a grip: what its last owner left open is ended first.
func (x *Ops) openWire(ctx context.Context, connID string, g *grip) error {
	// One after the other: a grip taken anew must not be followed by its predecessor.
	x.wires.opening.Lock()
	defer x.wires.opening.Unlock()
	if !g.held() {
		return errTaken("ops.openWire", g)
	}
	var c store.Connection
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		c, err = tx.ConnectionGet(connID)
		return err
	}); err != nil {
		return err
	}
	w, err := x.makeWire(ctx, c, g)
	if err != nil {
		return err
	}
	x.wires.mu.RLock()
	old := x.wires.byID[connID]
	x.wires.mu.RUnlock()
	if old != nil {
		x.wires.end(connID, old.grip)
	}
	if err := x.endOpenFlights(ctx, connID, g); err != nil {
		return err
	}
	x.wires.put(w, c)
	w.start()
	w.work.Go(w.introduce)
	if g != nil {
		x.planner.mark(x.catalog.Load().itemsOf(connID))
		x.inboxTold(true)
		if !g.held() { // lost while it was being opened
			x.wires.end(connID, g)
		}
	}
	return nil
}

func (x *Ops) makeWire(ctx context.Context, c store.Connection, g *grip) (*wire, error) {
	app, err := x.app(ctx, c.AppID)
	if err != nil {
		return nil, err
	}
	v, ok := x.vendors[c.Vendor]
	if !ok {
		return nil, errs.New(errs.NotFound, "ops.makeWire", c.Vendor, "no such vendor is known here")
	}
	session, err := connector.Open(connector.Options{
		Vendor: v, Tokens: x.login(app, c.GrantID).Tokens(), Log: x.log, Hooks: x.o.Hooks, Now: x.now,
		Client: guarded(x.o.Client(x.o.Simulated), g), Files: guarded(x.o.Files(x.o.Simulated), g),
		Pseudonym: x.o.Ring.Pseudonym,
		Connection: driver.Connection{ID: c.ID, App: app.App, Settings: c.Settings,
			Shop: driver.Shop{ExternalID: c.ExternalID, Name: c.Name, Region: c.Region, Settings: c.ShopSettings}},
	})
	if err != nil {
		return nil, err
	}
	w := newWire(x, c.ID, v.Describe(), session, g)
	w.state.needsLogin = c.State == store.NeedsLogin
	return w, nil
}

func (x *Ops) setConnectionState(connID string, state store.ConnectionState, reason string) {
	err := x.st.Update(context.WithoutCancel(x.ctx), func(tx *store.Tx) error {
		if err := tx.ConnectionState(connID, state, reason); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: EventConnectionState, Subject: connID, Data: jsonOf(map[string]string{"state": string(state), "reason": reason})}})
	})
	if err != nil {
		x.log.Error("connection state could not be stored", "connection", connID, "err", err)
	}
	x.peers.tell(noticeLeases)
	x.live.notify("connection:" + connID)
}

// jsonOf encodes a value that always encodes.
func jsonOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("ops: a value of ours does not encode: " + err.Error())
	}
	return b
}
