package sqlcore

import (
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
)

// Shipment is a parcel as it is stored.
type Shipment struct {
	shipping.Shipment
	Wave    string // the wave it is worked in; empty: none
	Version int64  // every change raises it; 0: not stored
}

// ShipmentDocument is something to print. Sealed is sealed by the caller for this row.
type ShipmentDocument struct {
	ID, Shipment string
	Kind, Type   string
	Sealed       []byte
	At           time.Time
}

// CarrierAccount is an account with a carrier, a broker or a logistics provider.
type CarrierAccount struct {
	ID, Carrier, Name string
	Settings          map[string]string // no secrets
	Sealed            []byte            // its secrets, sealed by the caller for this row
	CreatedBy         string
	CreatedAt         time.Time
	RemovedAt         time.Time // zero: it is in use; a removed one has no Sealed
}

var (
	shipmentCols = []col{{"id", text}, {"connection_id", text}, {"node", text}, {"wave_id", text}, {"step", text}, {"due", bigint}, {"look_at", bigintOrNull},
		{"watch_at", bigintOrNull}, {"tracking", text}, {"ref", text}, {"body", text}, {"version", bigint}}

	shipmentAdd      = insertNew("store.ShipmentsAdd", "shipment", shipmentCols)
	shipmentOrderAdd = insert("store.ShipmentsAdd", "shipment_order", []col{{"order_id", text}, {"shipment_id", text}}, "ON CONFLICT (order_id, shipment_id) DO NOTHING")
	shipmentSave     = update("store.ShipmentsSave", "shipment", shipmentCols[1:], shipmentCols[:1], "version")

	shipmentsGet  = def("store.ShipmentsGet", "SELECT body, wave_id, version FROM shipment WHERE @in(id, $1) ORDER BY id")
	shipmentsOf   = def("store.ShipmentsOf", `SELECT body, wave_id, version FROM shipment WHERE id IN (SELECT shipment_id FROM shipment_order WHERE @in(order_id, $1)) ORDER BY id`)
	shipmentsTake = def("store.ShipmentsOfForUpdate", `SELECT body, wave_id, version FROM shipment WHERE id IN (SELECT shipment_id FROM shipment_order WHERE @in(order_id, $1))
		ORDER BY id @lock(FOR NO KEY UPDATE)`)
	shipmentsDue   = def("store.ShipmentsDue", "SELECT body, wave_id, version FROM shipment WHERE connection_id = $1 AND look_at IS NOT NULL AND look_at <= $2 ORDER BY look_at, id LIMIT $3")
	shipmentsNext  = def("store.ShipmentsNext", "SELECT look_at FROM shipment WHERE connection_id = $1 AND look_at IS NOT NULL ORDER BY look_at LIMIT 1")
	shipmentsFloor = def("store.ShipmentsAt", `SELECT body, wave_id, version FROM shipment WHERE node = $1 AND step = $2 AND step <> 'rest' AND (due, id) > ($3, $4)
		ORDER BY due, id LIMIT $5`)
	shipmentsWave = def("store.ShipmentsOfWave", "SELECT body, wave_id, version FROM shipment WHERE wave_id = $1 AND wave_id <> '' AND (due, id) > ($2, $3) ORDER BY due, id LIMIT $4")
	shipmentsBy   = def("store.ShipmentsBy", `SELECT body, wave_id, version FROM shipment WHERE id IN (SELECT id FROM shipment WHERE tracking = $1 AND tracking <> ''
		UNION SELECT id FROM shipment WHERE ref = $1 AND ref <> '' UNION SELECT id FROM shipment WHERE id = $1) ORDER BY id LIMIT $2`)
	shipmentsByTake = def("store.ShipmentsByForUpdate", `SELECT body, wave_id, version FROM shipment WHERE id IN (SELECT id FROM shipment WHERE tracking = $1 AND tracking <> ''
		UNION SELECT id FROM shipment WHERE ref = $1 AND ref <> '' UNION SELECT id FROM shipment WHERE id = $1) ORDER BY id LIMIT $2 @lock(FOR NO KEY UPDATE)`)
	shipmentCounts = def("store.ShipmentCounts", "SELECT node, step, count(*), min(due) FROM shipment WHERE step <> 'rest' GROUP BY node, step ORDER BY node, step")

	shipmentsStuck = def("store.ShipmentsStuck", `SELECT body, wave_id, version FROM shipment WHERE watch_at IS NOT NULL AND watch_at >= $1 AND watch_at < $2
		ORDER BY watch_at, node, id LIMIT $3`)
	shipmentsStuckAt = def("store.ShipmentsStuckAt", `SELECT body, wave_id, version FROM shipment WHERE watch_at IS NOT NULL AND watch_at >= $1 AND watch_at < $2 AND node = $3
		ORDER BY watch_at, node, id LIMIT $4`)
	stuckCounts = def("store.StuckCounts", "SELECT node, count(*) FROM shipment WHERE watch_at IS NOT NULL AND watch_at >= $1 AND watch_at < $2 GROUP BY node ORDER BY node")

	documentPut   = insertNew("store.DocumentPut", "shipment_document", []col{{"id", text}, {"shipment_id", text}, {"kind", text}, {"type", text}, {"sealed", bytea}, {"at", bigint}})
	documentGet   = def("store.DocumentGet", "SELECT id, shipment_id, kind, type, sealed, at FROM shipment_document WHERE id = $1")
	documentOf    = def("store.DocumentOf", "SELECT id FROM shipment_document WHERE shipment_id = $1 AND kind = $2 ORDER BY at DESC LIMIT 1")
	documentPrune = def("store.DocumentsPrune", "DELETE FROM shipment_document WHERE id IN (SELECT id FROM shipment_document WHERE at < $1 ORDER BY at LIMIT $2)")

	accountCols = []col{{"id", text}, {"carrier", text}, {"name", text}, {"settings", text}, {"sealed", bytea}, {"created_by", text}, {"created_at", bigint}, {"removed_at", bigint}}
	accountPut  = insert("store.CarrierAccountPut", "carrier_account", accountCols, upsert("id", []col{accountCols[2], accountCols[3], accountCols[4], accountCols[7]}))
	accountList = def("store.CarrierAccounts", "SELECT "+names(accountCols, plain, ", ")+" FROM carrier_account WHERE removed_at = 0 ORDER BY created_at, id")
	accountGet  = def("store.CarrierAccountGet", "SELECT "+names(accountCols, plain, ", ")+" FROM carrier_account WHERE id = $1")
)

