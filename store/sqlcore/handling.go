package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
)

// Physical is what one unit of an item is like, as somebody said it.
type Physical struct {
	catalog.Physical
	ItemID  string
	Version int64 // 1 is the first that was said; 0: nothing is
	Actor   string
	At      time.Time
}

// Carton is a box or bag to pack in, as somebody said it.
type Carton struct {
	catalog.Carton
	Version int64
	Actor   string
	At      time.Time
}

var (
	physicalCols = saidCols("item_id")
	physicalPut  = insert("store.PhysicalsPut", "item_physical", physicalCols, unlessChanged("item_physical", physicalCols))
	physicalsGet = def("store.PhysicalsGet", "SELECT item_id, version, body, actor, at FROM item_physical WHERE @in(item_id, $1) ORDER BY item_id")
	physicals    = def("store.Physicals", "SELECT item_id, version, body, actor, at FROM item_physical WHERE item_id > $1 ORDER BY item_id LIMIT $2")

	cartonCols = saidCols("id")
	cartonPut  = insert("store.CartonsPut", "carton", cartonCols, unlessChanged("carton", cartonCols))
	cartonDel  = def("store.CartonDelete", "DELETE FROM carton WHERE id = $1 AND version = $2")
	cartonsAll = def("store.Cartons", "SELECT id, version, body, actor, at FROM carton ORDER BY id")

	binCols     = []col{{"node", text}, {"code", text}, {"walk", bigint}}
	binPut      = insert("store.BinsPut", "bin", binCols, upsert("node, code", binCols[2:]))
	binItemPut  = insert("store.BinsPut", "bin_item", []col{{"item_id", text}, {"node", text}, {"code", text}, {"is_first", bigint}}, "")
	binItemsDel = def("store.BinsPut", "DELETE FROM bin_item WHERE node = $1 AND @in(item_id, $2)")
	binsPage    = def("store.Bins", `SELECT i.node, i.item_id, i.code, b.walk, i.is_first FROM bin_item i JOIN bin b ON b.node = i.node AND b.code = i.code
		WHERE (i.item_id, i.node, i.code) > ($1, $2, $3) ORDER BY i.item_id, i.node, i.code LIMIT $4`)
	binsOf = def("store.BinsOf", `SELECT i.node, i.item_id, i.code, b.walk, i.is_first FROM bin_item i JOIN bin b ON b.node = i.node AND b.code = i.code
		WHERE @in(i.item_id, $1) ORDER BY i.item_id, i.node, i.code`)
)

// saidCols are the columns of what somebody said of a thing.
func saidCols(key string) []col {
	return []col{{key, text}, {"version", bigint}, {"body", text}, {"actor", text}, {"at", bigint}}
}

// unlessChanged replaces a row of the version before, and no other.
func unlessChanged(table string, cols []col) string {
	return upsert(cols[0].name, cols[1:]) + " WHERE " + table + ".version = excluded.version - 1"
}

// PhysicalsPut says what items are like. Version is the one that was read, 0 where nothing was said. Errors: Invalid; Conflict (somebody else said something
// meanwhile).
func (tx *Tx) PhysicalsPut(rows []Physical, actor string) error {
	rows = lastOf(rows, func(p Physical) string { return p.ItemID })
	out := make([][]any, len(rows))
	for i, p := range rows {
		if err := p.Check(); err != nil {
			return err
		}
		body, err := encode(physicalPut.op, p.Physical.Tidy())
		if err != nil {
			return err
		}
		out[i] = []any{p.ItemID, p.Version + 1, body, actor, us(tx.now)}
	}
	return tx.putSaid(physicalPut, out)
}

func (tx *Tx) putSaid(s *stmt, rows [][]any) error {
	n, err := tx.bulk(s, rows)
	if err == nil && n != int64(len(rows)) {
		err = errs.New(errs.Conflict, s.op, "", "somebody else has changed this meanwhile; load it again and make the change there")
	}
	return err
}

func scanPhysical(r *sql.Rows, p *Physical) error {
	var body []byte
	var at int64
	if err := r.Scan(&p.ItemID, &p.Version, &body, &p.Actor, &at); err != nil {
		return err
	}
	p.At = when(at)
	return json.Unmarshal(body, &p.Physical)
}

