package sqlcore

import (
	"bytes"
	"database/sql"
	"errors"
	"slices"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
)

// CustodyEntry is a row of the custody log.
type CustodyEntry struct {
	ID              string
	Place           int64 // in the log, from 0; -1: it waits for one
	Turn            int64 // among those that wait; 0: it has a place
	OrderID, Parcel string
	Leaf, Hash      []byte
}

// CustodyKey is the name of this home's log and its key.
type CustodyKey struct {
	Origin, Verifier string
	Sealed           []byte
}

// CustodyCheckpoint is a signed head of the log.
type CustodyCheckpoint struct {
	Size int64
	Note string
}

const (
	// custodyLock is taken by whoever gives entries their places.
	custodyLock = 0x435553544f4459
	custodyList = "id, coalesce(seq, 0), coalesce(n, -1), order_id, parcel, leaf, hash"
	// custodyTileSpan entries share a tile of level 0.
	custodyTileSpan = 1 << custody.TileHeight
)

var (
	custodyAppendCols = []col{{"id", text}, {"order_id", text}, {"parcel", text}, {"leaf", bytea}, {"hash", bytea}}

	custodyAppend  = custodyInsert()
	custodyGet     = def("store.CustodyAppend", "SELECT "+custodyList+" FROM custody_entry WHERE @in(id, $1)")
	custodyLocked  = both("store.CustodyLock", "SELECT $1", "SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) l")
	custodyWaiting = def("store.CustodyWaiting", "SELECT "+custodyList+" FROM custody_entry WHERE seq IS NOT NULL AND seq > $1 ORDER BY seq LIMIT $2")
	custodyPlace   = update("store.CustodyPlace", "custody_entry", []col{{"n", bigint}, {"seq", bigintOrNull}}, []col{{"id", text}}, "seq")
	custodyPage    = def("store.CustodyPage", "SELECT "+custodyList+" FROM custody_entry WHERE n >= $1 ORDER BY n LIMIT $2")
	custodyOrder   = def("store.CustodyOf", "SELECT "+custodyList+" FROM custody_entry WHERE order_id <> '' AND order_id = $1 AND n IS NOT NULL ORDER BY n LIMIT $2")
	custodyParcel  = def("store.CustodyOf", "SELECT "+custodyList+" FROM custody_entry WHERE parcel <> '' AND parcel = $1 AND n IS NOT NULL ORDER BY n LIMIT $2")
	custodyCount   = def("store.CustodyCount", "SELECT count(*) FROM custody_entry WHERE n IS NOT NULL")

	custodyTileCols  = []col{{"level", bigint}, {"n", bigint}, {"data", bytea}}
	custodyTilePut   = insert("store.CustodyTilesPut", "custody_tile", custodyTileCols, upsert("level, n", custodyTileCols[2:]))
	custodyTileGet   = def("store.CustodyTile", "SELECT data FROM custody_tile WHERE level = $1 AND n = $2")
	custodyTileCount = def("store.CustodyTileCount", "SELECT count(*) FROM custody_tile")

	custodyHead    = def("store.CustodyHead", "SELECT size, note FROM custody_checkpoint ORDER BY size DESC LIMIT 1")
	custodyHeads   = def("store.CustodyCheckpoints", "SELECT size, note FROM custody_checkpoint WHERE size > $1 ORDER BY size LIMIT $2")
	custodySign    = insert("store.CustodyHeadPut", "custody_checkpoint", []col{{"size", bigint}, {"note", text}}, "")
	custodyForget  = def("store.CustodyHeadPut", "DELETE FROM custody_checkpoint WHERE size = $1")
	custodyKeyGet  = def("store.CustodyKeys", "SELECT origin, verifier, sealed FROM custody_key ORDER BY origin")
	custodyKeyMake = insertNew("store.CustodyKeyPut", "custody_key", []col{{"origin", text}, {"verifier", text}, {"sealed", bytea}})
)

// custodyInsert gives each new entry its turn. On PostgreSQL transactions that write at once may commit in another order than that of their
// turns, but one that begins after another has committed has the later turn, and whatever is seen waiting is given a place before what is
// seen later. So an event never comes before one that it followed.
func custodyInsert() *stmt {
	s := insertNew("store.CustodyAppend", "custody_entry", custodyAppendCols)
	list := names(custodyAppendCols, plain, ", ")
	s.text[SQLite] = "INSERT INTO custody_entry (" + list + ", seq) VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM custody_entry WHERE seq IS NOT NULL)) ON CONFLICT (id) DO NOTHING"
	s.many = Tuples{} // each has its turn from the one before
	s.text[Postgres] = "INSERT INTO custody_entry (" + list + ", seq) SELECT " + list + ", nextval('custody_entry_seq') FROM unnest(" + names(custodyAppendCols, pgParam, ", ") +
		") WITH ORDINALITY AS u(" + list + ", ord) ORDER BY ord ON CONFLICT (id) DO NOTHING RETURNING id"
	return s
}

// CustodyAppend writes custody events to the log in the transaction that made them true; they have their place in the tree within a second.
// An event whose id is there already is left as it is. Errors: Invalid, Conflict (the id was used for another event).
func (tx *Tx) CustodyAppend(events []custody.Event) error {
	const op = "store.CustodyAppend"
	leaves := make(map[string][]byte, len(events))
	rows := make([][]any, 0, len(events))
	var ids []string
	for _, e := range events {
		e, err := e.Normal()
		if err != nil {
			return err
		}
		leaf, err := custody.Leaf(e)
		if err != nil {
			return err
		}
		if before, ok := leaves[e.ID]; ok {
			if !bytes.Equal(before, leaf) {
				return errs.New(errs.Conflict, op, e.ID, "two custody events have one id")
			}
			continue
		}
		hash := custody.HashLeaf(leaf)
		leaves[e.ID], ids = leaf, append(ids, e.ID)
		rows = append(rows, []any{e.ID, e.OrderID, e.ParcelID, leaf, hash[:]})
	}
	fresh, err := tx.bulkNew(custodyAppend, rows)
	if err != nil || len(fresh) == len(rows) {
		return err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return fresh[id] })
	kept, err := query(tx, custodyGet, scanCustody, ids)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if !bytes.Equal(k.Leaf, leaves[k.ID]) {
			return errs.New(errs.Conflict, op, k.ID, "the id was used for another custody event")
		}
	}
	return nil
}