// shipmentRow is a shipment as a row. Its step, when to look and from when on it is stuck follow from what it says of itself.
func (tx *Tx) shipmentRow(s *Shipment) ([]any, error) {
	body, err := encode(shipmentSave.op, s.Shipment)
	if err != nil {
		return nil, err
	}
	step, due := s.Next(tx.now), int64(math.MaxInt64)
	if !s.Due.IsZero() {
		due = us(s.Due)
	}
	var look any
	if step.Kind.Outside() {
		look = us(step.At)
	}
	var watch any
	if f, waits := s.Watch(tx.now); waits {
		watch = us(f.Due)
	}
	return []any{s.ID, s.ConnectionID, s.Node, s.Wave, string(step.Kind), due, look, watch, s.Label.Tracking, s.Label.Ref, body, s.Version + 1}, nil
}

// ShipmentsAdd stores new shipments and reports the ids that were; one whose id is there stays as it is.
func (tx *Tx) ShipmentsAdd(ss []Shipment) (map[string]bool, error) {
	rows, orders := make([][]any, len(ss)), [][]any{}
	for i := range ss {
		row, err := tx.shipmentRow(&ss[i])
		if err != nil {
			return nil, err
		}
		row[len(row)-1] = int64(1)
		rows[i] = row
		for _, o := range ss[i].Orders {
			orders = append(orders, []any{o, ss[i].ID})
		}
	}
	added, err := tx.bulkNew(shipmentAdd, rows)
	if err != nil {
		return nil, err
	}
	_, err = tx.bulk(shipmentOrderAdd, orders)
	return added, err
}

// ShipmentsSave stores changes and raises the versions in ss. Errors: Conflict (one was changed since it was read; nothing is stored).
func (tx *Tx) ShipmentsSave(ss []Shipment) error {
	rows := make([][]any, len(ss))
	for i := range ss {
		row, err := tx.shipmentRow(&ss[i])
		if err != nil {
			return err
		}
		rows[i] = append(append(row[1:], row[0]), ss[i].Version)
	}
	n, err := tx.bulk(shipmentSave, rows)
	if err == nil && n != int64(len(ss)) {
		item := strconv.Itoa(len(ss)) + " shipments"
		if len(ss) == 1 {
			item = ss[0].ID
		}
		return errs.New(errs.Conflict, shipmentSave.op, item, "somebody else has changed it meanwhile; look at it again")
	}
	if err != nil {
		return err
	}
	for i := range ss {
		ss[i].Version++
	}
	return nil
}

