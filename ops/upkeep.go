package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// upkeepEvery is how often the database is kept in shape, upkeepAgain how soon after a failure, upkeepLook how often it is looked whether
	// that is due.
	upkeepEvery, upkeepAgain, upkeepLook = 24 * time.Hour, time.Hour, time.Minute
	// upkeepLate is when somebody should look why nothing is done.
	upkeepLate = 3 * upkeepEvery
	// upkeepTime bounds one round: the oldest events of a year go in minutes.
	upkeepTime = 10 * time.Minute
	// upkeepSetting is what became of the last round, whichever process did it.
	upkeepSetting = "upkeep"
	// publishedSetting is how far the stream has published the event log.
	publishedSetting = "stream.cursor"
	// MinEventsKept is a day: followers of the event log that note no position are seconds behind.
	MinEventsKept = 24 * time.Hour
)

// Upkeep is what became of the last round of keeping the database in shape.
type Upkeep struct {
	At      time.Time `json:"at"` // when it was done or tried
	Made    []string  `json:"made,omitempty"`
	Dropped []string  `json:"dropped,omitempty"`
	Deleted int64     `json:"deleted,omitempty"` // events, one by one
	Failed  string    `json:"failed,omitempty"`  // a sentence for people
}

// String is the outcome in words.
func (u Upkeep) String() string {
	if u.Failed != "" {
		return "failed: " + u.Failed
	}
	var did []string
	if len(u.Made) > 0 {
		did = append(did, "made "+strings.Join(u.Made, ", "))
	}
	if len(u.Dropped) > 0 {
		did = append(did, "dropped "+strings.Join(u.Dropped, ", "))
	}
	if u.Deleted > 0 {
		did = append(did, fmt.Sprintf("deleted %d events", u.Deleted))
	}
	if len(did) == 0 {
		return "nothing was to be done"
	}
	return strings.Join(did, "; ")
}

func (u Upkeep) due(now time.Time) bool {
	every := upkeepEvery
	if u.Failed != "" {
		every = upkeepAgain
	}
	return now.Sub(u.At) >= every
}

// KeepUp makes room in the database for the months to come and gives up events older than eventsKept that every follower has read, see
// [store.Store.Maintain], and notes what became of it. eventsKept 0: all are kept. Errors: Invalid (less than a day), Busy (try again later).
func KeepUp(ctx context.Context, st *store.Store, eventsKept time.Duration) (Upkeep, error) {
	const op = "ops.KeepUp"
	if eventsKept != 0 && eventsKept < MinEventsKept {
		return Upkeep{}, errs.New(errs.Invalid, op, "events-kept", "events are kept for a day at least")
	}
	read, err := followed(ctx, st)
	if err != nil {
		return Upkeep{}, errs.Wrap(op, "", err)
	}
	m, failed := st.Maintain(ctx, eventsKept, read)
	u := Upkeep{Made: m.Made, Dropped: m.Dropped, Deleted: m.Deleted}
	if failed != nil {
		u.Failed = errs.Safe(failed)
	}
	if err := st.Update(ctx, func(tx *store.Tx) error {
		if u.At, err = tx.Clock(); err != nil {
			return err
		}
		return tx.SettingSet(upkeepSetting, string(jsonOf(u)))
	}); err != nil && failed == nil {
		failed = err
	}
	return u, errs.Wrap(op, "", failed)
}

// followed is the position in the event log that every follower has passed.
func followed(ctx context.Context, st *store.Store) (read int64, err error) {
	err = st.View(ctx, func(tx *store.Tx) error {
		if read, err = tx.EventLast(); err != nil {
			return err
		}
		published, found, err := tx.SettingGet(publishedSetting)
		if err == nil && found {
			read, err = strconv.ParseInt(published, 10, 64)
		}
		return err
	})
	return read, err
}

// lastUpkeep reads what became of the last round; none yet is its zero value.
func lastUpkeep(tx *store.Tx) (u Upkeep, err error) {
	text, found, err := tx.SettingGet(upkeepSetting)
	if err == nil && found && json.Unmarshal([]byte(text), &u) != nil {
		u = Upkeep{} // a newer program's: the round is done anew
	}
	return u, err
}

// upkeep does the day's round if no process has done it.
func (x *Ops) upkeep(ctx context.Context) error {
	var last Upkeep
	var now time.Time
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if last, err = lastUpkeep(tx); err != nil {
			return err
		}
		now, err = tx.Clock()
		return err
	}); err != nil || !last.due(now) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, upkeepTime)
	defer cancel()
	u, err := KeepUp(ctx, x.st, x.o.EventsKept)
	if err == nil {
		x.log.Info("database kept in shape", "did", u.String())
	}
	return err
}

// findUpkeep says when the database was last kept in shape.
func (x *Ops) findUpkeep(tx *store.Tx) ([]Finding, error) {
	u, err := lastUpkeep(tx)
	if err != nil {
		return nil, err
	}
	now, err := tx.Clock()
	f := Finding{Check: "upkeep of the database", OK: true, Text: "not done yet: once a day while Spillway runs"}
	if !u.At.IsZero() {
		f.Text = u.At.Format(time.RFC3339) + ": " + u.String()
		if f.OK = u.Failed == "" && now.Sub(u.At) < upkeepLate; !f.OK {
			f.Fix = "start Spillway, which does it once a day, or run 'spillway maintain' and see what it says"
		}
	}
	return []Finding{f}, err
}
