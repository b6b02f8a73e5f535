package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
)

// Incident is an incident with its number for people, which it gets when it is opened.
type Incident struct {
	alert.Incident
	Number int64
}

// incidentLock is taken by whoever changes incidents, so that two processes do not decide on the same ones.
const incidentLock = 0x5350574c4954

var (
	incidentCols = []col{{"id", text}, {"number", bigint}, {"kind", text}, {"subject", text}, {"shop", text}, {"phase", text}, {"opened_at", bigint}, {"resolved_at", bigint}, {"data", text}}

	incidentsLock = both("store.IncidentLock", "SELECT $1", "SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) l")
	incidentSave  = insert("store.IncidentSave", "incident", incidentCols, upsert("id", append([]col{incidentCols[1]}, incidentCols[5:]...)))
	incidentDrop  = def("store.IncidentDrop", "DELETE FROM incident WHERE @in(id, $1) AND phase = 'watching'")
	incidentGet   = def("store.IncidentGet", "SELECT number, data FROM incident WHERE id = $1")
	incidentByNo  = def("store.IncidentGet", "SELECT number, data FROM incident WHERE number > 0 AND number = $1")
	incidentsLive = def("store.IncidentsLive", `SELECT number, data FROM incident WHERE phase <> 'resolved'
		UNION ALL SELECT number, data FROM incident WHERE phase = 'resolved' AND resolved_at >= $1`)
	incidentsPast = def("store.IncidentsPast", `SELECT number, data FROM incident WHERE phase = 'resolved' AND (resolved_at, id) < ($1, $2) AND ($3 = '' OR shop = $3)
		ORDER BY resolved_at DESC, id DESC LIMIT $4`)
	incidentsSince = def("store.IncidentsOpened", "SELECT number, data FROM incident WHERE opened_at >= $1 ORDER BY opened_at DESC LIMIT $2")
	incidentsList  = def("store.IncidentList", `SELECT number, data FROM incident WHERE number > 0 AND number < $1 AND ($2 = '' OR phase = $2) AND ($3 = '' OR shop = $3) AND ($4 = '' OR kind = $4)
		ORDER BY number DESC LIMIT $5`)
	incidentsMost = def("store.IncidentSave", "SELECT coalesce(max(number), 0) FROM incident WHERE number > 0")

	entryAppend = insertNew("store.EntriesAppend", "incident_entry", []col{{"id", text}, {"incident_id", text}, {"at", bigint}, {"kind", text}, {"actor", text}, {"text", text}})
	entriesOf   = def("store.EntriesOf", "SELECT id, incident_id, at, kind, actor, text FROM incident_entry WHERE incident_id = $1 ORDER BY at DESC, id DESC LIMIT $2")

	entryGet = def("store.EntryGet", "SELECT id, incident_id, at, kind, actor, text FROM incident_entry WHERE id = $1")

	taskAdd  = insertNew("store.TasksAdd", "incident_task", []col{{"id", text}, {"incident_id", text}, {"data", text}, {"done_at", bigint}, {"done_by", text}})
	taskDone = def("store.TaskDone", "UPDATE incident_task SET done_at = $3, done_by = $4 WHERE id = $1 AND incident_id = $2 AND (done_at = 0) <> (CAST($3 AS BIGINT) = 0)")
	tasksOf  = def("store.TasksOf", "SELECT data, done_at, done_by FROM incident_task WHERE @in(incident_id, $1) ORDER BY incident_id, id")

	cancelOpen = def("store.OrdersCancelOpen", "SELECT body, version FROM orders WHERE cancel_open ORDER BY connection_id, id LIMIT $1")
	answersDue = def("store.OrdersAnswerDue", "SELECT body, version FROM orders WHERE answer_by IS NOT NULL AND answer_by >= $1 AND answer_by <= $2 ORDER BY answer_by, id LIMIT $3")
	// Out of the index of times alone: an order's id begins with its shop's.
	ordersByShop = both("store.OrdersByShop", "SELECT substr(id, 1, instr(id, ':') - 1), count(*) FROM orders WHERE created_at >= $1 AND created_at < $2 GROUP BY 1",
		"SELECT split_part(id, ':', 1), count(*) FROM orders WHERE created_at >= $1 AND created_at < $2 GROUP BY 1")
	pushesEnded = def("store.PushesEnded", "SELECT connection_id, outcome, count(*) FROM push_log WHERE sent_at >= $1 GROUP BY connection_id, outcome")

	// The newest resolved before a moment goes with all that belongs to it.
	incidentsOld  = def("store.IncidentsPrune", "SELECT id FROM incident WHERE phase = 'resolved' AND resolved_at < $1 ORDER BY resolved_at LIMIT $2")
	entriesPrune  = def("store.IncidentsPrune", "DELETE FROM incident_entry WHERE @in(incident_id, $1)")
	tasksPrune    = def("store.IncidentsPrune", "DELETE FROM incident_task WHERE @in(incident_id, $1)")
	incidentPrune = def("store.IncidentsPrune", "DELETE FROM incident WHERE @in(id, $1)")
)