func scanShipment(r *sql.Rows, s *Shipment) error {
	var body []byte
	if err := r.Scan(&body, &s.Wave, &s.Version); err != nil {
		return err
	}
	return json.Unmarshal(body, &s.Shipment)
}

// ShipmentsGet reads shipments in the order of id; unknown ids are left out.
func (tx *Tx) ShipmentsGet(ids ...string) ([]Shipment, error) {
	return query(tx, shipmentsGet, scanShipment, ids)
}

// ShipmentGet reads one. Errors: NotFound.
func (tx *Tx) ShipmentGet(id string) (Shipment, error) {
	s, ok, err := one(tx, shipmentsGet, scanShipment, []string{id})
	if err == nil && !ok {
		return s, errs.New(errs.NotFound, "store.ShipmentGet", id, "there is no such shipment")
	}
	return s, err
}

// ShipmentsOf reads those of some orders, in the order of id.
func (tx *Tx) ShipmentsOf(orders ...string) ([]Shipment, error) {
	all, err := query(tx, shipmentsOf, scanShipment, orders)
	return holding(all, orders), err
}

// holding leaves out shipments that an order was taken out of.
func holding(all []Shipment, orders []string) []Shipment {
	return slices.DeleteFunc(all, func(s Shipment) bool {
		return !slices.ContainsFunc(s.Orders, func(id string) bool { return slices.Contains(orders, id) })
	})
}

// ShipmentsOfForUpdate is ShipmentsOf that keeps others from changing them until this transaction ends.
func (tx *Tx) ShipmentsOfForUpdate(orders ...string) ([]Shipment, error) {
	all, err := query(tx, shipmentsTake, scanShipment, orders)
	return holding(all, orders), err
}

// ShipmentsDue reads those of a connection with a step outside that is due, the longest due first.
func (tx *Tx) ShipmentsDue(connectionID string, at time.Time, limit int) ([]Shipment, error) {
	return query(tx, shipmentsDue, scanShipment, connectionID, us(at), page(limit))
}

// ShipmentsNext is when the next step outside of a connection is due; false: none waits. The zero time is at once.
func (tx *Tx) ShipmentsNext(connectionID string) (time.Time, bool, error) {
	at, ok, err := one(tx, shipmentsNext, scanOne[int64], connectionID)
	return when(at), ok, err
}

// ShipmentPlace is where a list by deadline goes on: behind the shipment of this deadline and id. The zero place is the beginning.
type ShipmentPlace struct {
	Due time.Time
	ID  string
}

// Place is where a list goes on behind the shipment.
func (s *Shipment) Place() ShipmentPlace { return ShipmentPlace{Due: s.Due, ID: s.ID} }

func (p ShipmentPlace) due() int64 {
	if p.Due.IsZero() && p.ID != "" {
		return math.MaxInt64
	}
	return us(p.Due)
}

// ShipmentsAt reads those of a node that wait for a step, those due first in front.
func (tx *Tx) ShipmentsAt(node string, step shipping.StepKind, after ShipmentPlace, limit int) ([]Shipment, error) {
	return query(tx, shipmentsFloor, scanShipment, node, string(step), after.due(), after.ID, page(limit))
}

// ShipmentsOfWave reads those of a wave, those due first in front.
func (tx *Tx) ShipmentsOfWave(wave string, after ShipmentPlace, limit int) ([]Shipment, error) {
	return query(tx, shipmentsWave, scanShipment, wave, after.due(), after.ID, page(limit))
}

// ShipmentsBy reads those known by a number: its own id, a tracking number, or the shipper's id.
func (tx *Tx) ShipmentsBy(number string, limit int) ([]Shipment, error) {
	return query(tx, shipmentsBy, scanShipment, number, page(limit))
}

// ShipmentsByForUpdate is ShipmentsBy that keeps others from changing them until this transaction ends.
func (tx *Tx) ShipmentsByForUpdate(number string, limit int) ([]Shipment, error) {
	return query(tx, shipmentsByTake, scanShipment, number, page(limit))
}

// ShipmentCount is how many shipments wait for a step at a node.
type ShipmentCount struct {
	Node string
	Step shipping.StepKind
	N    int64
	Due  time.Time // of the first; zero: none has a deadline
}

