package sqlcore

import (
	"cmp"
	"database/sql"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

var (
	movementCols = []col{{"id", text}, {"at", bigint}, {"recorded_at", bigint}, {"kind", text}, {"item_id", text}, {"location_id", text},
		{"on_hand", bigint}, {"reserved", bigint}, {"damaged", bigint}, {"on_hand_after", bigint}, {"reserved_after", bigint}, {"damaged_after", bigint},
		{"ref", text}, {"line", text}, {"reason", text}, {"actor", text}, {"reverses", textOrNull}}
	movementList = names(movementCols, plain, ", ") + ", seq"

	movementBook    = insert("store.LedgerSave", "movement", movementCols, "")
	movementInsert  = insertNew("store.MovementsAppend", "movement", movementCols)
	movementsGet    = def("store.MovementsGet", "SELECT "+movementList+" FROM movement WHERE @in(id, $1) ORDER BY seq")
	movementsOfItem = def("store.MovementsOfItem", "SELECT "+movementList+" FROM movement WHERE item_id = $1 AND location_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4")
	// Without the second condition no database would know that the index of those with a ref will do.
	movementsOfRef   = def("store.MovementsOfRef", "SELECT "+movementList+" FROM movement WHERE ref = $1 AND ref <> '' AND kind NOT IN ('reserve', 'release', 'expire', 'ship', 'cancel', 'displace') ORDER BY seq LIMIT $2")
	movementsOfOrder = def("store.MovementsOfRef", "SELECT "+movementList+" FROM movement WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3")
	markUpTo         = def("store.MovementSeqAt", "SELECT seq FROM movement WHERE seq % 256 = 0 AND recorded_at <= $1 ORDER BY recorded_at DESC, seq DESC LIMIT 1")
	markAfter        = def("store.MovementSeqAt", "SELECT seq FROM movement WHERE seq % 256 = 0 AND recorded_at > $1 ORDER BY recorded_at, seq LIMIT 1")
	lastBetween      = def("store.MovementSeqAt", "SELECT seq FROM movement WHERE seq >= $1 AND seq <= $2 AND recorded_at <= $3 ORDER BY seq DESC LIMIT 1")
	journalAll       = def("store.JournalAll", "SELECT "+movementList+" FROM movement WHERE seq > $1 ORDER BY seq LIMIT $2")
	movementReverses = def("store.MovementReversal", "SELECT "+movementList+" FROM movement WHERE reverses = $1")
)

// MovementsAppend writes movements to the journal and returns the ids that were in it before, which are left as they were. A Book's caller that
// gets any must not save the balances: the same thing would be booked twice. Errors: Conflict (a movement is reversed twice).
func (tx *Tx) MovementsAppend(ms []stock.Movement) (duplicates []string, err error) {
	fresh, err := tx.bulkNew(movementInsert, movementRows(ms))
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if !fresh[m.ID] {
			duplicates = append(duplicates, m.ID)
		}
		fresh[m.ID] = false // a second one of the same id in ms is a duplicate
	}
	return duplicates, nil
}

func movementRows(ms []stock.Movement) [][]any {
	rows := make([][]any, len(ms))
	for i := range ms {
		m := &ms[i]
		rows[i] = []any{m.ID, us(m.At), us(m.RecordedAt), string(m.Kind), m.ItemID, m.LocationID, m.OnHand, m.Reserved, m.Damaged,
			m.OnHandAfter, m.ReservedAfter, m.DamagedAfter, m.Ref, m.Line, m.Reason, m.Actor, textNull(m.Reverses)}
	}
	return rows
}

func scanMovement(r *sql.Rows, m *stock.Movement) error {
	var at, recorded int64
	var reverses sql.NullString
	err := r.Scan(&m.ID, &at, &recorded, &m.Kind, &m.ItemID, &m.LocationID, &m.OnHand, &m.Reserved, &m.Damaged, &m.OnHandAfter, &m.ReservedAfter,
		&m.DamagedAfter, &m.Ref, &m.Line, &m.Reason, &m.Actor, &reverses, &m.Seq)
	m.At, m.RecordedAt, m.Reverses = when(at), when(recorded), reverses.String
	return err
}

