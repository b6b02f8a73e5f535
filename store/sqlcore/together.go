package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"
)

// CombinationState is where a proposal to ship orders as one stands.
type CombinationState string

const (
	Proposed CombinationState = "proposed" // a person may agree
	Joined   CombinationState = "done"     // they share a parcel
	Declined CombinationState = "declined" // a person does not want it
	Rejected CombinationState = "refused"  // the channel does not let them, or not any more
)

// Combination is a set of orders that a channel would let ship as one.
type Combination struct {
	ID           string           `json:"-"` // ours: it follows from the orders
	ConnectionID string           `json:"-"`
	Node         string           `json:"-"`
	State        CombinationState `json:"-"`
	At           time.Time        `json:"-"` // of the state
	Orders       []string         `json:"orders"`
	Parcel       string           `json:"parcel,omitzero"` // of Joined
	Due          time.Time        `json:"due,omitzero"`    // of the first of them
	Why          string           `json:"why,omitzero"`
	By           string           `json:"by,omitzero"`
}

// Bag is a bag of parcels that a channel takes over together.
type Bag struct {
	ID           string            `json:"-"` // made by who asked
	ConnectionID string            `json:"-"`
	Node         string            `json:"-"`
	At           time.Time         `json:"-"`
	Orders       []string          `json:"orders"`
	Parcels      []string          `json:"parcels"`
	DropOff      bool              `json:"drop_off,omitzero"`
	Fate         string            `json:"fate"` // of the call, in shipping's words
	Ref          string            `json:"ref,omitzero"`
	URL          string            `json:"url,omitzero"`
	Document     string            `json:"document,omitzero"`
	Refused      map[string]string `json:"refused,omitempty"` // orders that are not in it, with the reason
	Why          string            `json:"why,omitzero"`
	By           string            `json:"by"`
}

var (
	combinationCols = []col{{"id", text}, {"connection_id", text}, {"node", text}, {"state", text}, {"at", bigint}, {"body", text}}
	combinationList = "SELECT " + names(combinationCols, plain, ", ") + " FROM combination"
	combinationPut  = insert("store.CombinationsPut", "combination", combinationCols, upsert("id", combinationCols[2:]))
	combinationsGet = def("store.CombinationsGet", combinationList+" WHERE @in(id, $1) ORDER BY id")
	combinationsOf  = def("store.CombinationsOf", combinationList+" WHERE connection_id = $1 AND state = $2 ORDER BY id LIMIT $3")
	combinationsAt  = def("store.CombinationsAt", combinationList+" WHERE node = $1 AND state = 'proposed' ORDER BY at, id LIMIT $2")
	combinationDrop = def("store.CombinationDrop", "DELETE FROM combination WHERE id = $1")
	combinationOld  = def("store.CombinationsPrune", "DELETE FROM combination WHERE id IN (SELECT id FROM combination WHERE at < $1 ORDER BY at LIMIT $2)")

	bagCols = []col{{"id", text}, {"connection_id", text}, {"node", text}, {"at", bigint}, {"body", text}}
	bagList = "SELECT " + names(bagCols, plain, ", ") + " FROM bag"
	bagAdd  = insertNew("store.BagAdd", "bag", bagCols)
	bagPut  = insert("store.BagSave", "bag", bagCols, upsert("id", bagCols[4:]))
	bagGet  = def("store.BagGet", bagList+" WHERE id = $1")
	bagTake = def("store.BagForUpdate", bagList+" WHERE id = $1 @lock(FOR NO KEY UPDATE)")
	bagsAt  = def("store.BagsAt", bagList+" WHERE node = $1 ORDER BY at DESC, id LIMIT $2")
	bagOld  = def("store.BagsPrune", "DELETE FROM bag WHERE id IN (SELECT id FROM bag WHERE at < $1 ORDER BY at LIMIT $2)")
)

// CombinationsPut stores combinations, new or changed.
func (tx *Tx) CombinationsPut(cs []Combination) error {
	rows := make([][]any, len(cs))
	for i, c := range cs {
		body, err := encode(combinationPut.op, c)
		if err != nil {
			return err
		}
		rows[i] = []any{c.ID, c.ConnectionID, c.Node, string(c.State), us(c.At), body}
	}
	_, err := tx.bulk(combinationPut, rows)
	return err
}

func scanCombination(r *sql.Rows, c *Combination) error {
	var body []byte
	var at int64
	if err := r.Scan(&c.ID, &c.ConnectionID, &c.Node, &c.State, &at, &body); err != nil {
		return err
	}
	c.At = when(at)
	return json.Unmarshal(body, c)
}

// CombinationsGet reads combinations in the order of id; unknown ids are left out.
func (tx *Tx) CombinationsGet(ids ...string) ([]Combination, error) {
	return query(tx, combinationsGet, scanCombination, ids)
}

// CombinationsOf reads those of a connection in a state, in the order of id.
func (tx *Tx) CombinationsOf(connectionID string, state CombinationState, limit int) ([]Combination, error) {
	return query(tx, combinationsOf, scanCombination, connectionID, string(state), page(limit))
}

// CombinationsAt reads the proposals of a node, the oldest first.
func (tx *Tx) CombinationsAt(node string, limit int) ([]Combination, error) {
	return query(tx, combinationsAt, scanCombination, node, page(limit))
}

// CombinationDrop forgets one.
func (tx *Tx) CombinationDrop(id string) error {
	_, err := tx.exec(combinationDrop, id)
	return err
}

// CombinationsPrune forgets those that came to their state before a time, at most limit, and returns how many.
func (tx *Tx) CombinationsPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(combinationOld, us(before), page(limit))
}

func bagRow(op string, b Bag) ([][]any, error) {
	body, err := encode(op, b)
	return [][]any{{b.ID, b.ConnectionID, b.Node, us(b.At), body}}, err
}

// BagAdd stores a new bag; false: its id is there already, and it stays as it is.
func (tx *Tx) BagAdd(b Bag) (bool, error) {
	rows, err := bagRow(bagAdd.op, b)
	if err != nil {
		return false, err
	}
	added, err := tx.bulkNew(bagAdd, rows)
	return added[b.ID], err
}

// BagSave stores what became of a bag.
func (tx *Tx) BagSave(b Bag) error {
	rows, err := bagRow(bagPut.op, b)
	if err != nil {
		return err
	}
	_, err = tx.bulk(bagPut, rows)
	return err
}

func scanBag(r *sql.Rows, b *Bag) error {
	var body []byte
	var at int64
	if err := r.Scan(&b.ID, &b.ConnectionID, &b.Node, &at, &body); err != nil {
		return err
	}
	b.At = when(at)
	return json.Unmarshal(body, b)
}

// BagGet reads one; false: there is none.
func (tx *Tx) BagGet(id string) (Bag, bool, error) { return one(tx, bagGet, scanBag, id) }

// BagForUpdate is BagGet that keeps others from changing it until this transaction ends.
func (tx *Tx) BagForUpdate(id string) (Bag, bool, error) { return one(tx, bagTake, scanBag, id) }

// BagsAt reads those of a node, the newest first.
func (tx *Tx) BagsAt(node string, limit int) ([]Bag, error) {
	return query(tx, bagsAt, scanBag, node, page(limit))
}

// BagsPrune forgets bags made before a time, at most limit, and returns how many.
func (tx *Tx) BagsPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(bagOld, us(before), page(limit))
}
