package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// App is the operator's registration with a vendor. Sealed is encrypted by the caller.
type App struct {
	ID, Vendor, Key      string
	Sealed               []byte
	Settings             map[string]string
	CreatedAt, UpdatedAt time.Time
}

// Grant is a seller's login for an app. Sealed (the tokens) is encrypted by the caller.
type Grant struct {
	ID, AppID, Subject, SellerName    string
	Scopes                            []string
	Sealed                            []byte
	AccessExpiresAt, RefreshExpiresAt time.Time // zero: does not expire
	CreatedAt, UpdatedAt              time.Time
}

// ConnectionState says whether a connection works.
type ConnectionState string

const (
	Active     ConnectionState = "active"
	Paused     ConnectionState = "paused"
	NeedsLogin ConnectionState = "needs login"
	Withdrawn  ConnectionState = "withdrawn" // the seller took the consent back
)

// Connection is one connected shop.
type Connection struct {
	ID, Vendor, Name, AppID, GrantID string
	ExternalID, Region               string // the shop with the vendor
	ShopSettings, Settings           map[string]string
	State                            ConnectionState
	StateReason                      string
	CreatedAt, UpdatedAt             time.Time
}

// Watermark is how far a stream of a connection is read.
type Watermark struct {
	At     time.Time
	Cursor string
}

var (
	appCols = []col{{"id", text}, {"vendor", text}, {"app_key", text}, {"sealed", bytea}, {"settings", text}, {"created_at", bigint}, {"updated_at", bigint}}
	appList = names(appCols, plain, ", ")
	appPut  = insert("store.AppPut", "app", appCols, upsert("id", append(append([]col{}, appCols[1:5]...), appCols[6])))
	appGet  = def("store.AppGet", "SELECT "+appList+" FROM app WHERE id = $1")
	appsAll = def("store.AppList", "SELECT "+appList+" FROM app ORDER BY id")

	grantCols = []col{{"id", text}, {"app_id", text}, {"subject", text}, {"seller_name", text}, {"scopes", text}, {"sealed", bytea},
		{"access_expires_at", bigint}, {"refresh_expires_at", bigint}, {"created_at", bigint}, {"updated_at", bigint}}
	grantListed = names(grantCols, plain, ", ")
	grantPut    = insert("store.GrantPut", "seller_grant", grantCols, upsert("id", append(append([]col{}, grantCols[1:8]...), grantCols[9])))
	grantGet    = def("store.GrantGet", "SELECT "+grantListed+" FROM seller_grant WHERE id = $1 @lock(FOR NO KEY UPDATE)")
	grantRead   = def("store.GrantGet", "SELECT "+grantListed+" FROM seller_grant WHERE id = $1")
	grantsAll   = def("store.GrantList", "SELECT "+grantListed+" FROM seller_grant ORDER BY id")

	connectionCols = []col{{"id", text}, {"vendor", text}, {"name", text}, {"app_id", text}, {"grant_id", text}, {"external_id", text}, {"region", text},
		{"shop_settings", text}, {"settings", text}, {"state", text}, {"state_reason", text}, {"created_at", bigint}, {"updated_at", bigint}}
	connectionListed = names(connectionCols, plain, ", ")
	connectionPut    = insert("store.ConnectionPut", "connection", connectionCols, upsert("id", append(append([]col{}, connectionCols[1:11]...), connectionCols[12])))
	connectionGet    = def("store.ConnectionGet", "SELECT "+connectionListed+" FROM connection WHERE id = $1")
	connectionsAll   = def("store.ConnectionList", "SELECT "+connectionListed+" FROM connection ORDER BY id")
	connectionState  = def("store.ConnectionState", "UPDATE connection SET state = $2, state_reason = $3, updated_at = $4 WHERE id = $1")

	watermarkGet = def("store.WatermarkGet", "SELECT at, cursor FROM watermark WHERE connection_id = $1 AND stream = $2")
	watermarkSet = insert("store.WatermarkSet", "watermark", []col{{"connection_id", text}, {"stream", text}, {"at", bigint}, {"cursor", text}},
		upsert("connection_id, stream", []col{{"at", bigint}, {"cursor", text}}))
)

// AppPut creates or changes an app.
func (tx *Tx) AppPut(a App) error {
	settings, err := encode("store.AppPut", a.Settings)
	if err != nil {
		return err
	}
	_, err = tx.bulk(appPut, [][]any{{a.ID, a.Vendor, a.Key, bytesOf(a.Sealed), settings, us(tx.now), us(tx.now)}})
	return err
}

func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func scanApp(r *sql.Rows, a *App) error {
	var settings string
	var created, updated int64
	if err := r.Scan(&a.ID, &a.Vendor, &a.Key, &a.Sealed, &settings, &created, &updated); err != nil {
		return err
	}
	a.CreatedAt, a.UpdatedAt = when(created), when(updated)
	return json.Unmarshal([]byte(settings), &a.Settings)
}

