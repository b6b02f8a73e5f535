package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
)

// AlertTarget is somebody who can be told. Sealed is the service URL, sealed by the caller for this row.
type AlertTarget struct {
	alert.Target
	Zone          string // of its quiet hours, by name
	Service, Hint string
	Sealed        []byte
	CreatedBy     string
	CreatedAt     time.Time
	RemovedAt     time.Time // zero: it is there; a removed one has no Sealed
}

// DeliveryState is what became of a message.
type DeliveryState string

// States of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliverySent    DeliveryState = "sent"
	DeliveryFailed  DeliveryState = "failed" // given up
)

// AlertDelivery is a message with its fate.
type AlertDelivery struct {
	alert.Delivery
	State   DeliveryState
	Tries   int64
	NextAt  time.Time // when it is tried next
	EndedAt time.Time // sent or given up
	Error   string    // of the last try, for people; no secrets
}

// AlertSilence is a silence with who ended it early.
type AlertSilence struct {
	alert.Silence
	EndedBy string
}

// storedTarget is a target's data column.
type storedTarget struct {
	alert.Target
	Zone string `json:"zone"`
}

var (
	targetCols = []col{{"id", text}, {"data", text}, {"service", text}, {"hint", text}, {"sealed", bytea}, {"created_by", text}, {"created_at", bigint}, {"removed_at", bigint}}
	targetPut  = insert("store.TargetPut", "alert_target", targetCols, upsert("id", []col{targetCols[1], targetCols[2], targetCols[3], targetCols[4], targetCols[7]}))
	targetList = def("store.TargetList", "SELECT "+names(targetCols, plain, ", ")+" FROM alert_target WHERE removed_at = 0 ORDER BY created_at, id")
	targetGet  = def("store.TargetGet", "SELECT "+names(targetCols, plain, ", ")+" FROM alert_target WHERE id = $1")

	silencePut  = insertNew("store.SilencePut", "alert_silence", []col{{"id", text}, {"data", text}, {"until_at", bigint}, {"ended_by", text}})
	silenceEnd  = def("store.SilenceEnd", "UPDATE alert_silence SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at > $2")
	silenceGet  = def("store.SilenceGet", "SELECT data, until_at, ended_by FROM alert_silence WHERE id = $1")
	silenceList = def("store.SilenceList", "SELECT data, until_at, ended_by FROM alert_silence WHERE until_at > $1 ORDER BY until_at, id LIMIT $2")

	deliveryCols = []col{{"id", text}, {"target_id", text}, {"data", text}, {"state", text}, {"tries", bigint}, {"at", bigint}, {"next_at", bigint}, {"ended_at", bigint}, {"error", text}}
	deliveryList = "data, state, tries, next_at, ended_at, error"

	deliveryAdd  = insertNew("store.DeliveriesAdd", "alert_delivery", deliveryCols)
	deliveryDue  = def("store.DeliveriesDue", "SELECT "+deliveryList+" FROM alert_delivery WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT $2")
	deliveryFate = def("store.DeliveryFate", "UPDATE alert_delivery SET state = $2, tries = $3, next_at = $4, ended_at = $5, error = $6 WHERE id = $1 AND state = 'waiting'")
	deliveriesOf = def("store.DeliveriesOf", "SELECT "+deliveryList+" FROM alert_delivery WHERE target_id = $1 ORDER BY at DESC, id DESC LIMIT $2")
	deliveriesIn = def("store.DeliveriesIn", "SELECT "+deliveryList+" FROM alert_delivery WHERE @in(id, $1) ORDER BY at DESC, id")
	deliveryTo   = def("store.DeliveriesDrop", "UPDATE alert_delivery SET state = 'failed', ended_at = $2, error = $3 WHERE target_id = $1 AND state = 'waiting'")
	deliveryOld  = def("store.DeliveriesPrune", "DELETE FROM alert_delivery WHERE state <> 'waiting' AND at < $1")
)

// maxSilences bounds silences in force or to come.
const maxSilences = 1_000

// TargetPut creates or changes a target. Errors: Invalid.
func (tx *Tx) TargetPut(t AlertTarget) error {
	if t.ID == "" || t.Name == "" || (len(t.Sealed) == 0 && t.RemovedAt.IsZero()) {
		return errs.New(errs.Invalid, "store.TargetPut", t.ID, "a target needs an id, a name and an address")
	}
	if t.CreatedAt.IsZero() {
		t.CreatedAt = tx.now
	}
	data, err := encode(targetPut.op, storedTarget{t.Target, t.Zone})
	if err != nil {
		return err
	}
	_, err = tx.bulk(targetPut, [][]any{{t.ID, data, t.Service, t.Hint, bytesOf(t.Sealed), t.CreatedBy, us(t.CreatedAt), us(t.RemovedAt)}})
	return err
}