// MovementsGet reads movements by id. Unknown ids are left out: this is how a caller looks up its keys before it looks at stock.
func (tx *Tx) MovementsGet(ids []string) ([]stock.Movement, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return query(tx, movementsGet, scanMovement, ids)
}

// MovementGet reads one movement. Errors: NotFound.
func (tx *Tx) MovementGet(id string) (stock.Movement, error) {
	got, err := tx.MovementsGet([]string{id})
	if err == nil && len(got) == 0 {
		return stock.Movement{}, errs.New(errs.NotFound, "store.MovementGet", id, "there is no such movement")
	}
	if err != nil {
		return stock.Movement{}, err
	}
	return got[0], nil
}

// MovementReversal reads the movement that reverses id, if there is one.
func (tx *Tx) MovementReversal(id string) (stock.Movement, bool, error) {
	return one(tx, movementReverses, scanMovement, id)
}

// MovementsOfItem reads a page of an item's journal over all locations, newest first, before beforeSeq (0: from the newest).
func (tx *Tx) MovementsOfItem(itemID string, beforeSeq int64, limit int) ([]stock.Movement, error) {
	if beforeSeq <= 0 {
		beforeSeq = 1<<63 - 1
	}
	places, err := tx.Balances([]string{itemID})
	if err != nil {
		return nil, err
	}
	// One short read per location keeps the journal at one index for both this page and as-of questions.
	var out []stock.Movement
	for _, b := range places {
		got, err := query(tx, movementsOfItem, scanMovement, itemID, b.LocationID, beforeSeq, page(limit))
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	slices.SortFunc(out, func(a, b stock.Movement) int { return cmp.Compare(b.Seq, a.Seq) })
	return out[:min(len(out), int(page(limit)))], nil
}

// MovementsOfRef reads the journal of an order, transfer or count sheet, oldest first, at most 10,000.
func (tx *Tx) MovementsOfRef(ref string) ([]stock.Movement, error) {
	out, err := query(tx, movementsOfRef, scanMovement, ref, int64(maxPage))
	if err != nil {
		return nil, err
	}
	from, to := stock.MovementIDs(ref)
	followed, err := query(tx, movementsOfOrder, scanMovement, from, to, int64(maxPage))
	if err != nil {
		return nil, err
	}
	for _, m := range followed {
		if m.Ref == ref && !m.Kind.Physical() {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b stock.Movement) int { return cmp.Compare(a.Seq, b.Seq) })
	return out[:min(len(out), maxPage)], nil
}

// MovementSeqAt is the Seq of the last movement recorded up to at, 0 if there is none. Every 256th movement is found by its time; what lies
// between two of those is read.
func (tx *Tx) MovementSeqAt(at time.Time) (int64, error) {
	from, _, err := one(tx, markUpTo, scanOne[int64], us(at))
	if err != nil {
		return 0, err
	}
	to, later, err := one(tx, markAfter, scanOne[int64], us(at))
	if err != nil {
		return 0, err
	}
	if !later {
		to = 1<<63 - 1
	}
	seq, _, err := one(tx, lastBetween, scanOne[int64], from, max(from, to), us(at))
	return seq, err
}

// JournalAll calls each with every movement in the order of Seq until it returns false.
func (tx *Tx) JournalAll(each func(stock.Movement) bool) error {
	const chunk = 5000
	after := int64(0)
	for {
		got, err := query(tx, journalAll, scanMovement, after, int64(chunk))
		if err != nil {
			return err
		}
		for _, m := range got {
			if !each(m) {
				return nil
			}
		}
		if len(got) < chunk {
			return nil
		}
		after = got[len(got)-1].Seq
	}
}
