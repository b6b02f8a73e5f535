package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// callsShown of an account are listed; the session's log keeps more.
const callsShown = 20

// Carriers is the accounts parcels are shipped with, and whom others can be had with.
func (d *Desk) Carriers(ctx context.Context) (view.Carriers, error) {
	v := view.Carriers{At: d.x.now(), Kinds: d.carrierKinds()}
	err := d.read(ctx, "ops.Carriers", "", func(tx *store.Tx) error {
		v.Accounts = nil
		rows, err := tx.CarrierAccounts()
		if err != nil {
			return err
		}
		nodes, err := tx.Nodes()
		if err != nil {
			return err
		}
		for _, row := range rows {
			a := d.carrierAccount(row)
			for _, n := range nodes {
				if shipsWith(&n.Node, row.ID) {
					a.Nodes = append(a.Nodes, cmp.Or(n.Name, n.ID))
				}
			}
			v.Accounts = append(v.Accounts, a)
		}
		return nil
	})
	return v, err
}

// shipsWith reports whether parcels of a node go with an account.
func shipsWith(n *network.Node, account string) bool {
	return n.Account == account || slices.ContainsFunc(n.Lanes, func(l network.Lane) bool { return l.Account == account })
}

func (d *Desk) carrierKinds() (out []view.CarrierKind) {
	for _, c := range d.x.Carriers() {
		k := view.CarrierKind{Name: c.Name, Title: cmp.Or(c.Title, c.Name), Docs: c.Docs, Keeps: c.Keeps, Unsigned: c.Unsigned}
		for _, s := range c.Settings {
			k.Settings = append(k.Settings, view.Setting{Name: s.Name, Help: s.Help, Default: s.Default, Required: s.Required, Secret: s.Secret})
		}
		for _, a := range c.Can {
			k.Can = append(k.Can, string(a))
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b view.CarrierKind) int { return cmp.Compare(a.Title, b.Title) })
	return out
}

func (d *Desk) carrierAccount(row store.CarrierAccount) view.CarrierAccount {
	a := view.CarrierAccount{ID: row.ID, Carrier: row.Carrier, Title: row.Carrier, Name: row.Name, CreatedBy: row.CreatedBy, CreatedAt: row.CreatedAt,
		WebhookURL: strings.TrimRight(cmp.Or(d.x.o.PublicURL, d.o.PublicURL), "/") + "/hooks/" + d.x.CarrierHook(row.Carrier, row.ID), State: "not used yet", Level: view.Quiet}
	var settings []driver.Setting
	if c, ok := d.x.carriers[row.Carrier]; ok {
		k := c.Describe()
		a.Title, a.Unsigned, settings = cmp.Or(k.Title, k.Name), k.Unsigned, k.Settings
	}
	for _, s := range settings {
		switch {
		case s.Secret:
			a.Settings = append(a.Settings, view.Input{Name: s.Name, Value: "sealed"})
		case row.Settings[s.Name] != "":
			a.Settings = append(a.Settings, view.Input{Name: s.Name, Value: row.Settings[s.Name]})
		}
	}
	log := d.x.freights.recent(row.ID)
	if log == nil {
		return a
	}
	calls, failed := log.Latest(), log.Errors()
	if len(calls) > 0 {
		a.State, a.Level = "answers", view.Good
		if calls[0].Err != "" {
			a.State, a.Level = "fails", view.Bad
		}
	}
	a.Requests, a.Errors = exchanges(calls[:min(callsShown, len(calls))]), exchanges(failed[:min(callsShown, len(failed))])
	return a
}

// AddCarrier stores an account. Errors: Invalid, NotFound (no such carrier), Conflict (too many).
func (d *Desk) AddCarrier(ctx context.Context, n view.CarrierDraft) (view.CarrierAccount, error) {
	row, err := d.x.AddCarrier(ctx, NewCarrierAccount{Carrier: n.Carrier, Name: n.Name, Settings: n.Settings, Actor: n.Actor})
	if err = d.did(err); err != nil {
		return view.CarrierAccount{}, err
	}
	return d.carrierAccount(row), nil
}

// PreviewCarrierEnd works out what would ship with an account no more. Errors: NotFound.
func (d *Desk) PreviewCarrierEnd(ctx context.Context, id string) (view.Preview, error) {
	all, err := d.Carriers(view.Fresh(ctx))
	if err != nil {
		return view.Preview{}, err
	}
	i := slices.IndexFunc(all.Accounts, func(a view.CarrierAccount) bool { return a.ID == id })
	if i < 0 {
		return view.Preview{}, errs.New(errs.NotFound, "ops.PreviewCarrierEnd", id, "There is no such account any more.")
	}
	a := all.Accounts[i]
	v := view.Preview{Sentence: "The account " + a.Name + " is removed.", Undo: "There is no undo: its secrets are forgotten.",
		Changes: []view.Change{{What: a.Title + " account " + a.Name, From: "in use", To: "removed", Why: "parcels it shipped stay, with their labels", Level: view.Watch}}}
	if len(a.Nodes) > 0 {
		v.Warnings = append(v.Warnings, "Parcels from "+and(a.Nodes)+" that have no label yet wait for a person then: choose another account there first.")
	}
	return v, nil
}

// RemoveCarrier ends an account. Errors: NotFound.
func (d *Desk) RemoveCarrier(ctx context.Context, id, actor string) (view.Done, error) {
	return view.Done{Sentence: "The account is removed and its secrets are forgotten."}, d.did(d.x.RemoveCarrier(ctx, id, actor))
}
