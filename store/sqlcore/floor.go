package sqlcore

import (
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/kit/errs"
)

// FloorWave is a wave that was released.
type FloorWave struct {
	ID   string `json:"-"`
	Node string `json:"-"`
	Done bool   `json:"-"` // every bin is picked or short
	floor.Wave
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Version int64     `json:"-"`
}

// FloorTask is a bin on the walk of a wave.
type FloorTask struct {
	ID, Wave string
	Place    int64
	floor.Task
	Version int64
}

// FloorClaim is a parcel at a station, and how far it is packed.
type FloorClaim struct {
	floor.Claim
	floor.Pack
	Version int64 `json:"-"`
}

// FloorTrouble is a parcel on the exceptions bench.
type FloorTrouble struct {
	Shipment string       `json:"-"`
	Node     string       `json:"-"`
	At       time.Time    `json:"-"`
	Kind     string       `json:"kind"`
	Text     string       `json:"text"`
	Note     string       `json:"note,omitzero"` // what was done about it since
	Lacks    []floor.Need `json:"lacks,omitempty"`
	Orders   []string     `json:"orders"`
	By       string       `json:"by,omitzero"`
	Settled  bool         `json:"settled,omitzero"` // the parcel is not worked on any more; the row tells what became of it
}

var (
	waveCols = []col{{"id", text}, {"node", text}, {"state", text}, {"body", text}, {"version", bigint}}
	waveAdd  = insertNew("store.WavesAdd", "floor_wave", waveCols)
	waveSave = update("store.WaveSave", "floor_wave", waveCols[2:], waveCols[:1], "version")
	wavesGet = def("store.WavesGet", "SELECT id, node, state, body, version FROM floor_wave WHERE @in(id, $1) ORDER BY id")
	wavesAt  = def("store.WavesOpen", "SELECT id, node, state, body, version FROM floor_wave WHERE node = $1 AND state = 'open' ORDER BY id LIMIT $2")

	walkCols = []col{{"id", text}, {"wave_id", text}, {"place", bigint}, {"body", text}, {"version", bigint}}
	walkAdd  = insertNew("store.WalksAdd", "floor_task", walkCols)
	walkSave = update("store.WalksSave", "floor_task", walkCols[3:], walkCols[:1], "version")
	walksOf  = def("store.WalksOf", "SELECT id, wave_id, place, body, version FROM floor_task WHERE @in(wave_id, $1) ORDER BY wave_id, place")

	claimCols = []col{{"shipment_id", text}, {"station", text}, {"body", text}, {"version", bigint}}
	claimAdd  = insertNew("store.ClaimPut", "floor_claim", claimCols)
	claimSave = update("store.ClaimPut", "floor_claim", claimCols[1:], claimCols[:1], "version")
	claimDrop = def("store.ClaimDrop", "DELETE FROM floor_claim WHERE shipment_id = $1")
	claimsGet = def("store.ClaimsGet", "SELECT body, version FROM floor_claim WHERE @in(shipment_id, $1) ORDER BY shipment_id")
	claimsOf  = def("store.ClaimsOf", "SELECT body, version FROM floor_claim WHERE station = $1 ORDER BY shipment_id")

	scanAdd   = insertNew("store.ScanOnce", "floor_scan", []col{{"id", text}, {"at", bigint}, {"body", text}})
	scanGet   = def("store.ScanOnce", "SELECT body FROM floor_scan WHERE id = $1")
	scanKeep  = def("store.ScanKeep", "UPDATE floor_scan SET body = $2 WHERE id = $1")
	scanPrune = def("store.ScansPrune", "DELETE FROM floor_scan WHERE id IN (SELECT id FROM floor_scan WHERE at < $1 ORDER BY at LIMIT $2)")

	troubleCols = []col{{"shipment_id", text}, {"node", text}, {"at", bigint}, {"body", text}}
	troublePut  = insert("store.TroublePut", "floor_trouble", troubleCols, upsert("shipment_id", troubleCols[1:]))
	troubleDrop = def("store.TroubleDrop", "DELETE FROM floor_trouble WHERE shipment_id = $1")
	troublesAt  = def("store.Troubles", "SELECT shipment_id, node, at, body FROM floor_trouble WHERE node = $1 ORDER BY at DESC, shipment_id LIMIT $2")
	troublesGet = def("store.TroublesGet", "SELECT shipment_id, node, at, body FROM floor_trouble WHERE @in(shipment_id, $1) ORDER BY shipment_id")
)

