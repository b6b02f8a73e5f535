package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

// ReconciliationState says how far a reconciliation is.
type ReconciliationState string

const (
	ReconciliationReading ReconciliationState = "reading" // a process is at work on it
	ReconciliationDone    ReconciliationState = "done"
	ReconciliationRefused ReconciliationState = "refused" // nothing was taken of it; data says why
)

// Reconciliation is what a channel's exports say, set beside what was counted.
type Reconciliation struct {
	ID           string // of the shop and the content of the files
	ConnectionID string
	State        ReconciliationState
	Actor        string
	CreatedAt    time.Time
	UpdatedAt    time.Time       // when it was heard of last
	Data         json.RawMessage // ops/reconcile's
}

// ReconciledRate is one metric in one period of a reconciliation.
type ReconciledRate struct {
	ReconciliationID string
	N                int64
	ConnectionID     string
	Metric           policy.Metric
	To               policy.Day // the last day counted
	Told             bool       // the channel gives a figure
	CreatedAt        time.Time
	Data             json.RawMessage
}

// ReconciledOrder is one order on which the two differ.
type ReconciledOrder struct {
	N       int64
	Rate    int64 // the N of its rate; -1: none
	Cause   string
	OrderID string // the channel's
	Data    json.RawMessage
}

// AccountDeduction is points a channel took and stated.
type AccountDeduction struct {
	ID           string
	ConnectionID string
	Day          policy.Day
	Points       int64 // above zero
	Reason, Note string
	Source       string // entered, or the name of an import
	Actor        string
	EnteredAt    time.Time
	RemovedAt    time.Time // zero: it counts
	RemovedBy    string
}

var (
	recCols  = []col{{"id", text}, {"connection_id", text}, {"state", text}, {"actor", text}, {"created_at", bigint}, {"updated_at", bigint}, {"data", text}}
	rateCols = []col{{"reconciliation_id", text}, {"n", bigint}, {"connection_id", text}, {"metric", text}, {"to_day", bigint}, {"told", bigint}, {"created_at", bigint}, {"data", text}}
	dedCols  = []col{{"id", text}, {"connection_id", text}, {"day", bigint}, {"points", bigint}, {"reason", text}, {"note", text}, {"source", text}, {"actor", text},
		{"entered_at", bigint}, {"removed_at", bigint}, {"removed_by", text}}

	recPut  = insert("store.ReconciliationPut", "reconciliation", recCols, upsert("id", recCols[1:]))
	recGet  = def("store.ReconciliationGet", "SELECT "+names(recCols, plain, ", ")+" FROM reconciliation WHERE id = $1")
	recList = def("store.Reconciliations", "SELECT "+names(recCols, plain, ", ")+` FROM reconciliation
		WHERE connection_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4`)
	recTell = def("store.ReconciliationTell", "UPDATE reconciliation SET state = $2, updated_at = $3, data = $4 WHERE id = $1 AND state = 'reading'")
	recOld  = def("store.ReconciliationsPrune", "SELECT id FROM reconciliation WHERE connection_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3")

	recRates  = insert("store.ReconciliationFill", "reconciliation_rate", rateCols, "")
	recOrders = insert("store.ReconciliationFill", "reconciliation_order", []col{{"reconciliation_id", text}, {"n", bigint}, {"rate", bigint}, {"cause", text}, {"order_id", text}, {"data", text}}, "")
	ratesOf   = def("store.ReconciledRates", "SELECT "+names(rateCols, plain, ", ")+" FROM reconciliation_rate WHERE reconciliation_id = $1 ORDER BY n LIMIT $2")
	ratesTold = def("store.ReconciledTold", "SELECT "+names(rateCols, plain, ", ")+` FROM reconciliation_rate
		WHERE connection_id = $1 AND metric = $2 AND told = 1 ORDER BY to_day DESC, created_at DESC, reconciliation_id LIMIT $3`)
	ordersOf = def("store.ReconciledOrders", `SELECT n, rate, cause, order_id, data FROM reconciliation_order
		WHERE reconciliation_id = $1 AND n > $2 AND ($3 < -1 OR rate = $3) AND ($4 = '' OR cause = $4) ORDER BY n LIMIT $5`)

	recOrdersDrop = def("store.ReconciliationDelete", "DELETE FROM reconciliation_order WHERE @in(reconciliation_id, $1)")
	recRatesDrop  = def("store.ReconciliationDelete", "DELETE FROM reconciliation_rate WHERE @in(reconciliation_id, $1)")
	recDrop       = def("store.ReconciliationDelete", "DELETE FROM reconciliation WHERE @in(id, $1)")

	dedPut    = insertNew("store.AccountDeductionPut", "account_deduction", dedCols)
	dedGet    = def("store.AccountDeductionGet", "SELECT "+names(dedCols, plain, ", ")+" FROM account_deduction WHERE id = $1")
	dedRemove = def("store.AccountDeductionRemove", "UPDATE account_deduction SET removed_at = $2, removed_by = $3 WHERE id = $1 AND (removed_at = 0) <> (CAST($2 AS BIGINT) = 0)")
	dedList   = def("store.AccountDeductions", "SELECT "+names(dedCols, plain, ", ")+` FROM account_deduction
		WHERE connection_id = $1 AND day >= $2 AND removed_at = 0 ORDER BY day DESC, entered_at DESC, id LIMIT $3`)
)