// IncidentLock keeps others from changing incidents until this transaction ends. Take it before reading what is to be changed.
func (tx *Tx) IncidentLock() error {
	_, err := query(tx, incidentsLock, scanOne[int64], int64(incidentLock))
	return err
}

// IncidentSave stores incidents, new or changed, and numbers those opened for the first time. The numbers are put into is. It needs
// IncidentLock. Errors: Conflict (its cause has another incident that is not resolved).
func (tx *Tx) IncidentSave(is []Incident) error {
	var most int64
	for n := range is {
		if is[n].Number == 0 && !is[n].OpenedAt.IsZero() {
			if most == 0 {
				var err error
				if most, _, err = one(tx, incidentsMost, scanOne[int64]); err != nil {
					return err
				}
			}
			most++
			is[n].Number = most
		}
	}
	rows := make([][]any, len(is))
	for n, i := range is {
		data, err := encode(incidentSave.op, i.Incident)
		if err != nil {
			return err
		}
		rows[n] = []any{i.ID, i.Number, string(i.Kind), i.Subject, i.Last.Shop, string(i.Phase), us(i.OpenedAt), us(i.ResolvedAt), data}
	}
	_, err := tx.bulk(incidentSave, rows)
	return err
}

func scanIncident(r *sql.Rows, i *Incident) error {
	var data []byte
	if err := r.Scan(&i.Number, &data); err != nil {
		return err
	}
	return json.Unmarshal(data, &i.Incident)
}

// IncidentDrop forgets incidents that were only watched.
func (tx *Tx) IncidentDrop(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.exec(incidentDrop, ids)
	return err
}

// IncidentGet reads one. Errors: NotFound.
func (tx *Tx) IncidentGet(id string) (Incident, error) {
	i, ok, err := one(tx, incidentGet, scanIncident, id)
	if err == nil && !ok {
		return i, errs.New(errs.NotFound, "store.IncidentGet", id, "there is no such incident")
	}
	return i, err
}

// IncidentByNumber reads the one people know by a number. Errors: NotFound.
func (tx *Tx) IncidentByNumber(number int64) (Incident, error) {
	i, ok, err := one(tx, incidentByNo, scanIncident, number)
	if err == nil && !ok {
		return i, errs.New(errs.NotFound, "store.IncidentByNumber", "", "there is no incident %d", number)
	}
	return i, err
}

// IncidentsLive reads all that are not resolved, and those resolved from since on.
func (tx *Tx) IncidentsLive(since time.Time) ([]Incident, error) {
	return query(tx, incidentsLive, scanIncident, us(since))
}

// IncidentsPast reads resolved ones, the latest first, before one of them (zero: from the latest). An empty shop means all.
func (tx *Tx) IncidentsPast(before time.Time, id, shop string, limit int) ([]Incident, error) {
	at := us(before)
	if before.IsZero() {
		at = 1<<63 - 1
	}
	return query(tx, incidentsPast, scanIncident, at, id, shop, page(limit))
}

// IncidentsOpened reads those opened since a time, the newest first.
func (tx *Tx) IncidentsOpened(since time.Time, limit int) ([]Incident, error) {
	return query(tx, incidentsSince, scanIncident, us(since), page(limit))
}

// IncidentFilter selects incidents; empty fields match all.
type IncidentFilter struct {
	Phase alert.Phase
	Shop  string
	Kind  alert.Kind
}

// IncidentList reads those that were ever opened, the newest first, with numbers below before (0: from the newest).
func (tx *Tx) IncidentList(f IncidentFilter, before int64, limit int) ([]Incident, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return query(tx, incidentsList, scanIncident, before, string(f.Phase), f.Shop, string(f.Kind), page(limit))
}

// EntryGet reads one line of a timeline; false: there is none.
func (tx *Tx) EntryGet(id string) (alert.Entry, bool, error) {
	return one(tx, entryGet, scanEntry, id)
}