func waveState(done bool) string {
	if done {
		return "done"
	}
	return "open"
}

// WavesAdd stores new waves with their walks; a wave whose id is there stays as it is, and so does its walk. Reports the ids that were new.
func (tx *Tx) WavesAdd(ws []FloorWave, tasks []FloorTask) (map[string]bool, error) {
	rows := make([][]any, len(ws))
	for i := range ws {
		body, err := encode(waveAdd.op, ws[i])
		if err != nil {
			return nil, err
		}
		rows[i] = []any{ws[i].ID, ws[i].Node, waveState(ws[i].Done), body, int64(1)}
	}
	fresh, err := tx.bulkNew(waveAdd, rows)
	if err != nil {
		return nil, err
	}
	return fresh, tx.WalksAdd(slices.DeleteFunc(slices.Clone(tasks), func(t FloorTask) bool { return !fresh[t.Wave] }))
}

// WalksAdd adds bins to the walks of waves; one whose id is there stays as it is.
func (tx *Tx) WalksAdd(tasks []FloorTask) error {
	rows := make([][]any, len(tasks))
	for i, t := range tasks {
		body, err := encode(walkAdd.op, t.Task)
		if err != nil {
			return err
		}
		rows[i] = []any{t.ID, t.Wave, t.Place, body, int64(1)}
	}
	_, err := tx.bulkNew(walkAdd, rows)
	return err
}

func scanWave(r *sql.Rows, w *FloorWave) error {
	var body []byte
	var state string
	if err := r.Scan(&w.ID, &w.Node, &state, &body, &w.Version); err != nil {
		return err
	}
	w.Done = state == "done"
	return json.Unmarshal(body, w)
}

// WaveGet reads one. Errors: NotFound.
func (tx *Tx) WaveGet(id string) (FloorWave, error) {
	w, ok, err := one(tx, wavesGet, scanWave, []string{id})
	if err == nil && !ok {
		return w, errs.New(errs.NotFound, "store.WaveGet", id, "there is no such wave")
	}
	return w, err
}

// WavesOpen reads those of a node that are not picked, the oldest first.
func (tx *Tx) WavesOpen(node string, limit int) ([]FloorWave, error) {
	return query(tx, wavesAt, scanWave, node, page(limit))
}

// WaveSave stores what became of a wave. Somebody else's change since it was read makes the transaction run again.
func (tx *Tx) WaveSave(w FloorWave) error {
	body, err := encode(waveSave.op, w)
	if err != nil {
		return err
	}
	n, err := tx.bulk(waveSave, [][]any{{waveState(w.Done), body, w.Version + 1, w.ID, w.Version}})
	if err == nil && n != 1 {
		return tx.stale(waveSave.op, w.ID)
	}
	return err
}

// WalksOf reads the walks of waves, in the order of the walk.
func (tx *Tx) WalksOf(waves ...string) ([]FloorTask, error) {
	return query(tx, walksOf, func(r *sql.Rows, t *FloorTask) error {
		var body []byte
		if err := r.Scan(&t.ID, &t.Wave, &t.Place, &body, &t.Version); err != nil {
			return err
		}
		return json.Unmarshal(body, &t.Task)
	}, waves)
}

// WalksSave stores what was picked. Somebody else's change since one was read makes the transaction run again.
func (tx *Tx) WalksSave(ts []FloorTask) error {
	rows := make([][]any, len(ts))
	for i, t := range ts {
		body, err := encode(walkSave.op, t.Task)
		if err != nil {
			return err
		}
		rows[i] = []any{body, t.Version + 1, t.ID, t.Version}
	}
	n, err := tx.bulk(walkSave, rows)
	if err == nil && n != int64(len(ts)) {
		return tx.stale(walkSave.op, "tasks")
	}
	return err
}