// ShipmentCounts counts what waits, by node and step.
func (tx *Tx) ShipmentCounts() ([]ShipmentCount, error) {
	return query(tx, shipmentCounts, func(r *sql.Rows, c *ShipmentCount) error {
		var due int64
		err := r.Scan(&c.Node, &c.Step, &c.N, &due)
		if due != math.MaxInt64 {
			c.Due = when(due)
		}
		return err
	})
}

// ShipmentsStuck reads those of which nothing was heard for too long: since before at, and not for longer than [shipping.WatchedFor]. The longest
// stuck come first. node "" is all of them.
func (tx *Tx) ShipmentsStuck(node string, at time.Time, limit int) ([]Shipment, error) {
	from, until := us(at.Add(-shipping.WatchedFor)), us(at)
	if node == "" {
		return query(tx, shipmentsStuck, scanShipment, from, until, page(limit))
	}
	return query(tx, shipmentsStuckAt, scanShipment, from, until, node, page(limit))
}

// StuckCounts counts those that ShipmentsStuck reads, by node.
func (tx *Tx) StuckCounts(at time.Time) (map[string]int64, error) {
	type count struct {
		node string
		n    int64
	}
	all, err := query(tx, stuckCounts, func(r *sql.Rows, c *count) error { return r.Scan(&c.node, &c.n) }, us(at.Add(-shipping.WatchedFor)), us(at))
	out := make(map[string]int64, len(all))
	for _, c := range all {
		out[c.node] = c.n
	}
	return out, err
}

// DocumentPut stores something to print; one whose id is there stays as it is.
func (tx *Tx) DocumentPut(d ShipmentDocument) error {
	_, err := tx.bulkNew(documentPut, [][]any{{d.ID, d.Shipment, d.Kind, d.Type, d.Sealed, us(d.At)}})
	return err
}

// DocumentGet reads one. Errors: NotFound (it never was, or is forgotten by now).
func (tx *Tx) DocumentGet(id string) (ShipmentDocument, error) {
	d, ok, err := one(tx, documentGet, func(r *sql.Rows, d *ShipmentDocument) error {
		var at int64
		err := r.Scan(&d.ID, &d.Shipment, &d.Kind, &d.Type, &d.Sealed, &at)
		d.At = when(at)
		return err
	}, id)
	if err == nil && !ok {
		return d, errs.New(errs.NotFound, documentGet.op, id, "this document is not kept any more")
	}
	return d, err
}

// DocumentOf is the id of the newest document of a kind that is kept for a shipment; empty: there is none.
func (tx *Tx) DocumentOf(shipment, kind string) (string, error) {
	id, _, err := one(tx, documentOf, scanOne[string], shipment, kind)
	return id, err
}

// DocumentsPrune forgets documents made before a time, at most limit, and returns how many.
func (tx *Tx) DocumentsPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(documentPrune, us(before), page(limit))
}

// CarrierAccountPut stores an account, new or changed. With RemovedAt its secrets must be gone.
func (tx *Tx) CarrierAccountPut(a CarrierAccount) error {
	if !a.RemovedAt.IsZero() && len(a.Sealed) > 0 {
		return errs.New(errs.Invalid, accountPut.op, a.ID, "an account that is removed keeps no secrets")
	}
	settings, err := encode(accountPut.op, a.Settings)
	if err != nil {
		return err
	}
	if a.Sealed == nil {
		a.Sealed = []byte{}
	}
	_, err = tx.bulk(accountPut, [][]any{{a.ID, a.Carrier, a.Name, settings, a.Sealed, a.CreatedBy, us(a.CreatedAt), us(a.RemovedAt)}})
	return err
}

func scanAccount(r *sql.Rows, a *CarrierAccount) error {
	var settings []byte
	var made, gone int64
	if err := r.Scan(&a.ID, &a.Carrier, &a.Name, &settings, &a.Sealed, &a.CreatedBy, &made, &gone); err != nil {
		return err
	}
	a.CreatedAt, a.RemovedAt = when(made), when(gone)
	return json.Unmarshal(settings, &a.Settings)
}

// CarrierAccounts reads those in use, the oldest first.
func (tx *Tx) CarrierAccounts() ([]CarrierAccount, error) { return query(tx, accountList, scanAccount) }

// CarrierAccountGet reads one, removed or not. Errors: NotFound.
func (tx *Tx) CarrierAccountGet(id string) (CarrierAccount, error) {
	a, ok, err := one(tx, accountGet, scanAccount, id)
	if err == nil && !ok {
		return a, errs.New(errs.NotFound, accountGet.op, id, "there is no such carrier account")
	}
	return a, err
}