// AppGet reads an app. Errors: NotFound.
func (tx *Tx) AppGet(id string) (App, error) {
	a, ok, err := one(tx, appGet, scanApp, id)
	if err == nil && !ok {
		return a, errs.New(errs.NotFound, "store.AppGet", id, "there is no such app")
	}
	return a, err
}

// AppList reads all apps.
func (tx *Tx) AppList() ([]App, error) { return query(tx, appsAll, scanApp) }

// GrantPut creates or replaces a grant.
func (tx *Tx) GrantPut(g Grant) error {
	scopes, err := encode("store.GrantPut", g.Scopes)
	if err != nil {
		return err
	}
	_, err = tx.bulk(grantPut, [][]any{{g.ID, g.AppID, g.Subject, g.SellerName, scopes, bytesOf(g.Sealed), us(g.AccessExpiresAt), us(g.RefreshExpiresAt),
		us(tx.now), us(tx.now)}})
	return err
}

func scanGrant(r *sql.Rows, g *Grant) error {
	var scopes string
	var access, refresh, created, updated int64
	if err := r.Scan(&g.ID, &g.AppID, &g.Subject, &g.SellerName, &scopes, &g.Sealed, &access, &refresh, &created, &updated); err != nil {
		return err
	}
	g.AccessExpiresAt, g.RefreshExpiresAt, g.CreatedAt, g.UpdatedAt = when(access), when(refresh), when(created), when(updated)
	return json.Unmarshal([]byte(scopes), &g.Scopes)
}

// GrantGet reads a grant. In Update this read locks it until the transaction ends, so that one process renews it. Errors: NotFound.
func (tx *Tx) GrantGet(id string) (Grant, error) {
	s := grantGet
	if tx.readOnly {
		s = grantRead
	}
	g, ok, err := one(tx, s, scanGrant, id)
	if err == nil && !ok {
		return g, errs.New(errs.NotFound, "store.GrantGet", id, "there is no such grant")
	}
	return g, err
}

// GrantList reads all grants.
func (tx *Tx) GrantList() ([]Grant, error) { return query(tx, grantsAll, scanGrant) }

// ConnectionPut creates or changes a connection. Errors: Invalid.
func (tx *Tx) ConnectionPut(c Connection) error {
	if c.ID == "" || c.Vendor == "" {
		return errs.New(errs.Invalid, "store.ConnectionPut", c.ID, "a connection needs an id and a vendor")
	}
	if c.State == "" {
		c.State = Active
	}
	shop, err := encode("store.ConnectionPut", c.ShopSettings)
	if err != nil {
		return err
	}
	settings, err := encode("store.ConnectionPut", c.Settings)
	if err != nil {
		return err
	}
	_, err = tx.bulk(connectionPut, [][]any{{c.ID, c.Vendor, c.Name, c.AppID, c.GrantID, c.ExternalID, c.Region, shop, settings, string(c.State), c.StateReason,
		us(tx.now), us(tx.now)}})
	return err
}

func scanConnection(r *sql.Rows, c *Connection) error {
	var shop, settings string
	var created, updated int64
	if err := r.Scan(&c.ID, &c.Vendor, &c.Name, &c.AppID, &c.GrantID, &c.ExternalID, &c.Region, &shop, &settings, &c.State, &c.StateReason,
		&created, &updated); err != nil {
		return err
	}
	c.CreatedAt, c.UpdatedAt = when(created), when(updated)
	if err := json.Unmarshal([]byte(shop), &c.ShopSettings); err != nil {
		return err
	}
	return json.Unmarshal([]byte(settings), &c.Settings)
}

// ConnectionGet reads a connection. Errors: NotFound.
func (tx *Tx) ConnectionGet(id string) (Connection, error) {
	c, ok, err := one(tx, connectionGet, scanConnection, id)
	if err == nil && !ok {
		return c, errs.New(errs.NotFound, "store.ConnectionGet", id, "there is no such connection")
	}
	return c, err
}

// ConnectionList reads all connections in the order of id.
func (tx *Tx) ConnectionList() ([]Connection, error) {
	return query(tx, connectionsAll, scanConnection)
}

// ConnectionState sets a connection's state with the reason for people. Errors: NotFound.
func (tx *Tx) ConnectionState(id string, state ConnectionState, reason string) error {
	n, err := tx.exec(connectionState, id, string(state), reason, us(tx.now))
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "store.ConnectionState", id, "there is no such connection")
	}
	return err
}

// WatermarkGet reads how far a stream of a connection is read; the zero Watermark if it never was.
func (tx *Tx) WatermarkGet(connectionID, stream string) (Watermark, error) {
	w, _, err := one(tx, watermarkGet, func(r *sql.Rows, w *Watermark) error {
		var at int64
		err := r.Scan(&at, &w.Cursor)
		w.At = when(at)
		return err
	}, connectionID, stream)
	return w, err
}

// WatermarkSet writes how far a stream of a connection is read.
func (tx *Tx) WatermarkSet(connectionID, stream string, w Watermark) error {
	_, err := tx.bulk(watermarkSet, [][]any{{connectionID, stream, us(w.At), w.Cursor}})
	return err
}
