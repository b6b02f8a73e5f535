package sqlcore

import (
	"database/sql"
	"time"
)

// Drift is one finding that a channel showed another number than it should, and who put it right.
type Drift struct {
	Seq             int64
	ListingID       string
	Expected, Found int64
	FoundAt         time.Time
	RepairedAt      time.Time // zero: not yet
	Actor           string
}

// Push is one line of the log of what channels were told.
type Push struct {
	Seq                     int64
	ListingID, ConnectionID string
	Kind                    string
	Qty                     int64
	Outcome                 string
	SentAt, AnsweredAt      time.Time // AnsweredAt zero: no answer came
	Error                   string
}

var (
	driftCols = []col{{"listing_id", text}, {"expected", bigint}, {"found", bigint}, {"found_at", bigint}, {"repaired_at", bigint}, {"actor", text}}
	pushCols  = []col{{"listing_id", text}, {"connection_id", text}, {"kind", text}, {"qty", bigint}, {"outcome", text}, {"sent_at", bigint},
		{"answered_at", bigint}, {"error", text}}

	driftAppend   = insert("store.DriftAppend", "drift", driftCols, "")
	driftList     = def("store.DriftList", "SELECT "+names(driftCols, plain, ", ")+", seq FROM drift WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
	driftRepaired = def("store.DriftRepaired", "UPDATE drift SET repaired_at = $2, actor = $3 WHERE listing_id = $1 AND repaired_at = 0")
	driftPrune    = def("store.LogsPrune", "DELETE FROM drift WHERE found_at < $1")
	pushAppend    = insert("store.PushLogAppend", "push_log", pushCols, "")
	pushList      = def("store.PushLogList", "SELECT "+names(pushCols, plain, ", ")+", seq FROM push_log WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
	pushListOf    = def("store.PushLogList", "SELECT "+names(pushCols, plain, ", ")+", seq FROM push_log WHERE listing_id = $3 AND seq < $1 ORDER BY seq DESC LIMIT $2")
	pushPrune     = def("store.LogsPrune", "DELETE FROM push_log WHERE sent_at < $1")
)

// DriftAppend records findings. FoundAt is set to the transaction's time if it is zero.
func (tx *Tx) DriftAppend(ds []Drift) error {
	rows := make([][]any, len(ds))
	for i, d := range ds {
		if d.FoundAt.IsZero() {
			d.FoundAt = tx.now
		}
		rows[i] = []any{d.ListingID, d.Expected, d.Found, us(d.FoundAt), us(d.RepairedAt), d.Actor}
	}
	_, err := tx.bulk(driftAppend, rows)
	return err
}

// DriftRepaired marks the open findings of a listing as put right now.
func (tx *Tx) DriftRepaired(listingID, actor string) error {
	_, err := tx.exec(driftRepaired, listingID, us(tx.now), actor)
	return err
}

// DriftList reads findings, newest first, before beforeSeq (0: from the newest).
func (tx *Tx) DriftList(beforeSeq int64, limit int) ([]Drift, error) {
	return query(tx, driftList, func(r *sql.Rows, d *Drift) error {
		var found, repaired int64
		err := r.Scan(&d.ListingID, &d.Expected, &d.Found, &found, &repaired, &d.Actor, &d.Seq)
		d.FoundAt, d.RepairedAt = when(found), when(repaired)
		return err
	}, before(beforeSeq), page(limit))
}

func before(seq int64) int64 {
	if seq <= 0 {
		return 1<<63 - 1
	}
	return seq
}

// PushLogAppend records what channels were told.
func (tx *Tx) PushLogAppend(ps []Push) error {
	rows := make([][]any, len(ps))
	for i, p := range ps {
		rows[i] = []any{p.ListingID, p.ConnectionID, p.Kind, p.Qty, p.Outcome, us(p.SentAt), us(p.AnsweredAt), p.Error}
	}
	_, err := tx.bulk(pushAppend, rows)
	return err
}

// PushLogList reads the log of a listing (empty: of all), newest first, before beforeSeq (0: from the newest).
func (tx *Tx) PushLogList(listingID string, beforeSeq int64, limit int) ([]Push, error) {
	scan := func(r *sql.Rows, p *Push) error {
		var sent, answered int64
		err := r.Scan(&p.ListingID, &p.ConnectionID, &p.Kind, &p.Qty, &p.Outcome, &sent, &answered, &p.Error, &p.Seq)
		p.SentAt, p.AnsweredAt = when(sent), when(answered)
		return err
	}
	if listingID == "" {
		return query(tx, pushList, scan, before(beforeSeq), page(limit))
	}
	return query(tx, pushListOf, scan, before(beforeSeq), page(limit), listingID)
}

// LogsPrune deletes drift findings and push log lines older than before and says how many.
func (tx *Tx) LogsPrune(before time.Time) (int64, error) {
	drifts, err := tx.exec(driftPrune, us(before))
	if err != nil {
		return 0, err
	}
	pushes, err := tx.exec(pushPrune, us(before))
	return drifts + pushes, err
}