func scanCustody(r *sql.Rows, e *CustodyEntry) error {
	return r.Scan(&e.ID, &e.Turn, &e.Place, &e.OrderID, &e.Parcel, &e.Leaf, &e.Hash)
}

// CustodyLock keeps others from giving places until this transaction ends. Take it before reading what waits.
func (tx *Tx) CustodyLock() error {
	_, err := query(tx, custodyLocked, scanOne[int64], int64(custodyLock))
	return err
}

// CustodyWaiting reads entries that wait for their place, in turn, after one's turn.
func (tx *Tx) CustodyWaiting(after int64, limit int) ([]CustodyEntry, error) {
	return query(tx, custodyWaiting, scanCustody, after, page(limit))
}

// CustodyPlace gives entries that wait the places from first on. It needs CustodyLock.
func (tx *Tx) CustodyPlace(first int64, es []CustodyEntry) error {
	rows := make([][]any, len(es))
	for i, e := range es {
		rows[i] = []any{first + int64(i), nil, e.ID, e.Turn}
	}
	n, err := tx.bulk(custodyPlace, rows)
	if err == nil && n != int64(len(es)) {
		err = tx.stale("store.CustodyPlace", "")
	}
	return err
}

// CustodyPage reads entries from a place on.
func (tx *Tx) CustodyPage(from int64, limit int) ([]CustodyEntry, error) {
	return query(tx, custodyPage, scanCustody, from, page(limit))
}

// CustodyOf reads the entries with a place of a parcel or, without one, of an order, in the order of the log. Ids are given as the caller knows them.
func (tx *Tx) CustodyOf(orderID, parcel string, limit int) ([]CustodyEntry, error) {
	if parcel != "" {
		return query(tx, custodyParcel, scanCustody, custody.Ref(parcel), page(limit))
	}
	return query(tx, custodyOrder, scanCustody, custody.Ref(orderID), page(limit))
}

// CustodyCount counts the entries that have a place, and the tiles.
func (tx *Tx) CustodyCount() (entries, tiles int64, err error) {
	if entries, _, err = one(tx, custodyCount, scanOne[int64]); err == nil {
		tiles, _, err = one(tx, custodyTileCount, scanOne[int64])
	}
	return entries, tiles, err
}

// CustodyTilesPut writes tiles that are new or have grown.
func (tx *Tx) CustodyTilesPut(tiles []custody.Tile) error {
	rows := make([][]any, len(tiles))
	for i, t := range tiles {
		rows[i] = []any{int64(t.Level), t.N, t.Data}
	}
	_, err := tx.bulk(custodyTilePut, rows)
	return err
}

// CustodyTile reads a tile; one that is not there is empty.
func (tx *Tx) CustodyTile(k custody.TileKey) ([]byte, error) {
	data, _, err := one(tx, custodyTileGet, scanOne[[]byte], int64(k.Level), k.N)
	return data, err
}

func scanCheckpoint(r *sql.Rows, c *CustodyCheckpoint) error { return r.Scan(&c.Size, &c.Note) }

// CustodyHead is the newest checkpoint; false: the log has none.
func (tx *Tx) CustodyHead() (CustodyCheckpoint, bool, error) {
	return one(tx, custodyHead, scanCheckpoint)
}

// CustodyHeadPut stores the checkpoint that follows old. The older one is kept if a tile was filled since: so there are as many as tiles,
// however often the log is signed. It needs CustodyLock.
func (tx *Tx) CustodyHeadPut(old, now CustodyCheckpoint) error {
	var forget error
	if old.Note != "" && old.Size/custodyTileSpan == now.Size/custodyTileSpan {
		_, forget = tx.exec(custodyForget, old.Size)
	}
	_, err := tx.bulk(custodySign, [][]any{{now.Size, now.Note}})
	return errors.Join(forget, err)
}

// CustodyCheckpoints reads checkpoints of more than so many entries, the smallest first.
func (tx *Tx) CustodyCheckpoints(after int64, limit int) ([]CustodyCheckpoint, error) {
	return query(tx, custodyHeads, scanCheckpoint, after, page(limit))
}

// CustodyKeyGet is the log's key; false: there is no log yet. Errors: Internal (several).
func (tx *Tx) CustodyKeyGet() (k CustodyKey, found bool, err error) {
	keys, err := query(tx, custodyKeyGet, func(r *sql.Rows, k *CustodyKey) error { return r.Scan(&k.Origin, &k.Verifier, &k.Sealed) })
	if err != nil || len(keys) == 0 {
		return k, false, err
	}
	if len(keys) > 1 {
		return k, false, errs.New(errs.Internal, "store.CustodyKeyGet", "", "the custody log has %d keys", len(keys))
	}
	return keys[0], true, nil
}

// CustodyKeyPut begins the log under a name. It needs CustodyLock, and that there is none.
func (tx *Tx) CustodyKeyPut(k CustodyKey) error {
	_, err := tx.bulkNew(custodyKeyMake, [][]any{{k.Origin, k.Verifier, k.Sealed}})
	return err
}