// PhysicalsGet reads what items are like, in the order of id. Those nothing is said of are left out.
func (tx *Tx) PhysicalsGet(items []string) ([]Physical, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return query(tx, physicalsGet, scanPhysical, items)
}

// Physicals reads a page of them, behind an item.
func (tx *Tx) Physicals(after string, limit int) ([]Physical, error) {
	return query(tx, physicals, scanPhysical, after, page(limit))
}

// CartonsPut says what cartons there are. Version is the one that was read, 0 for a new one. Errors: Invalid, Conflict.
func (tx *Tx) CartonsPut(rows []Carton, actor string) error {
	rows = lastOf(rows, func(c Carton) string { return c.ID })
	out := make([][]any, len(rows))
	for i, c := range rows {
		if err := c.Check(); err != nil {
			return err
		}
		body, err := encode(cartonPut.op, c.Carton)
		if err != nil {
			return err
		}
		out[i] = []any{c.ID, c.Version + 1, body, actor, us(tx.now)}
	}
	return tx.putSaid(cartonPut, out)
}

// CartonDelete forgets a carton. Parcels packed in it keep its name. Errors: Conflict (somebody else said something since version was read).
func (tx *Tx) CartonDelete(id string, version int64) error {
	n, err := tx.exec(cartonDel, id, version)
	if err == nil && n == 0 {
		err = errs.New(errs.Conflict, cartonDel.op, id, "somebody else has changed this meanwhile; load it again and make the change there")
	}
	return err
}

// Cartons reads all cartons, in the order of id, those that are not used any more among them. There are at most catalog.MaxCartons.
func (tx *Tx) Cartons() ([]Carton, error) {
	return query(tx, cartonsAll, func(r *sql.Rows, c *Carton) error {
		var body []byte
		var at int64
		var id string
		if err := r.Scan(&id, &c.Version, &body, &c.Actor, &at); err != nil {
			return err
		}
		err := json.Unmarshal(body, &c.Carton)
		c.ID, c.At = id, when(at)
		return err
	})
}

// BinsPut says on which shelves of a node items lie, in place of all that was said of these items there: an item without bins lies nowhere. A shelf's
// place in the walking order is the same for all items on it, so that of the last holds. Errors: Invalid.
func (tx *Tx) BinsPut(node string, items []string, bins []catalog.Bin) error {
	byItem := map[string][]catalog.Bin{}
	for _, b := range bins {
		if b.Node != node {
			return errs.New(errs.Invalid, binPut.op, b.Code, "a bin of another node")
		}
		byItem[b.ItemID] = append(byItem[b.ItemID], b)
	}
	for _, of := range byItem {
		if err := catalog.CheckBins(of); err != nil {
			return err
		}
	}
	if _, err := tx.exec(binItemsDel, node, items); err != nil {
		return err
	}
	var shelves, lies [][]any
	for _, b := range lastOf(bins, func(b catalog.Bin) string { return b.Code }) {
		shelves = append(shelves, []any{b.Node, b.Code, b.Walk})
	}
	for _, b := range bins {
		lies = append(lies, []any{b.ItemID, b.Node, b.Code, int64(flag(b.Primary))})
	}
	if _, err := tx.bulk(binPut, shelves); err != nil {
		return err
	}
	_, err := tx.bulk(binItemPut, lies)
	return err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func scanBin(r *sql.Rows, b *catalog.Bin) error {
	var first int64
	err := r.Scan(&b.Node, &b.ItemID, &b.Code, &b.Walk, &first)
	b.Primary = first != 0
	return err
}

// Bins reads a page of what lies where, in the order of item, node and code, behind one (the zero Bin: from the first).
func (tx *Tx) Bins(after catalog.Bin, limit int) ([]catalog.Bin, error) {
	return query(tx, binsPage, scanBin, after.ItemID, after.Node, after.Code, page(limit))
}

// BinsOf reads where items lie, in the order of item, node and code.
func (tx *Tx) BinsOf(items []string) ([]catalog.Bin, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return query(tx, binsOf, scanBin, items)
}
