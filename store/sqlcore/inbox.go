package sqlcore

import (
	"database/sql"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// InboxState is how far an inbox row is.
type InboxState string

const (
	InboxPending InboxState = "pending"
	InboxDone    InboxState = "done"
	InboxParked  InboxState = "parked" // cannot be understood; waits for a person with its Reason
)

// InboxRow is one webhook delivery as it came in, verified and stored before it was answered.
type InboxRow struct {
	Seq                         int64  // order of arrival, given by the store
	ID                          string // vendor, app and delivery id: the same for a redelivery
	Vendor, AppID, ConnectionID string
	Topic                       string
	ReceivedAt, SentAt          time.Time // SentAt: by the vendor; zero if it does not say
	Body                        []byte
	State                       InboxState
	Tries                       int64
	Reason                      string // why it is parked or was tried again
}

// InboxTx is one transaction of the inbox, inside UpdateInbox or ViewInbox only. It is a type of its own so that no transaction takes the
// inbox and the rest to commit together: on SQLite the inbox is a file of its own, and a webhook waits for nothing but that file.
type InboxTx struct{ tx *Tx }

var (
	inboxCols = []col{{"id", text}, {"vendor", text}, {"app_id", text}, {"connection_id", text}, {"topic", text}, {"received_at", bigint},
		{"sent_at", bigint}, {"body", bytea}, {"state", text}, {"tries", bigint}, {"reason", text}}
	inboxList = names(inboxCols, plain, ", ") + ", seq"

	inboxAppend  = insertNew("store.InboxAppend", "inbox", inboxCols)
	inboxPending = def("store.InboxPending", "SELECT "+inboxList+" FROM inbox WHERE state = 'pending' AND seq > $1 ORDER BY seq LIMIT $2")
	inboxTake    = def("store.InboxPending", "SELECT "+inboxList+" FROM inbox WHERE state = 'pending' AND seq > $1 ORDER BY seq LIMIT $2 @lock(FOR NO KEY UPDATE SKIP LOCKED)")
	// The || '' keeps databases from reading the index of all pending rows instead of looking the ids up.
	inboxDone     = def("store.InboxDone", "UPDATE inbox SET state = 'done', reason = '' WHERE @in(id, $1) AND state || '' = 'pending'")
	inboxPark     = def("store.InboxPark", "UPDATE inbox SET state = 'parked', reason = $2, tries = tries + 1 WHERE id = $1")
	inboxRetry    = def("store.InboxRetry", "UPDATE inbox SET state = 'pending' WHERE @in(id, $1) AND state <> 'pending'")
	inboxRetryAll = def("store.InboxRetryParked", "UPDATE inbox SET state = 'pending' WHERE state = 'parked'")
	inboxParked   = def("store.InboxParked", "SELECT "+inboxList+" FROM inbox WHERE state = 'parked' ORDER BY seq LIMIT $1")
	inboxOf       = def("store.InboxPendingOf", "SELECT "+inboxList+" FROM inbox WHERE state = 'pending' AND vendor = $1 AND app_id = $2 ORDER BY seq LIMIT $3")
	inboxPrune    = def("store.InboxPrune", "DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE received_at < $1 AND state = 'done' ORDER BY received_at LIMIT $2)")
	inboxIDs      = def("store.InboxIDs", "SELECT connection_id, id, seq FROM inbox WHERE seq > $1 ORDER BY seq LIMIT $2")
	// A count for each state, and not a grouping of the states that are not done: so each reads its partial index and none of the done rows,
	// which are nearly all.
	inboxCount = def("store.InboxCounts", "SELECT 'pending', count(*) FROM inbox WHERE state = 'pending' UNION ALL SELECT 'parked', count(*) FROM inbox WHERE state = 'parked'")
)

// InboxAppend stores deliveries and returns the ids that are new, in their order; the others had come before and stay as they were.
// State is pending unless set.
func (x *InboxTx) InboxAppend(in []InboxRow) (fresh []string, err error) {
	rows := make([][]any, len(in))
	for i, r := range in {
		if r.ID == "" {
			return nil, errs.New(errs.Invalid, "store.InboxAppend", "", "a delivery needs an id")
		}
		if r.State == "" {
			r.State = InboxPending
		}
		if r.ReceivedAt.IsZero() {
			r.ReceivedAt = x.tx.now
		}
		if r.Body == nil {
			r.Body = []byte{}
		}
		rows[i] = []any{r.ID, r.Vendor, r.AppID, r.ConnectionID, r.Topic, us(r.ReceivedAt), us(r.SentAt), r.Body, string(r.State), r.Tries, r.Reason}
	}
	isNew, err := x.tx.bulkNew(inboxAppend, rows)
	if err != nil {
		return nil, err
	}
	for _, r := range in {
		if isNew[r.ID] {
			fresh = append(fresh, r.ID)
			isNew[r.ID] = false // a second one of the same id in the call is not
		}
	}
	return fresh, nil
}

func scanInbox(r *sql.Rows, v *InboxRow) error {
	var received, sent int64
	err := r.Scan(&v.ID, &v.Vendor, &v.AppID, &v.ConnectionID, &v.Topic, &received, &sent, &v.Body, &v.State, &v.Tries, &v.Reason, &v.Seq)
	v.ReceivedAt, v.SentAt = when(received), when(sent)
	return err
}

// InboxPending reads deliveries that wait, in the order of arrival, after the row after (0: from the first). In UpdateInbox this read locks
// what it returns until the transaction ends and leaves out what another process has locked, so no delivery is worked on twice.
func (x *InboxTx) InboxPending(limit int, after int64) ([]InboxRow, error) {
	if x.tx.readOnly {
		return query(x.tx, inboxPending, scanInbox, after, page(limit))
	}
	return query(x.tx, inboxTake, scanInbox, after, page(limit))
}

// InboxPendingOf reads deliveries of one vendor and app that wait, in the order of arrival.
func (x *InboxTx) InboxPendingOf(vendor, appID string, limit int) ([]InboxRow, error) {
	return query(x.tx, inboxOf, scanInbox, vendor, appID, page(limit))
}

// InboxDone marks pending deliveries as worked in; call it after what they say is committed. Parked ones stay for the person they wait for.
// The rows stay, to recognise redeliveries, until they are pruned.
func (x *InboxTx) InboxDone(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := x.tx.exec(inboxDone, ids)
	return err
}

// InboxPark sets a delivery aside with the reason. Errors: NotFound.
func (x *InboxTx) InboxPark(id, reason string) error {
	n, err := x.tx.exec(inboxPark, id, reason)
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "store.InboxPark", id, "there is no such delivery")
	}
	return err
}

