package sqlcore

import (
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

// What shops are judged by is kept as sums that every order adds to. Intake appends what a batch changes, which is taken and added to the sums a
// moment later: the orders of a day share a few sums, whose rows all intakes of all processes would otherwise wait for in turn. What is added
// every second, and what is later, are two rows of two tables: each is read once, and whoever takes one reads past none of the other.
var (
	dayCols  = []col{{"connection_id", text}, {"rate", text}, {"day", bigint}, {"num", bigint}, {"den", bigint}, {"unjudged", bigint}}
	partCols = []col{{"connection_id", text}, {"rate", text}, {"day", bigint}, {"data", bytea}}
	markCols = []col{{"connection_id", text}, {"rate", text}, {"day", bigint}, {"order_id", text}, {"reason", text}, {"facets", text}, {"n", bigint}}

	deltaAppend = insertRow("store.HealthAppend", "health_delta", []col{{"data", bytea}})
	deltaTake   = newTaking("store.HealthTake", "health_delta", "data")
	deltaCount  = def("store.HealthWaiting", "SELECT count(*) FROM (SELECT 1 FROM health_delta LIMIT $1) AS waiting")
	deltaList   = def("store.HealthPending", "SELECT data FROM health_delta ORDER BY seq")

	partDeltaAppend = insertRow("store.HealthAppend", "health_part_delta", []col{{"parts", bytea}, {"flow", bytea}})
	partDeltaTake   = newTaking("store.HealthTakeParts", "health_part_delta", "parts, flow")
	partDeltaList   = def("store.HealthPending", "SELECT parts, flow FROM health_part_delta ORDER BY seq")

	dayAdd = insert("store.HealthAdd", "health_day", dayCols,
		"ON CONFLICT (connection_id, rate, day) DO UPDATE SET num = health_day.num + excluded.num, den = health_day.den + excluded.den, unjudged = health_day.unjudged + excluded.unjudged")
	partGet = def("store.HealthAddParts", "SELECT data FROM health_part WHERE connection_id = $1 AND rate = $2 AND day = $3")
	partPut = insert("store.HealthAddParts", "health_part", partCols, upsert("connection_id, rate, day", partCols[3:]))
	// Whoever adds to the parts reads them first: this keeps a second one out until the first has committed.
	partLock = def("store.HealthAddParts", "INSERT INTO health_state (name, at, data) VALUES ('parts', $1, '{}') ON CONFLICT (name) DO UPDATE SET at = excluded.at")
	markAdd  = insert("store.HealthAdd", "health_mark", markCols,
		"ON CONFLICT (connection_id, rate, day, order_id, reason, facets) DO UPDATE SET n = health_mark.n + excluded.n")
	markOver = def("store.HealthAdd", "DELETE FROM health_mark WHERE n = 0")

	healthDays   = def("store.HealthDays", "SELECT day, num, den, unjudged FROM health_day WHERE connection_id = $1 AND rate = $2 AND day >= $3 AND day <= $4 ORDER BY day")
	healthDaysOf = def("store.HealthDaysOf", "SELECT "+names(dayCols, plain, ", ")+" FROM health_day WHERE connection_id = $1 AND @in(rate, $2) AND day >= $3 AND day <= $4 ORDER BY rate, day")
	// The scans by chunks of a full count, in the order of the key.
	healthDaysAll = def("store.HealthDaysAll", "SELECT "+names(dayCols, plain, ", ")+` FROM health_day
		WHERE (connection_id, rate, day) > ($1, $2, $3) ORDER BY connection_id, rate, day LIMIT $4`)
	healthPartsAll = def("store.HealthPartsAll", "SELECT "+names(partCols, plain, ", ")+` FROM health_part
		WHERE (connection_id, rate, day) > ($1, $2, $3) ORDER BY connection_id, rate, day LIMIT $4`)
	healthMarksAll = def("store.HealthMarksAll", "SELECT "+names(markCols, plain, ", ")+` FROM health_mark
		WHERE (connection_id, rate, day, order_id, reason, facets) > ($1, $2, $3, $4, $5, $6) ORDER BY connection_id, rate, day, order_id, reason, facets LIMIT $7`)
	healthParts   = def("store.HealthParts", "SELECT connection_id, rate, day, data FROM health_part WHERE connection_id = $1 AND rate = $2 AND day >= $3 AND day <= $4 ORDER BY day")
	healthReasons = def("store.HealthReasons", `SELECT reason, CAST(sum(n) AS BIGINT) FROM health_mark
		WHERE connection_id = $1 AND rate = $2 AND day >= $3 AND day <= $4 GROUP BY reason ORDER BY 2 DESC, reason`)
	healthMarks = def("store.HealthMarks", "SELECT "+names(markCols, plain, ", ")+` FROM health_mark
		WHERE connection_id = $1 AND rate = $2 AND day >= $3 AND (day, order_id) < ($4, $5) AND n <> 0 ORDER BY day DESC, order_id DESC LIMIT $6`)

	healthPending = def("store.HealthPendingMarks", "SELECT "+names(markCols, plain, ", ")+` FROM health_mark
		WHERE connection_id = $1 AND reason IN ('not_delivered_yet', 'not_scanned_yet')`)

	healthStatePut  = def("store.HealthStatePut", "INSERT INTO health_state (name, at, data) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET at = excluded.at, data = excluded.data")
	healthStateNew  = def("store.HealthStateTake", "INSERT INTO health_state (name, at, data) VALUES ($1, 0, $2) ON CONFLICT (name) DO NOTHING")
	healthStateTake = def("store.HealthStateTake", "SELECT at, data FROM health_state WHERE name = $1 @lock(FOR NO KEY UPDATE)")
	healthStateGet  = def("store.HealthStateGet", "SELECT at, data FROM health_state WHERE name = $1")

	ratingPut = def("store.AccountRatingPut", `INSERT INTO account_rating (connection_id, at, value, source, actor, note, entered_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (connection_id, at) DO UPDATE SET value = excluded.value, source = excluded.source, actor = excluded.actor, note = excluded.note, entered_at = excluded.entered_at`)
	ratingDelete = def("store.AccountRatingDelete", "DELETE FROM account_rating WHERE connection_id = $1 AND at = $2")
	ratingList   = def("store.AccountRatings", `SELECT connection_id, at, value, source, actor, note, entered_at FROM account_rating
		WHERE connection_id = $1 AND at >= $2 ORDER BY at DESC LIMIT $3`)

	overridePut = def("store.PolicyOverridePut", `INSERT INTO policy_override (id, market, data, actor, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET revoked_at = excluded.revoked_at`)
	overrideList = def("store.PolicyOverrides", "SELECT id, market, data, actor, created_at, revoked_at FROM policy_override ORDER BY created_at, id LIMIT $1")

	ordersAfter = def("store.OrdersAfter", "SELECT body, version FROM orders WHERE id > $1 ORDER BY id LIMIT $2")
)

// maxOverrides bounds how many rules of their own an operator has ever made.
const maxOverrides = 10_000

// HealthDelta is what a batch of orders changes of the sums shops are judged by and forecasts learn from.
type HealthDelta struct {
	Days  []byte // of [health.Batch.Days]
	Parts []byte // of [health.Batch.Parts]
	Flow  []byte // of [flow.Batch.Record]
}

// HealthAppend stores a change, to be added a moment later. It is on its way with the transaction's next statements or its commit.
func (tx *Tx) HealthAppend(d HealthDelta) error {
	if len(d.Days) > 0 {
		if err := tx.later(deltaAppend, []any{d.Days}); err != nil {
			return err
		}
	}
	if len(d.Parts) == 0 && len(d.Flow) == 0 {
		return nil
	}
	return tx.later(partDeltaAppend, []any{orEmpty(d.Parts), orEmpty(d.Flow)})
}

// orEmpty is data, but never nil, which databases take for NULL.
func orEmpty(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func scanPartDelta(r *sql.Rows, d *HealthDelta) error { return r.Scan(&d.Parts, &d.Flow) }

// HealthTake removes the oldest Days that HealthAppend stored, at most limit, and returns them: to be added with HealthAdd in the same
// transaction. Of two that take at once each goes to one.
func (tx *Tx) HealthTake(limit int) ([][]byte, error) {
	return take(tx, deltaTake, limit, func(r *sql.Rows, seq *int64, days *[]byte) error { return r.Scan(seq, days) })
}

// HealthTakeParts is HealthTake of Parts and Flow, which are added with HealthAddParts and FlowAdd.
func (tx *Tx) HealthTakeParts(limit int) ([]HealthDelta, error) {
	return take(tx, partDeltaTake, limit, func(r *sql.Rows, seq *int64, d *HealthDelta) error { return r.Scan(seq, &d.Parts, &d.Flow) })
}

// HealthPending reads what HealthAppend stored and nobody has taken.
func (tx *Tx) HealthPending() ([]HealthDelta, error) {
	days, err := query(tx, deltaList, func(r *sql.Rows, d *HealthDelta) error { return r.Scan(&d.Days) })
	if err != nil {
		return nil, err
	}
	parts, err := query(tx, partDeltaList, scanPartDelta)
	return append(days, parts...), err
}

// HealthWaiting counts the batches whose Days nobody has taken, up to a bound.
func (tx *Tx) HealthWaiting(most int) (int64, error) {
	n, _, err := one(tx, deltaCount, func(r *sql.Rows, n *int64) error { return r.Scan(n) }, int64(most))
	return n, err
}

// HealthAdd adds to the sums of whole days and to the marks; tallies of facets are for HealthAddParts. No two marks may share their key.
func (tx *Tx) HealthAdd(tallies []health.Tally, marks []health.Mark) error {
	var orders [][]any
	days := dayRows{at: map[dayKey]int{}}
	for _, t := range tallies {
		switch t.Facet {
		case health.FacetAll:
			days.add(t, t.Num, t.Den, 0)
		case health.FacetUnjudged:
			days.add(t, 0, 0, t.Den)
		}
	}
	for _, m := range marks {
		facets, err := encode("store.HealthAdd", m.Facets)
		if err != nil {
			return err
		}
		orders = append(orders, []any{m.Connection, m.Rate, int64(m.Day), m.OrderID, string(m.Reason), facets, m.N})
	}
	for _, add := range []struct {
		s    *stmt
		rows [][]any
	}{{dayAdd, days.rows}, {markAdd, orders}} {
		for rows := add.rows; len(rows) > 0; {
			n := min(len(rows), maxRows)
			if _, err := tx.bulk(add.s, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	if len(orders) == 0 {
		return nil
	}
	_, err := tx.exec(markOver)
	return err
}

// dayRows are the rows of health_day that tallies add to, each once.
type dayRows struct {
	rows [][]any
	at   map[dayKey]int
}

type dayKey struct {
	connection, rate string
	day              policy.Day
}

func (d *dayRows) add(t health.Tally, num, den, unjudged int64) {
	k := dayKey{t.Connection, t.Rate, t.Day}
	i, ok := d.at[k]
	if !ok {
		i = len(d.rows)
		d.at[k] = i
		d.rows = append(d.rows, []any{t.Connection, t.Rate, int64(t.Day), int64(0), int64(0), int64(0)})
	}
	for n, v := range []int64{num, den, unjudged} {
		d.rows[i][3+n] = d.rows[i][3+n].(int64) + v
	}
}

// keptDay is a row of health_day.
type keptDay struct {
	connection, rate string
	health.DayCount
}

func scanKeptDay(r *sql.Rows, d *keptDay) error {
	var day int64
	err := r.Scan(&d.connection, &d.rate, &day, &d.Num, &d.Den, &d.Unjudged)
	d.Day = policy.Day(day)
	return err
}

func scanDayParts(r *sql.Rows, p *health.DayParts) error {
	var day int64
	err := r.Scan(&p.Connection, &p.Rate, &day, &p.Data)
	p.Day = policy.Day(day)
	return err
}

// HealthAddParts adds to the sums of single values of facets. No two parts may be of the same rate and day.
func (tx *Tx) HealthAddParts(parts []health.DayParts) error {
	if _, err := tx.exec(partLock, us(tx.now)); err != nil {
		return err
	}
	for some := range slices.Chunk(parts, partChunk) {
		if err := tx.addDayParts(some); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) addDayParts(parts []health.DayParts) error {
	steps, kept := make([]*Step, len(parts)), make([][]byte, len(parts))
	for i, p := range parts {
		steps[i] = &Step{Op: partGet.op, Text: partGet.text[tx.dialect()], Args: []any{p.Connection, p.Rate, int64(p.Day)},
			Each: func(r Row) error { return r.Scan(&kept[i]) }}
	}
	if err := tx.pipe(steps); err != nil {
		return err
	}
	rows := make([][]any, len(parts))
	for i, p := range parts {
		data, err := health.MergeParts(kept[i], p.Data, 1)
		if err != nil {
			return errs.Wrap(partGet.op, p.Connection, err)
		}
		if data == nil {
			data = health.NoParts()
		}
		rows[i] = []any{p.Connection, p.Rate, int64(p.Day), data}
	}
	_, err := tx.bulk(partPut, rows)
	return err
}

func scanMark(r *sql.Rows, m *health.Mark) error {
	var day int64
	var facets []byte
	if err := r.Scan(&m.Connection, &m.Rate, &day, &m.OrderID, &m.Reason, &facets, &m.N); err != nil {
		return err
	}
	m.Day = policy.Day(day)
	return json.Unmarshal(facets, &m.Facets)
}

// HealthDays reads the sums of the days from first to last, both included; days without a row are left out.
func (tx *Tx) HealthDays(connection, rate string, first, last policy.Day) (health.Series, error) {
	return query(tx, healthDays, func(r *sql.Rows, d *health.DayCount) error {
		var day int64
		err := r.Scan(&day, &d.Num, &d.Den, &d.Unjudged)
		d.Day = policy.Day(day)
		return err
	}, connection, rate, int64(first), int64(last))
}

// HealthDaysOf is HealthDays of several rates at once.
func (tx *Tx) HealthDaysOf(connection string, rates []string, first, last policy.Day) (map[string]health.Series, error) {
	rows, err := query(tx, healthDaysOf, scanKeptDay, connection, rates, int64(first), int64(last))
	out := make(map[string]health.Series, len(rates))
	for _, r := range rows {
		out[r.rate] = append(out[r.rate], r.DayCount)
	}
	return out, err
}

// HealthParts reads the sums of the days from first to last, both included, added up for each value of each facet.
func (tx *Tx) HealthParts(connection, rate string, first, last policy.Day) ([]health.Tally, error) {
	rows, err := query(tx, healthParts, scanDayParts, connection, rate, int64(first), int64(last))
	if err != nil {
		return nil, err
	}
	var all, one health.Parts
	for i := range rows {
		if err := one.UnmarshalBinary(rows[i].Data); err != nil {
			return nil, errs.Wrap(healthParts.op, connection, err)
		}
		all.Merge(&one)
	}
	out := all.Tallies()
	for i := range out {
		out[i].Connection, out[i].Rate, out[i].Day = connection, rate, last
	}
	return out, nil
}

// ReasonCount is how many orders count against a shop for one reason.
type ReasonCount struct {
	Reason health.Reason
	Orders int64
}

// HealthReasons counts the marks of the days from first to last, both included, by reason, the most first.
func (tx *Tx) HealthReasons(connection, rate string, first, last policy.Day) ([]ReasonCount, error) {
	return query(tx, healthReasons, func(r *sql.Rows, c *ReasonCount) error { return r.Scan(&c.Reason, &c.Orders) }, connection, rate, int64(first), int64(last))
}

// HealthMarks reads marks of days from first on, newest day first, behind the place (day, orderID): those of one day by falling order id. For the
// newest give the day after the last.
func (tx *Tx) HealthMarks(connection, rate string, first, day policy.Day, orderID string, limit int) ([]health.Mark, error) {
	return query(tx, healthMarks, scanMark, connection, rate, int64(first), int64(day), orderID, page(limit))
}

// HealthPendingMarks reads a shop's marks of what may still happen, see [health.Reason.Pending].
func (tx *Tx) HealthPendingMarks(connection string) ([]health.Mark, error) {
	return query(tx, healthPending, scanMark, connection)
}

// HealthScan reads all sums and marks, in the order of their keys, a chunk at a time.
func (tx *Tx) HealthScan(tally func(health.Tally) error, parts func(health.DayParts) error, mark func(health.Mark) error) error {
	err := chunks(func(d keptDay) ([]keptDay, error) {
		return query(tx, healthDaysAll, scanKeptDay, d.connection, d.rate, int64(d.Day), int64(scanChunk))
	}, scanChunk, func(d keptDay) error {
		t := health.Tally{Connection: d.connection, Rate: d.rate, Day: d.Day, Num: d.Num, Den: d.Den}
		if err := tally(t); err != nil || d.Unjudged == 0 {
			return err
		}
		t.Facet, t.Num, t.Den = health.FacetUnjudged, 0, d.Unjudged
		return tally(t)
	})
	if err == nil {
		err = chunks(func(p health.DayParts) ([]health.DayParts, error) {
			return query(tx, healthPartsAll, scanDayParts, p.Connection, p.Rate, int64(p.Day), int64(partChunk))
		}, partChunk, parts)
	}
	if err == nil {
		err = chunks(func(m health.Mark) ([]health.Mark, error) {
			facets, err := encode("store.HealthScan", m.Facets)
			if m.Connection == "" {
				facets = ""
			}
			if err != nil {
				return nil, err
			}
			return query(tx, healthMarksAll, scanMark, m.Connection, m.Rate, int64(m.Day), m.OrderID, string(m.Reason), facets, int64(scanChunk))
		}, scanChunk, mark)
	}
	return err
}

// scanChunk rows are read at a time, partChunk of those that hold many values.
const scanChunk, partChunk = 5_000, 50

// chunks reads behind the last one seen until there are no more.
func chunks[T any](read func(after T) ([]T, error), chunk int, each func(T) error) error {
	var last T
	for {
		got, err := read(last)
		if err != nil {
			return err
		}
		for _, v := range got {
			if err := each(v); err != nil {
				return err
			}
		}
		if len(got) < chunk {
			return nil
		}
		last = got[len(got)-1]
	}
}

// HealthStatePut keeps what was worked out under a name.
func (tx *Tx) HealthStatePut(name string, at time.Time, v any) error {
	data, err := encode("store.HealthStatePut", v)
	if err == nil {
		_, err = tx.exec(healthStatePut, name, us(at), data)
	}
	return err
}

// HealthStateGet reads what HealthStatePut kept into v; false: nothing, or what another program wrote that cannot be read.
func (tx *Tx) HealthStateGet(name string, v any) (at time.Time, found bool, err error) {
	return tx.healthState(healthStateGet, name, v)
}

// HealthStateTake is HealthStateGet that keeps others from changing it until this transaction ends, also where there is nothing yet: for what is read,
// changed and written back.
func (tx *Tx) HealthStateTake(name string, v any) error {
	if _, err := tx.exec(healthStateNew, name, "{}"); err != nil {
		return err
	}
	_, _, err := tx.healthState(healthStateTake, name, v)
	return err
}

func (tx *Tx) healthState(q *stmt, name string, v any) (at time.Time, found bool, err error) {
	type row struct {
		at   int64
		data []byte
	}
	got, found, err := one(tx, q, func(r *sql.Rows, x *row) error { return r.Scan(&x.at, &x.data) }, name)
	if err != nil || !found || json.Unmarshal(got.data, v) != nil {
		return time.Time{}, false, err
	}
	return when(got.at), true, nil
}

// AccountRating is an account rating as a channel showed it.
type AccountRating struct {
	ConnectionID string
	At           time.Time // of what it was
	Value        int64
	Source       string // entered, or the name of an import
	Actor, Note  string
	EnteredAt    time.Time
}

// AccountRatingPut enters a rating, or corrects the one of that moment.
func (tx *Tx) AccountRatingPut(r AccountRating) error {
	if r.ConnectionID == "" || r.At.IsZero() {
		return errs.New(errs.Invalid, "store.AccountRatingPut", r.ConnectionID, "a rating needs a shop and a time")
	}
	_, err := tx.exec(ratingPut, r.ConnectionID, us(r.At), r.Value, r.Source, r.Actor, r.Note, us(tx.now))
	return err
}

// AccountRatingDelete takes a rating back. Errors: NotFound.
func (tx *Tx) AccountRatingDelete(connection string, at time.Time) error {
	n, err := tx.exec(ratingDelete, connection, us(at))
	if err == nil && n == 0 {
		err = errs.New(errs.NotFound, "store.AccountRatingDelete", connection, "there is no rating of that time")
	}
	return err
}

// AccountRatings reads a shop's ratings since a time, newest first.
func (tx *Tx) AccountRatings(connection string, since time.Time, limit int) ([]AccountRating, error) {
	return query(tx, ratingList, func(r *sql.Rows, a *AccountRating) error {
		var at, entered int64
		err := r.Scan(&a.ConnectionID, &at, &a.Value, &a.Source, &a.Actor, &a.Note, &entered)
		a.At, a.EnteredAt = when(at), when(entered)
		return err
	}, connection, us(since), page(limit))
}

// PolicyOverride is a rule of the operator's. Data is a [policy.Override]; a revoked one holds no more and stays for the record.
type PolicyOverride struct {
	ID, Market, Actor    string
	Data                 json.RawMessage
	CreatedAt, RevokedAt time.Time
}

// PolicyOverridePut adds an override; of one that is there only RevokedAt changes.
func (tx *Tx) PolicyOverridePut(o PolicyOverride) error {
	if o.ID == "" || o.Market == "" {
		return errs.New(errs.Invalid, "store.PolicyOverridePut", o.ID, "an override needs an id and a market")
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = tx.now
	}
	_, err := tx.exec(overridePut, o.ID, o.Market, o.Data, o.Actor, us(o.CreatedAt), us(o.RevokedAt))
	return err
}

// PolicyOverrides reads all overrides, revoked ones too, oldest first.
func (tx *Tx) PolicyOverrides() ([]PolicyOverride, error) {
	return query(tx, overrideList, func(r *sql.Rows, o *PolicyOverride) error {
		var created, revoked int64
		var data []byte
		err := r.Scan(&o.ID, &o.Market, &data, &o.Actor, &created, &revoked)
		o.Data, o.CreatedAt, o.RevokedAt = data, when(created), when(revoked)
		return err
	}, int64(maxOverrides))
}