// ReconciliationPut begins a reconciliation, or begins it anew: what it held is gone. Errors: Conflict (it is done already).
func (tx *Tx) ReconciliationPut(r Reconciliation) error {
	const op = "store.ReconciliationPut"
	if r.ID == "" || r.ConnectionID == "" {
		return errs.New(errs.Invalid, op, r.ID, "a reconciliation needs an id and a shop")
	}
	old, found, err := one(tx, recGet, scanReconciliation, r.ID)
	if err != nil {
		return err
	}
	if found && old.State == ReconciliationDone {
		return errs.New(errs.Conflict, op, r.ID, "these files were compared already")
	}
	_, err = tx.bulk(recPut, [][]any{{r.ID, r.ConnectionID, string(r.State), r.Actor, us(r.CreatedAt), us(r.UpdatedAt), string(r.Data)}})
	return err
}

func scanReconciliation(rows *sql.Rows, r *Reconciliation) error {
	var created, updated int64
	var data []byte
	err := rows.Scan(&r.ID, &r.ConnectionID, &r.State, &r.Actor, &created, &updated, &data)
	r.CreatedAt, r.UpdatedAt, r.Data = when(created), when(updated), data
	return err
}

// ReconciliationGet reads one. Errors: NotFound.
func (tx *Tx) ReconciliationGet(id string) (Reconciliation, error) {
	r, found, err := one(tx, recGet, scanReconciliation, id)
	if err == nil && !found {
		err = errs.New(errs.NotFound, "store.ReconciliationGet", id, "there is no such reconciliation")
	}
	return r, err
}

// Reconciliations reads a shop's, newest first, before one of them (zero: from the newest).
func (tx *Tx) Reconciliations(connection string, before time.Time, id string, limit int) ([]Reconciliation, error) {
	at := us(before)
	if before.IsZero() {
		at = 1<<63 - 1
	}
	return query(tx, recList, scanReconciliation, connection, at, id, page(limit))
}

// ReconciliationTell says how far one that is being read is, or how it ended. Errors: Conflict (nobody is at work on it: it was taken back, or another
// process has ended it).
func (tx *Tx) ReconciliationTell(r Reconciliation) error {
	n, err := tx.exec(recTell, r.ID, string(r.State), us(r.UpdatedAt), string(r.Data))
	if err == nil && n == 0 {
		err = errs.New(errs.Conflict, "store.ReconciliationTell", r.ID, "nobody is at work on this reconciliation")
	}
	return err
}

// ReconciliationFill writes rates and orders of a reconciliation that ends in this transaction.
func (tx *Tx) ReconciliationFill(id string, rates []ReconciledRate, orders []ReconciledOrder) error {
	rows := make([][]any, len(rates))
	for i, r := range rates {
		told := int64(0)
		if r.Told {
			told = 1
		}
		rows[i] = []any{id, r.N, r.ConnectionID, string(r.Metric), int64(r.To), told, us(r.CreatedAt), string(r.Data)}
	}
	if _, err := tx.bulk(recRates, rows); err != nil {
		return err
	}
	rows = make([][]any, len(orders))
	for i, o := range orders {
		rows[i] = []any{id, o.N, o.Rate, o.Cause, o.OrderID, string(o.Data)}
	}
	_, err := tx.bulk(recOrders, rows)
	return err
}

func scanReconciledRate(rows *sql.Rows, r *ReconciledRate) error {
	var to, told, created int64
	var data []byte
	err := rows.Scan(&r.ReconciliationID, &r.N, &r.ConnectionID, &r.Metric, &to, &told, &created, &data)
	r.To, r.Told, r.CreatedAt, r.Data = policy.Day(to), told == 1, when(created), data
	return err
}

// ReconciledRates reads the rates of a reconciliation in their order.
func (tx *Tx) ReconciledRates(id string, limit int) ([]ReconciledRate, error) {
	return query(tx, ratesOf, scanReconciledRate, id, page(limit))
}

