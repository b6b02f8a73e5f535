package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// keptWrong units of differences are worth an incident: fewer are a parcel that one side booked a minute earlier.
	keptWrong = 10
	// keptSilent is how long a provider may not tell its stock.
	keptSilent = 6 * time.Hour
	// keptListed differences are listed on the node's page.
	keptListed = 50
)

// keptSignals are of nodes whose provider counts other stock than the ledger has, or does not tell any.
func (x *Ops) keptSignals(ctx context.Context, at time.Time) (out []alert.Signal, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out = nil
		nodes, err := tx.Nodes()
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Kind != network.ThreePL || n.Account == "" || !n.Active {
				continue
			}
			k, found, err := keptStockOf(tx, n.ID)
			if err != nil {
				return err
			}
			s := alert.Signal{Cause: alert.Cause{Kind: alert.KeptStock, Subject: n.ID}, Node: n.ID}
			switch {
			case !found:
				continue
			case k.Units >= keptWrong && k.Failed == "":
				s.Text = fmt.Sprintf("%s counts other stock than the ledger has: %s in %s.", n.Name, unitsOf(k.Units), plural(k.Differ, "item", "items"))
				s.Next, s.Figures = "Look at the differences on the node’s page, and take them over once the provider is sure.", []alert.Figure{{Name: "units", Value: k.Units}, {Name: "items", Value: k.Differ}}
			case k.Failed != "" && at.Sub(k.Read) > keptSilent && !k.Read.IsZero():
				s.Text, s.Next = n.Name+" has not told its stock since "+utcTime(k.Read)+" UTC.", "Read why on the node’s page."
			default:
				continue
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// keptView is what a provider says of a node's stock; nil: none keeps it.
func (d *Desk) keptView(tx *store.Tx, n network.Node) (*view.KeptStock, error) {
	if n.Kind != network.ThreePL || n.Account == "" {
		return nil, nil
	}
	k, found, err := keptStockOf(tx, n.ID)
	if err != nil {
		return nil, err
	}
	v := &view.KeptStock{Failed: k.Failed, Read: k.Read, Text: "Its stock was not read yet; it is read every " + strings.TrimSuffix(keptEvery.String(), "0s") + "."}
	if !found || k.Read.IsZero() {
		return v, nil
	}
	v.Text, v.Level = "The provider counts what the ledger has: "+plural(k.Items, "item is", "items are")+" alike.", view.Good
	if k.Differ > 0 {
		v.Text, v.Level = fmt.Sprintf("%s of %s differ, by %s.", number(k.Differ), plural(k.Items, "item", "items"), unitsOf(k.Units)), view.Watch
	}
	for _, x := range []struct {
		n    int64
		one  string
		many string
	}{{k.Moving, "item moved while it was read and is compared the next time", "items moved while they were read and are compared the next time"},
		{k.Unknown, "SKU of the provider is no item’s", "SKUs of the provider are no item’s"}, {k.Untold, "item has stock in the ledger and none is told of it", "items have stock in the ledger and none is told of them"}} {
		if x.n > 0 {
			v.Notes = append(v.Notes, capital(plural(x.n, x.one, x.many))+".")
		}
	}
	v.May = k.Differ > 0 && k.Failed == "" && d.x.now().Sub(k.Read) <= keptFresh
	cat := d.x.catalog.Load()
	for _, f := range k.Diffs[:min(len(k.Diffs), keptListed)] {
		v.Rows = append(v.Rows, view.KeptRow{ItemID: f.Item, SKU: cmp.Or(cat.items[f.Item].SKU, f.Item), Theirs: f.Theirs, Ours: f.Ours, Shipped: f.Shipped, Off: f.Off()})
	}
	v.More = k.Differ - int64(len(v.Rows))
	return v, nil
}

// nodeKept is keptView of a node by its id.
func (d *Desk) nodeKept(tx *store.Tx, id string) (*view.KeptStock, error) {
	nodes, err := tx.Nodes()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(nodes, func(n store.Node) bool { return n.ID == id })
	if i < 0 {
		return nil, nil
	}
	return d.keptView(tx, nodes[i].Node)
}

// TakeKept books what the provider of a node counts.
func (d *Desk) TakeKept(ctx context.Context, node string, read time.Time, actor string) (view.Done, error) {
	taken, skipped, err := d.x.TakeKept(ctx, node, read, actor)
	if err != nil {
		return view.Done{}, err
	}
	say := capital(plural(taken, "item is", "items are")) + " booked as the provider counts."
	if skipped > 0 {
		say += " " + capital(plural(skipped, "item has", "items have")) + " moved since it was read, and " + map[bool]string{true: "is", false: "are"}[skipped == 1] + " left to the next reading."
	}
	return view.Done{Sentence: say}, nil
}

// ReadKept asks the provider of a node for its stock now.
func (d *Desk) ReadKept(ctx context.Context, node string) (view.Done, error) {
	k, err := d.x.ReadKept(ctx, node)
	if err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "The provider has told its stock: " + plural(k.Differ, "item differs", "items differ") + "."}, nil
}
