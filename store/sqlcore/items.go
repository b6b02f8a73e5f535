package sqlcore

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
)

// maxPage bounds every list verb: what a page or a loop step can use.
const maxPage = 10_000

func page(limit int) int64 { return int64(min(max(limit, 1), maxPage)) }

var (
	itemCols = []col{{"id", text}, {"sku", text}, {"title", text}, {"barcode", text}, {"search", text}, {"created_at", bigint}}
	itemList = "id, sku, title, barcode, created_at"

	itemPut      = insert("store.ItemPut", "item", itemCols, upsert("id", itemCols[1:5]))
	partsDelete  = def("store.ItemPut", "DELETE FROM component WHERE @in(item_id, $1)")
	partsInsert  = insert("store.ItemPut", "component", []col{{"item_id", text}, {"part_id", text}, {"place", bigint}, {"qty", bigint}}, "")
	itemsGet     = def("store.ItemsGet", "SELECT "+itemList+" FROM item WHERE @in(id, $1) ORDER BY id")
	itemsBySKU   = def("store.ItemsBySKU", "SELECT "+itemList+" FROM item WHERE @in(sku, $1) ORDER BY sku")
	itemsPage    = def("store.ItemList", "SELECT "+itemList+" FROM item WHERE sku > $1 ORDER BY sku LIMIT $2")
	itemsSearch  = def("store.ItemList", "SELECT "+itemList+" FROM item WHERE sku > $1 AND search LIKE $2 ESCAPE '!' ORDER BY sku LIMIT $3")
	itemCount    = def("store.ItemCount", "SELECT count(*) FROM item")
	partsGet     = def("store.ItemsGet", "SELECT item_id, part_id, qty FROM component WHERE @in(item_id, $1) ORDER BY item_id, place")
	bundlesOfGet = def("store.BundlesOf", "SELECT DISTINCT item_id FROM component WHERE @in(part_id, $1) ORDER BY item_id")
)

// ItemPut creates items or changes them; CreatedAt of an existing one stays. Errors: Invalid (an item or its bundle is wrong), Conflict (the
// SKU belongs to another item).
func (tx *Tx) ItemPut(items []catalog.Item) error {
	items = lastOf(items, func(i catalog.Item) string { return i.ID })
	byID := make(map[string]catalog.Item, len(items))
	var ids, others []string
	for _, i := range items {
		if err := i.Validate(); err != nil {
			return err
		}
		byID[i.ID] = i
		ids = append(ids, i.ID)
		for _, c := range i.Components {
			others = append(others, c.ItemID)
		}
	}
	if err := tx.checkBundles(items, byID, others); err != nil {
		return err
	}
	rows := make([][]any, len(items))
	var parts [][]any
	for i, it := range items {
		created := it.CreatedAt
		if created.IsZero() {
			created = tx.now
		}
		search := strings.ToLower(it.SKU + "\n" + it.Title + "\n" + it.Barcode)
		rows[i] = []any{it.ID, it.SKU, it.Title, it.Barcode, search, us(created)}
		for j, c := range it.Components {
			parts = append(parts, []any{it.ID, c.ItemID, int64(j), c.Qty})
		}
	}
	if _, err := tx.bulk(itemPut, rows); err != nil {
		return err
	}
	if _, err := tx.exec(partsDelete, ids); err != nil {
		return err
	}
	_, err := tx.bulk(partsInsert, parts)
	return err
}

// checkBundles refuses bundles of bundles, also by turning a component of a bundle into one.
func (tx *Tx) checkBundles(items []catalog.Item, byID map[string]catalog.Item, others []string) error {
	stored, err := tx.ItemsGet(others)
	if err != nil {
		return err
	}
	for _, i := range stored {
		if _, ok := byID[i.ID]; !ok {
			byID[i.ID] = i
		}
	}
	var bundles []string
	for _, i := range items {
		if !i.Bundle() {
			continue
		}
		bundles = append(bundles, i.ID)
		if err := catalog.ValidateBundle(i, func(id string) (catalog.Item, bool) { x, ok := byID[id]; return x, ok }); err != nil {
			return err
		}
	}
	if len(bundles) == 0 {
		return nil
	}
	users, err := tx.BundlesOf(bundles)
	if err != nil {
		return err
	}
	for _, u := range users {
		if _, again := byID[u]; !again || slices.ContainsFunc(byID[u].Components, func(c catalog.Component) bool { return slices.Contains(bundles, c.ItemID) }) {
			return errs.New(errs.Invalid, "store.ItemPut", u, "is a bundle of an item that would become a bundle; bundles do not nest")
		}
	}
	return nil
}

func scanItem(r *sql.Rows, i *catalog.Item) error {
	var created int64
	err := r.Scan(&i.ID, &i.SKU, &i.Title, &i.Barcode, &created)
	i.CreatedAt = when(created)
	return err
}

// ItemsGet reads items by id, in the order of id. Unknown ids are left out.
func (tx *Tx) ItemsGet(ids []string) ([]catalog.Item, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	items, err := query(tx, itemsGet, scanItem, ids)
	if err != nil {
		return nil, err
	}
	return items, tx.addParts(items)
}

// ItemsBySKU reads items by SKU, in the order of SKU. Unknown SKUs are left out.
func (tx *Tx) ItemsBySKU(skus []string) ([]catalog.Item, error) {
	if len(skus) == 0 {
		return nil, nil
	}
	items, err := query(tx, itemsBySKU, scanItem, skus)
	if err != nil {
		return nil, err
	}
	return items, tx.addParts(items)
}

// ItemList reads a page of items in the order of SKU, after the SKU after (empty: from the first). search, if not empty, is a part of SKU,
// title or barcode in any case of letters.
func (tx *Tx) ItemList(after string, limit int, search string) ([]catalog.Item, error) {
	var items []catalog.Item
	var err error
	if search == "" {
		items, err = query(tx, itemsPage, scanItem, after, page(limit))
	} else {
		if err := clean("store.ItemList", search); err != nil {
			return nil, err
		}
		like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(search)) + "%"
		items, err = query(tx, itemsSearch, scanItem, after, like, page(limit))
	}
	if err != nil {
		return nil, err
	}
	return items, tx.addParts(items)
}

// ItemCount counts all items.
func (tx *Tx) ItemCount() (int64, error) {
	n, _, err := one(tx, itemCount, scanOne[int64])
	return n, err
}

// BundlesOf lists the ids of the bundles that contain any of the items.
func (tx *Tx) BundlesOf(itemIDs []string) ([]string, error) {
	if len(itemIDs) == 0 {
		return nil, nil
	}
	return query(tx, bundlesOfGet, scanOne[string], itemIDs)
}

// addParts fills in the components of bundles.
func (tx *Tx) addParts(items []catalog.Item) error {
	at := make(map[string]int, len(items))
	ids := make([]string, len(items))
	for i, it := range items {
		at[it.ID], ids[i] = i, it.ID
	}
	if len(ids) == 0 {
		return nil
	}
	type part struct {
		item string
		catalog.Component
	}
	parts, err := query(tx, partsGet, func(r *sql.Rows, p *part) error { return r.Scan(&p.item, &p.ItemID, &p.Qty) }, ids)
	for _, p := range parts {
		it := &items[at[p.item]]
		it.Components = append(it.Components, p.Component)
	}
	return err
}