// ReconciledTold reads what a channel said of a metric, the latest days first, and of one day what was imported last.
func (tx *Tx) ReconciledTold(connection string, m policy.Metric, limit int) ([]ReconciledRate, error) {
	return query(tx, ratesTold, scanReconciledRate, connection, string(m), page(limit))
}

// AnyRate asks ReconciledOrders for the orders of all rates.
const AnyRate = -2

// ReconciledOrders reads orders of a reconciliation behind the n-th, of one rate or of AnyRate, and of one cause or of all.
func (tx *Tx) ReconciledOrders(id string, after, rate int64, cause string, limit int) ([]ReconciledOrder, error) {
	return query(tx, ordersOf, func(rows *sql.Rows, o *ReconciledOrder) error {
		var data []byte
		err := rows.Scan(&o.N, &o.Rate, &o.Cause, &o.OrderID, &data)
		o.Data = data
		return err
	}, id, after, rate, cause, page(limit))
}

// ReconciliationDelete takes a reconciliation back with all it holds. Errors: NotFound.
func (tx *Tx) ReconciliationDelete(id string) error {
	n, err := tx.dropReconciliations([]string{id})
	if err == nil && n == 0 {
		err = errs.New(errs.NotFound, "store.ReconciliationDelete", id, "there is no such reconciliation")
	}
	return err
}

func (tx *Tx) dropReconciliations(ids []string) (int64, error) {
	for _, s := range []*stmt{recOrdersDrop, recRatesDrop} {
		if _, err := tx.exec(s, ids); err != nil {
			return 0, err
		}
	}
	return tx.exec(recDrop, ids)
}

// ReconciliationsPrune forgets a shop's oldest beyond keep, some at once.
func (tx *Tx) ReconciliationsPrune(connection string, keep int) error {
	const atOnce = 20 // with up to ten thousand orders each
	ids, err := query(tx, recOld, scanOne[string], connection, int64(atOnce), int64(keep))
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = tx.dropReconciliations(ids)
	return err
}

// AccountDeductionPut takes points down; one whose id is there already stays as it is. Errors: Invalid, Conflict (the id is another's).
func (tx *Tx) AccountDeductionPut(d AccountDeduction) error {
	const op = "store.AccountDeductionPut"
	if d.ID == "" || d.ConnectionID == "" || d.Day <= 0 || d.Points <= 0 {
		return errs.New(errs.Invalid, op, d.ID, "a deduction needs an id, a shop, a day and points above zero")
	}
	old, found, err := one(tx, dedGet, scanDeduction, d.ID)
	if err != nil {
		return err
	}
	if found {
		if old.ConnectionID == d.ConnectionID && old.Day == d.Day && old.Points == d.Points && old.Reason == d.Reason && old.Note == d.Note {
			return nil
		}
		return errs.New(errs.Conflict, op, d.ID, "the id was used for another deduction")
	}
	_, err = tx.bulk(dedPut, [][]any{{d.ID, d.ConnectionID, int64(d.Day), d.Points, d.Reason, d.Note, d.Source, d.Actor, us(tx.now), int64(0), ""}})
	return err
}

func scanDeduction(rows *sql.Rows, d *AccountDeduction) error {
	var day, entered, removed int64
	err := rows.Scan(&d.ID, &d.ConnectionID, &day, &d.Points, &d.Reason, &d.Note, &d.Source, &d.Actor, &entered, &removed, &d.RemovedBy)
	d.Day, d.EnteredAt, d.RemovedAt = policy.Day(day), when(entered), when(removed)
	return err
}

// AccountDeductionGet reads one, taken back or not. Errors: NotFound.
func (tx *Tx) AccountDeductionGet(id string) (AccountDeduction, error) {
	d, found, err := one(tx, dedGet, scanDeduction, id)
	if err == nil && !found {
		err = errs.New(errs.NotFound, "store.AccountDeductionGet", id, "there is no such deduction")
	}
	return d, err
}

// AccountDeductionRemove takes one back; with removed false it counts again. Errors: NotFound (there is none, or it is so already).
func (tx *Tx) AccountDeductionRemove(id, actor string, removed bool) error {
	at := int64(0)
	if removed {
		at = us(tx.now)
	}
	n, err := tx.exec(dedRemove, id, at, actor)
	if err == nil && n == 0 {
		err = errs.New(errs.NotFound, "store.AccountDeductionRemove", id, "there is no such deduction, or it is so already")
	}
	return err
}

// AccountDeductions reads those of a shop that count, from a day on, the newest first.
func (tx *Tx) AccountDeductions(connection string, since policy.Day, limit int) ([]AccountDeduction, error) {
	return query(tx, dedList, scanDeduction, connection, int64(since), page(limit))
}