// EntriesAppend writes lines of timelines. Those whose id is there already stay as they are.
func (tx *Tx) EntriesAppend(es []alert.Entry) error {
	es = lastOf(es, func(e alert.Entry) string { return e.ID })
	rows := make([][]any, len(es))
	for n, e := range es {
		rows[n] = []any{e.ID, e.IncidentID, us(e.At), string(e.Kind), e.Actor, e.Text}
	}
	_, err := tx.bulkNew(entryAppend, rows)
	return err
}

// EntriesOf reads the timeline of an incident, the newest first.
func (tx *Tx) EntriesOf(incidentID string, limit int) ([]alert.Entry, error) {
	return query(tx, entriesOf, scanEntry, incidentID, page(limit))
}

func scanEntry(r *sql.Rows, e *alert.Entry) error {
	var at int64
	err := r.Scan(&e.ID, &e.IncidentID, &at, &e.Kind, &e.Actor, &e.Text)
	e.At = when(at)
	return err
}

// TasksAdd stores new tasks. Those whose id is there already stay as they are, done or not.
func (tx *Tx) TasksAdd(ts []incident.Task) error {
	rows := make([][]any, len(ts))
	for n, t := range ts {
		data, err := encode(taskAdd.op, t)
		if err != nil {
			return err
		}
		rows[n] = []any{t.ID, t.IncidentID, data, us(t.DoneAt), t.DoneBy}
	}
	_, err := tx.bulkNew(taskAdd, rows)
	return err
}

// TaskDone ticks a task, or with a zero time takes the tick back. It says whether that changed anything.
func (tx *Tx) TaskDone(incidentID, id string, at time.Time, by string) (bool, error) {
	n, err := tx.exec(taskDone, id, incidentID, us(at), by)
	return n > 0, err
}

// TasksOf reads the tasks of incidents.
func (tx *Tx) TasksOf(incidentIDs []string) ([]incident.Task, error) {
	if len(incidentIDs) == 0 {
		return nil, nil
	}
	return query(tx, tasksOf, func(r *sql.Rows, t *incident.Task) error {
		var data []byte
		var done int64
		var by string
		if err := r.Scan(&data, &done, &by); err != nil {
			return err
		}
		err := json.Unmarshal(data, t)
		t.DoneAt, t.DoneBy = when(done), by
		return err
	}, incidentIDs)
}

// IncidentsPrune deletes incidents resolved before a time, with their timelines and tasks, at most limit, and says how many.
func (tx *Tx) IncidentsPrune(before time.Time, limit int) (int64, error) {
	ids, err := query(tx, incidentsOld, scanOne[string], us(before), page(limit))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, s := range []*stmt{entriesPrune, tasksPrune} {
		if _, err := tx.exec(s, ids); err != nil {
			return 0, err
		}
	}
	return tx.exec(incidentPrune, ids)
}

// OrdersCancelOpen reads orders whose buyer asked to cancel and nobody has answered.
func (tx *Tx) OrdersCancelOpen(limit int) ([]order.Order, error) {
	return tx.readOrders(cancelOpen, page(limit))
}

// OrdersAnswerDue reads orders with a return or refund that wants an answer from a time until another, those due first.
func (tx *Tx) OrdersAnswerDue(from, until time.Time, limit int) ([]order.Order, error) {
	return tx.readOrders(answersDue, us(from), us(until), page(limit))
}

type shopCount struct {
	shop, outcome string
	n             int64
}

// OrdersByShop counts the orders made from from until before until, by shop.
func (tx *Tx) OrdersByShop(from, until time.Time) (map[string]int64, error) {
	rows, err := query(tx, ordersByShop, func(r *sql.Rows, c *shopCount) error { return r.Scan(&c.shop, &c.n) }, us(from), us(until))
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.shop] = r.n
	}
	return out, err
}

// PushesEnded counts the pushes sent from since on by connection and outcome.
func (tx *Tx) PushesEnded(since time.Time) (map[string]map[string]int64, error) {
	rows, err := query(tx, pushesEnded, func(r *sql.Rows, c *shopCount) error { return r.Scan(&c.shop, &c.outcome, &c.n) }, us(since))
	out := map[string]map[string]int64{}
	for _, r := range rows {
		if out[r.shop] == nil {
			out[r.shop] = map[string]int64{}
		}
		out[r.shop][r.outcome] = r.n
	}
	return out, err
}