func scanClaim(r *sql.Rows, c *FloorClaim) error {
	var body []byte
	if err := r.Scan(&body, &c.Version); err != nil {
		return err
	}
	return json.Unmarshal(body, c)
}

// ClaimsGet reads who has parcels; those nobody has are left out.
func (tx *Tx) ClaimsGet(shipments ...string) ([]FloorClaim, error) {
	return query(tx, claimsGet, scanClaim, shipments)
}

// ClaimsOf reads what a station has: one parcel, or none.
func (tx *Tx) ClaimsOf(station string) ([]FloorClaim, error) {
	return query(tx, claimsOf, scanClaim, station)
}

// ClaimPut stores who has a parcel. Somebody else's claim since it was read makes the transaction run again.
func (tx *Tx) ClaimPut(c FloorClaim) error {
	body, err := encode(claimSave.op, c)
	if err != nil {
		return err
	}
	var n int64
	if c.Version == 0 {
		fresh, err := tx.bulkNew(claimAdd, [][]any{{c.Parcel, c.Station, body, int64(1)}})
		if err != nil {
			return err
		}
		n = int64(len(fresh))
		if !fresh[c.Parcel] {
			n = 0
		}
	} else if n, err = tx.bulk(claimSave, [][]any{{c.Station, body, c.Version + 1, c.Parcel, c.Version}}); err != nil {
		return err
	}
	if n != 1 {
		return tx.stale(claimSave.op, c.Parcel)
	}
	return nil
}

// ClaimDrop frees a parcel.
func (tx *Tx) ClaimDrop(shipment string) error {
	_, err := tx.exec(claimDrop, shipment)
	return err
}

// ScanOnce notes a scan by the id that was made where it was scanned. For one that was noted before it returns what was said to it.
func (tx *Tx) ScanOnce(id string) (said json.RawMessage, again bool, err error) {
	fresh, err := tx.bulkNew(scanAdd, [][]any{{id, us(tx.now), "{}"}})
	if err != nil || fresh[id] {
		return nil, false, err
	}
	body, ok, err := one(tx, scanGet, scanOne[string], id)
	if err == nil && !ok {
		return nil, true, tx.stale(scanGet.op, id)
	}
	return json.RawMessage(body), true, err
}

// ScanKeep stores what was said to a scan.
func (tx *Tx) ScanKeep(id string, said json.RawMessage) error {
	_, err := tx.exec(scanKeep, id, string(said))
	return err
}

// ScansPrune forgets scans before a time, at most limit, and returns how many.
func (tx *Tx) ScansPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(scanPrune, us(before), page(limit))
}

// TroublePut puts parcels on the exceptions bench, or changes what is said of them there.
func (tx *Tx) TroublePut(ts ...FloorTrouble) error {
	rows := make([][]any, len(ts))
	for i, t := range ts {
		body, err := encode(troublePut.op, t)
		if err != nil {
			return err
		}
		rows[i] = []any{t.Shipment, t.Node, us(t.At), body}
	}
	_, err := tx.bulk(troublePut, rows)
	return err
}

// TroubleDrop takes a parcel off the bench.
func (tx *Tx) TroubleDrop(shipment string) error {
	_, err := tx.exec(troubleDrop, shipment)
	return err
}

func scanTrouble(r *sql.Rows, t *FloorTrouble) error {
	var at int64
	var body []byte
	if err := r.Scan(&t.Shipment, &t.Node, &at, &body); err != nil {
		return err
	}
	t.At = when(at)
	return json.Unmarshal(body, t)
}

// Troubles reads the bench of a node, the newest first.
func (tx *Tx) Troubles(node string, limit int) ([]FloorTrouble, error) {
	return query(tx, troublesAt, scanTrouble, node, page(limit))
}

// TroublesGet reads what is said of parcels on the bench.
func (tx *Tx) TroublesGet(shipments ...string) ([]FloorTrouble, error) {
	return query(tx, troublesGet, scanTrouble, shipments)
}