// InboxRetry makes deliveries pending again, done ones too (a replay), and says how many.
func (x *InboxTx) InboxRetry(ids []string) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	return x.tx.exec(inboxRetry, ids)
}

// InboxRetryParked makes all parked deliveries pending again and says how many.
func (x *InboxTx) InboxRetryParked() (int64, error) { return x.tx.exec(inboxRetryAll) }

// InboxParked reads parked deliveries, oldest first.
func (x *InboxTx) InboxParked(limit int) ([]InboxRow, error) {
	return query(x.tx, inboxParked, scanInbox, page(limit))
}

// InboxPrune deletes worked-in deliveries received before before, the oldest first and at most limit, and says how many. A redelivery later
// than that is new again.
func (x *InboxTx) InboxPrune(before time.Time, limit int) (int64, error) {
	return x.tx.exec(inboxPrune, us(before), page(limit))
}

// InboxCounts counts the deliveries that are pending and parked.
func (x *InboxTx) InboxCounts() (map[InboxState]int64, error) {
	type count struct {
		state InboxState
		n     int64
	}
	got, err := query(x.tx, inboxCount, func(r *sql.Rows, c *count) error { return r.Scan(&c.state, &c.n) })
	out := make(map[InboxState]int64, len(got))
	for _, c := range got {
		out[c.state] = c.n
	}
	return out, err
}

// InboxIDs calls each with the connection and id of every stored delivery until it returns false.
func (x *InboxTx) InboxIDs(each func(connectionID, id string) bool) error {
	type row struct {
		conn, id string
		seq      int64
	}
	for after := int64(0); ; {
		got, err := query(x.tx, inboxIDs, func(r *sql.Rows, v *row) error { return r.Scan(&v.conn, &v.id, &v.seq) }, after, int64(maxPage))
		if err != nil {
			return err
		}
		for _, v := range got {
			after = v.seq
			if !each(v.conn, v.id) {
				return nil
			}
		}
		if len(got) < maxPage {
			return nil
		}
	}
}
