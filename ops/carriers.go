package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

// maxAccounts bounds the carrier accounts in use: each is a session with lanes of its own.
const maxAccounts = 50

// CarrierAccount is an account as it is stored.
type CarrierAccount = store.CarrierAccount

// NewCarrierAccount is an account with a carrier to be added.
type NewCarrierAccount struct {
	Carrier  string
	Name     string
	Settings map[string]string // secrets included
	Actor    string
}

// freights are the sessions of carrier accounts that this process has opened.
type freights struct {
	x    *Ops
	mu   sync.Mutex
	open map[string]*openFreight
}

type openFreight struct {
	row     store.CarrierAccount
	session *connector.Freight
	looked  time.Time
}

// freightLook is how long an account is believed to be as it was: another process may change it.
const freightLook = 30 * time.Second

// get opens the session of an account, or returns the one that is open: its lanes keep the carrier's limits. Errors: NotFound.
func (f *freights) get(ctx context.Context, account string) (*connector.Freight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.open[account]
	if was != nil && f.x.now().Sub(was.looked) < freightLook {
		return was.session, nil
	}
	var row store.CarrierAccount
	err := f.x.st.View(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.CarrierAccountGet(account)
		return err
	})
	if err == nil && !row.RemovedAt.IsZero() {
		err = errs.New(errs.NotFound, "ops.Carrier", account, "the account %q was removed: choose another for this parcel", row.Name)
	}
	if err != nil {
		return nil, err
	}
	if was != nil && bytes.Equal(was.row.Sealed, row.Sealed) {
		was.looked = f.x.now()
		return was.session, nil
	}
	session, err := f.x.openCarrier(row)
	if err != nil {
		return nil, err
	}
	if f.open == nil {
		f.open = map[string]*openFreight{}
	}
	f.open[account] = &openFreight{row, session, f.x.now()}
	return session, nil
}

// recent is the log of an account's latest calls from this process; nil: it has made none.
func (f *freights) recent(account string) *connector.Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o := f.open[account]; o != nil {
		return o.session.Recent()
	}
	return nil
}

func carrierPlace(id string) string { return "carrier_account/" + id }

func (x *Ops) openCarrier(row store.CarrierAccount) (*connector.Freight, error) {
	c, ok := x.carriers[row.Carrier]
	if !ok {
		return nil, errs.New(errs.NotFound, "ops.Carrier", row.Carrier, "no such carrier is known here")
	}
	settings, err := x.carrierSettings(row)
	if err != nil {
		return nil, err
	}
	return connector.OpenCarrier(connector.CarrierOptions{Carrier: c, Account: driver.CarrierAccount{ID: row.ID, Settings: settings},
		Client: x.o.Client(x.o.Simulated), Log: x.log, Hooks: x.o.Hooks, Now: x.now})
}

// carrierSettings are all settings of an account, its secrets included.
func (x *Ops) carrierSettings(row store.CarrierAccount) (map[string]string, error) {
	plain, err := x.o.Ring.Open(carrierPlace(row.ID), row.Sealed)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, errs.Wrap("ops.Carrier", row.ID, err)
	}
	for k, v := range row.Settings {
		all[k] = v
	}
	return all, nil
}

// Carriers describes whom accounts can be had with.
func (x *Ops) Carriers() []driver.CarrierDescription {
	out := make([]driver.CarrierDescription, 0, len(x.o.Carriers))
	for _, c := range x.o.Carriers {
		out = append(out, c.Describe())
	}
	return out
}

// CarrierAccounts are the accounts in use, without their secrets.
func (x *Ops) CarrierAccounts(ctx context.Context) (out []store.CarrierAccount, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.CarrierAccounts()
		return err
	})
	for i := range out {
		out[i].Sealed = nil
	}
	return out, errs.Wrap("ops.CarrierAccounts", "", err)
}

// WebhookOf is the address an account's carrier sends its webhooks to; it begins with a slash where the program does not know its public address.
func (x *Ops) WebhookOf(a store.CarrierAccount) string {
	return strings.TrimRight(x.o.PublicURL, "/") + "/hooks/" + x.CarrierHook(a.Carrier, a.ID)
}

// AddCarrier stores an account with a carrier; its secrets are sealed and never shown again. Errors: Invalid, NotFound (no such carrier), Conflict (too
// many accounts).
func (x *Ops) AddCarrier(ctx context.Context, n NewCarrierAccount) (store.CarrierAccount, error) {
	c, ok := x.carriers[n.Carrier]
	if !ok {
		return store.CarrierAccount{}, errs.New(errs.NotFound, "ops.AddCarrier", n.Carrier, "no such carrier is known here")
	}
	d := c.Describe()
	given, err := checkSettings(d.Settings, n.Settings)
	if err != nil {
		return store.CarrierAccount{}, err
	}
	name := strings.TrimSpace(n.Name)
	if name == "" || len(name) > 200 {
		return store.CarrierAccount{}, errs.New(errs.Invalid, "ops.AddCarrier", "name", "write a name of at most 200 bytes, by which people tell this account from others")
	}
	row := store.CarrierAccount{ID: id.New(), Carrier: n.Carrier, Name: name, Settings: map[string]string{}, CreatedBy: n.Actor, CreatedAt: x.now()}
	secrets := map[string]string{}
	for _, s := range d.Settings {
		if v, ok := given[s.Name]; ok && s.Secret {
			secrets[s.Name] = v
		} else if ok {
			row.Settings[s.Name] = v
		}
	}
	row.Sealed = x.o.Ring.Seal(carrierPlace(row.ID), jsonOf(secrets))
	if _, err := x.openCarrier(row); err != nil { // what cannot be opened is not stored
		return store.CarrierAccount{}, err
	}
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.CarrierAccounts()
		if err == nil && len(all) >= maxAccounts {
			err = errs.New(errs.Conflict, "ops.AddCarrier", "", "there are %d accounts already: remove one that is not used", maxAccounts)
		}
		if err != nil {
			return err
		}
		if err := tx.CarrierAccountPut(row); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "carrier.added", Subject: row.ID, Data: jsonOf(map[string]string{"carrier": row.Carrier, "name": row.Name, "by": n.Actor})}})
	})
	row.Sealed = nil
	return row, err
}

// RemoveCarrier ends an account: its secrets are forgotten, its parcels stay. Errors: NotFound.
func (x *Ops) RemoveCarrier(ctx context.Context, accountID, actor string) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		row, err := tx.CarrierAccountGet(accountID)
		if err != nil || !row.RemovedAt.IsZero() {
			return err
		}
		row.RemovedAt, row.Sealed = tx.Now(), nil
		if err := tx.CarrierAccountPut(row); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "carrier.removed", Subject: row.ID, Data: jsonOf(map[string]string{"name": row.Name, "by": actor})}})
	})
	x.freights.mu.Lock()
	defer x.freights.mu.Unlock()
	delete(x.freights.open, accountID)
	return err
}
