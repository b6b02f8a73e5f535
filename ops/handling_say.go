package ops

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// HandlingTopic is the live notice that something was said of cartons.
const HandlingTopic = "cartons"

// The names by which the edges of the program speak of what is said.
type (
	Physical   = catalog.Physical
	Stance     = catalog.Stance
	Sides      = catalog.Sides
	Bin        = catalog.Bin
	Ability    = network.Ability
	ItemSaid   = store.Physical
	CartonSaid = store.Carton
)

// Said is everything that is to be said of things at once: all of it, or nothing. Versions are those that were read.
type Said struct {
	Physicals []store.Physical
	Cartons   []store.Carton
	Bins      map[string]BinsSaid // by node
}

// BinsSaid is where items lie at a node, in place of all that was said of them there.
type BinsSaid struct {
	Items []string
	Bins  []catalog.Bin
}

// SayHandling says what items are like, which cartons there are and where items lie. Errors: Invalid, naming the field; NotFound (an item, a node); Conflict
// (somebody else said something since the version was read).
func (x *Ops) SayHandling(ctx context.Context, s Said, actor string) error {
	const op = "ops.SayHandling"
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := s.check(tx, x.catalog.Load()); err != nil {
			return err
		}
		if err := tx.PhysicalsPut(s.Physicals, actor); err != nil {
			return err
		}
		if err := tx.CartonsPut(s.Cartons, actor); err != nil {
			return err
		}
		for node, b := range s.Bins {
			if err := tx.BinsPut(node, b.Items, b.Bins); err != nil {
				return err
			}
		}
		return tx.EventsAppend([]store.Event{{Kind: "handling.said", Subject: s.subject(), Data: jsonOf(map[string]any{"by": actor, "items": len(s.Physicals),
			"cartons": len(s.Cartons), "nodes": len(s.Bins)})}})
	})
	if err != nil {
		return errs.Wrap(op, "", err)
	}
	x.peers.tell(noticeCatalogue)
	x.live.notify(append(s.topics(), HandlingTopic)...)
	return errs.Wrap(op, "", x.reloadCatalogue(ctx))
}

func (s Said) subject() string {
	switch {
	case len(s.Physicals) == 1:
		return s.Physicals[0].ItemID
	case len(s.Cartons) == 1:
		return s.Cartons[0].ID
	}
	return "several"
}

// topics are the items whose pages change; of an import pages are opened anew.
func (s Said) topics() (out []string) {
	if len(s.Physicals) == 1 {
		out = append(out, "item:"+s.Physicals[0].ItemID)
	}
	return out
}

// check refuses what names things that are not there, and cartons beyond the bounds.
func (s Said) check(tx *store.Tx, cat *catalogue) error {
	const op = "ops.SayHandling"
	var items []string
	for _, p := range s.Physicals {
		items = append(items, p.ItemID)
		if err := checkEquals(p, cat.find); err != nil {
			return err
		}
	}
	for node, b := range s.Bins {
		if _, ok := cat.location(node); !ok {
			return errs.New(errs.NotFound, op, node, "node: there is no node %s", node)
		}
		items = append(items, b.Items...)
	}
	if items = unique(items); len(items) > 0 {
		found, err := tx.ItemsGet(items)
		if err != nil {
			return err
		}
		for _, it := range found {
			if it.Bundle() {
				return errs.New(errs.Invalid, op, it.ID, "item: %s is a bundle; say it of its parts", it.SKU)
			}
		}
		for _, id := range items {
			if !slices.ContainsFunc(found, func(it catalog.Item) bool { return it.ID == id }) && len(found) < len(items) {
				return errs.New(errs.NotFound, op, id, "item: there is no item %s", id)
			}
		}
	}
	if len(s.Cartons) == 0 {
		return nil
	}
	all, err := tx.Cartons()
	if err != nil {
		return err
	}
	return checkCartons(all, s.Cartons, cat)
}

