package ops

import (
	"cmp"
	"context"
	"strings"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// foundMost bounds what a search shows of each kind.
const foundMost = 20

// Search finds orders by our id, the channel's id, the buyer's number or hash, items by SKU, title or barcode, and connections by name.
func (d *Desk) Search(ctx context.Context, query string) (view.Found, error) {
	v := view.Found{Query: query}
	query = strings.TrimSpace(query)
	if query == "" {
		return v, nil
	}
	err := d.look(ctx, "ops.Search", "", func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		orders, err := tx.OrderFind(query, foundMost)
		if err != nil {
			return err
		}
		for i := range orders {
			row := d.orderRow(&orders[i], ch, 0)
			v.Hits = append(v.Hits, view.Hit{Ref: view.Ref{Kind: view.KindOrder, ID: row.ID}, Title: row.Number, Detail: row.Channel + ", " + row.State, What: "order"})
		}
		items, err := tx.ItemList("", foundMost, query)
		if err != nil {
			return err
		}
		for _, it := range items {
			hit := view.Hit{Ref: view.Ref{Kind: view.KindItem, ID: it.ID}, Title: it.SKU, Detail: cmp.Or(it.Title, it.Barcode), What: "item"}
			if strings.EqualFold(it.SKU, query) || it.Barcode == query { // just that one: best first
				v.Hits = append([]view.Hit{hit}, v.Hits...)
				continue
			}
			v.Hits = append(v.Hits, hit)
		}
		for _, c := range ch.rows {
			if low := strings.ToLower(query); strings.Contains(strings.ToLower(c.Name), low) || strings.Contains(c.ID, low) {
				v.Hits = append(v.Hits, view.Hit{Ref: view.Ref{Kind: view.KindConnection, ID: c.ID}, Title: ch.of(c.ID), Detail: d.vendorTitle(c.Vendor), What: "connection"})
			}
		}
		return nil
	})
	return v, err
}