func scanTarget(r *sql.Rows, t *AlertTarget) error {
	var data []byte
	var created, removed int64
	if err := r.Scan(&t.ID, &data, &t.Service, &t.Hint, &t.Sealed, &t.CreatedBy, &created, &removed); err != nil {
		return err
	}
	var s storedTarget
	err := json.Unmarshal(data, &s)
	t.Target, t.Zone, t.CreatedAt, t.RemovedAt = s.Target, s.Zone, when(created), when(removed)
	return err
}

// TargetList reads all targets that were not removed, the oldest first. There are some dozens.
func (tx *Tx) TargetList() ([]AlertTarget, error) { return query(tx, targetList, scanTarget) }

// TargetGet reads one, a removed one too. Errors: NotFound.
func (tx *Tx) TargetGet(id string) (AlertTarget, error) {
	t, ok, err := one(tx, targetGet, scanTarget, id)
	if err == nil && !ok {
		return t, errs.New(errs.NotFound, "store.TargetGet", id, "there is nobody to be told under this id")
	}
	return t, err
}

// SilencePut stores a new silence; one whose id is there already stays as it is. Errors: Invalid.
func (tx *Tx) SilencePut(s alert.Silence) error {
	if err := s.Check(); err != nil {
		return err
	}
	data, err := encode(silencePut.op, s)
	if err != nil {
		return err
	}
	_, err = tx.bulkNew(silencePut, [][]any{{s.ID, data, us(s.Until), ""}})
	return err
}

func scanSilence(r *sql.Rows, s *AlertSilence) error {
	var data []byte
	var until int64
	if err := r.Scan(&data, &until, &s.EndedBy); err != nil {
		return err
	}
	err := json.Unmarshal(data, &s.Silence)
	s.Until = when(until)
	return err
}

// SilenceEnd ends a silence now; false: it was over.
func (tx *Tx) SilenceEnd(id string, at time.Time, by string) (bool, error) {
	n, err := tx.exec(silenceEnd, id, us(at), by)
	return n > 0, err
}

// SilenceGet reads one. Errors: NotFound.
func (tx *Tx) SilenceGet(id string) (AlertSilence, error) {
	s, ok, err := one(tx, silenceGet, scanSilence, id)
	if err == nil && !ok {
		return s, errs.New(errs.NotFound, "store.SilenceGet", id, "there is no such silence")
	}
	return s, err
}

// SilenceList reads silences that end after a time.
func (tx *Tx) SilenceList(after time.Time) ([]AlertSilence, error) {
	return query(tx, silenceList, scanSilence, us(after), page(maxSilences))
}

// DeliveriesAdd stores messages to be sent; those whose id is there already stay as they are, sent or not.
func (tx *Tx) DeliveriesAdd(ds []alert.Delivery) error {
	rows := make([][]any, len(ds))
	for n, d := range ds {
		data, err := encode(deliveryAdd.op, d)
		if err != nil {
			return err
		}
		rows[n] = []any{d.ID, d.Target, data, string(DeliveryWaiting), int64(0), us(d.At), us(d.At), int64(0), ""}
	}
	_, err := tx.bulkNew(deliveryAdd, rows)
	return err
}

func scanDelivery(r *sql.Rows, d *AlertDelivery) error {
	var data []byte
	var next, ended int64
	if err := r.Scan(&data, &d.State, &d.Tries, &next, &ended, &d.Error); err != nil {
		return err
	}
	err := json.Unmarshal(data, &d.Delivery)
	d.NextAt, d.EndedAt = when(next), when(ended)
	return err
}

// DeliveriesDue reads messages to be sent by now, those that wait longest first.
func (tx *Tx) DeliveriesDue(at time.Time, limit int) ([]AlertDelivery, error) {
	return query(tx, deliveryDue, scanDelivery, us(at), page(limit))
}

// DeliveryFate notes what became of a message that waited. False: another had noted it.
func (tx *Tx) DeliveryFate(d AlertDelivery) (bool, error) {
	n, err := tx.exec(deliveryFate, d.ID, string(d.State), d.Tries, us(d.NextAt), us(d.EndedAt), d.Error)
	return n > 0, err
}

// DeliveriesOf reads the messages of a target, the newest first.
func (tx *Tx) DeliveriesOf(targetID string, limit int) ([]AlertDelivery, error) {
	return query(tx, deliveriesOf, scanDelivery, targetID, page(limit))
}

// DeliveriesIn reads messages by their ids.
func (tx *Tx) DeliveriesIn(ids []string) ([]AlertDelivery, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return query(tx, deliveriesIn, scanDelivery, ids)
}

// DeliveriesDrop gives up the messages that wait for a target, and says why.
func (tx *Tx) DeliveriesDrop(targetID, why string) error {
	_, err := tx.exec(deliveryTo, targetID, us(tx.now), why)
	return err
}

// DeliveriesPrune deletes messages older than before whose fate is known, and says how many.
func (tx *Tx) DeliveriesPrune(before time.Time) (int64, error) {
	return tx.exec(deliveryOld, us(before))
}