// checkCartons bounds the cartons there will be, and those active at each node.
func checkCartons(were, said []store.Carton, cat *catalogue) error {
	const op = "ops.SayHandling"
	byID := map[string]catalog.Carton{}
	for _, list := range [][]store.Carton{were, said} {
		for _, c := range list {
			byID[c.ID] = c.Carton
		}
	}
	if len(byID) > catalog.MaxCartons {
		return errs.New(errs.Invalid, op, "cartons", "id: there are at most %d cartons, those not used any more among them", catalog.MaxCartons)
	}
	everywhere, at := 0, map[string]int{}
	for _, c := range byID {
		if c.Node != "" {
			if _, ok := cat.location(c.Node); !ok {
				return errs.New(errs.NotFound, op, c.Node, "node: there is no node %s", c.Node)
			}
		}
		if c.Active && c.Node == "" {
			everywhere++
		} else if c.Active {
			at[c.Node]++
		}
	}
	most := 0
	for _, n := range at {
		most = max(most, n)
	}
	if everywhere+most > catalog.MaxCartonsOfNode {
		return errs.New(errs.Invalid, op, "cartons", "active: a node packs in at most %d cartons, those of every node among them", catalog.MaxCartonsOfNode)
	}
	return nil
}

// Handling is what is said of one item.
type Handling struct {
	Item     catalog.Item
	Physical store.Physical // Version 0: nothing is said
	Bins     []catalog.Bin  // by node, then as one looks
	Bills    []UnitBill     // what a unit weighs on carriers' bills today; none: its sides are not known
}

// HandlingOf reads what is said of an item. Errors: NotFound.
func (x *Ops) HandlingOf(ctx context.Context, item string) (Handling, error) {
	var h Handling
	err := x.st.View(ctx, func(tx *store.Tx) error {
		items, err := tx.ItemsGet([]string{item})
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return errs.New(errs.NotFound, "ops.HandlingOf", item, "There is no item %s.", item)
		}
		h.Item = items[0]
		said, err := tx.PhysicalsGet([]string{item})
		if err != nil {
			return err
		}
		if h.Physical.ItemID = item; len(said) > 0 {
			h.Physical = said[0]
		}
		h.Bins, err = tx.BinsOf([]string{item})
		return err
	})
	h.Bills = unitBills(h.Physical.Physical, calendar.DayOf(x.now(), time.UTC))
	slices.SortStableFunc(h.Bins, func(a, b catalog.Bin) int {
		switch {
		case a.Node != b.Node:
			return strings.Compare(a.Node, b.Node)
		case a.Primary != b.Primary && a.Primary:
			return -1
		case a.Primary != b.Primary:
			return 1
		}
		return catalog.WalkOrder(a, b)
	})
	return h, errs.Wrap("ops.HandlingOf", item, err)
}

// AllCartons reads all cartons, those not used any more among them.
func (x *Ops) AllCartons(ctx context.Context) (out []store.Carton, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.Cartons()
		return err
	})
	return out, errs.Wrap("ops.AllCartons", "", err)
}

// Carton reads one carton. Errors: NotFound.
func (x *Ops) Carton(ctx context.Context, id string) (store.Carton, error) {
	all, err := x.AllCartons(ctx)
	if err != nil {
		return store.Carton{}, err
	}
	i := slices.IndexFunc(all, func(c store.Carton) bool { return c.ID == id })
	if i < 0 {
		return store.Carton{}, errs.New(errs.NotFound, "ops.Carton", id, "There is no carton %s.", id)
	}
	return all[i], nil
}

// RemoveCarton forgets a carton; parcels packed in it keep its name. Errors: NotFound, Conflict (somebody else said something since version was read).
func (x *Ops) RemoveCarton(ctx context.Context, id string, version int64, actor string) error {
	const op = "ops.RemoveCarton"
	if _, err := x.Carton(ctx, id); err != nil {
		return err
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.CartonDelete(id, version); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "carton.removed", Subject: id, Data: jsonOf(map[string]string{"by": actor})}})
	})
	if err != nil {
		return errs.Wrap(op, id, err)
	}
	x.peers.tell(noticeCatalogue)
	x.live.notify(HandlingTopic)
	return errs.Wrap(op, id, x.reloadCatalogue(ctx))
}

// Physicals reads a page of what items are like, behind an item, in the order of id.
func (x *Ops) Physicals(ctx context.Context, after string, limit int) (out []store.Physical, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.Physicals(after, limit)
		return err
	})
	return out, errs.Wrap("ops.Physicals", "", err)
}

// Bins reads a page of what lies where, in the order of item, node and code, behind one (the zero Bin: from the first).
func (x *Ops) Bins(ctx context.Context, after catalog.Bin, limit int) (out []catalog.Bin, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.Bins(after, limit)
		return err
	})
	return out, errs.Wrap("ops.Bins", "", err)
}

// same reports whether two things said are alike.
func same(a, b any) bool { return reflect.DeepEqual(a, b) }
