package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
)

// JobState is how far a job is.
type JobState string

const (
	JobPending JobState = "pending"
	JobRunning JobState = "running"
	JobFailed  JobState = "failed" // given up; waits for a person or the next enqueue
)

// Job is one piece of work to be done at a time. There is one row for each kind and key: enqueuing again moves it forward, or, while it
// runs, marks it to run once more.
type Job struct {
	ID, Kind, Key string
	DueAt         time.Time
	Payload       json.RawMessage
	State         JobState
	Tries         int64 // times taken; also proves that a worker still has the lease
	LeaseUntil    time.Time
	LastError     string
}

var (
	jobCols = []col{{"id", text}, {"kind", text}, {"job_key", text}, {"due_at", bigint}, {"payload", text}}
	jobList = "id, kind, job_key, due_at, payload, state, tries, lease_until, last_error"

	jobEnqueue = insert("store.JobEnqueue", "job", jobCols, `ON CONFLICT (kind, job_key) DO UPDATE SET payload = excluded.payload,
		due_at = CASE WHEN job.state = 'pending' AND job.due_at < excluded.due_at THEN job.due_at ELSE excluded.due_at END,
		again = (job.state = 'running'), tries = CASE WHEN job.state = 'running' THEN job.tries ELSE 0 END,
		state = CASE WHEN job.state = 'running' THEN 'running' ELSE 'pending' END`)
	jobTake = def("store.JobTake", `UPDATE job SET state = 'running', tries = tries + 1, lease_until = $3, again = FALSE WHERE id IN (
		SELECT id FROM job WHERE @in(kind, $1) AND (state = 'pending' AND due_at <= $2 OR state = 'running' AND lease_until <= $2)
		ORDER BY due_at, id LIMIT $4 @lock(FOR UPDATE SKIP LOCKED)) RETURNING `+jobList)
	jobDone = def("store.JobDone", "DELETE FROM job WHERE id = $1 AND tries = $2 AND state = 'running' AND NOT again")
	jobGo   = def("store.JobDone", `UPDATE job SET state = 'pending', again = FALSE, tries = 0, last_error = ''
		WHERE id = $1 AND tries = $2 AND state = 'running' AND again`)
	jobRetry = def("store.JobFail", `UPDATE job SET state = 'pending', due_at = CASE WHEN again AND due_at < $3 THEN due_at ELSE $3 END, again = FALSE,
		last_error = $4 WHERE id = $1 AND tries = $2 AND state = 'running'`)
	jobFail = def("store.JobFail", `UPDATE job SET state = CASE WHEN again THEN 'pending' ELSE 'failed' END, again = FALSE, last_error = $3
		WHERE id = $1 AND tries = $2 AND state = 'running'`)
	jobsListed = def("store.JobList", "SELECT "+jobList+" FROM job WHERE state = $1 ORDER BY due_at, id LIMIT $2")
	jobNext    = def("store.JobNextDue", "SELECT coalesce(min(CASE WHEN state = 'pending' THEN due_at ELSE lease_until END), 0) FROM job WHERE @in(kind, $1) AND state <> 'failed'")
)

// JobEnqueue asks for work at DueAt (zero: now). A job of the same kind and key that waits gets the earlier time and the new payload;
// one that runs will run again; one that failed starts over.
func (tx *Tx) JobEnqueue(jobs ...Job) error {
	jobs = lastOf(jobs, func(j Job) string { return j.Kind + "\n" + j.Key })
	rows := make([][]any, len(jobs))
	for i, j := range jobs {
		if j.Kind == "" {
			return errs.New(errs.Invalid, "store.JobEnqueue", j.Key, "a job needs a kind")
		}
		if j.ID == "" {
			j.ID = id.New()
		}
		if j.DueAt.IsZero() {
			j.DueAt = tx.now
		}
		if len(j.Payload) == 0 {
			j.Payload = json.RawMessage("{}")
		}
		rows[i] = []any{j.ID, j.Kind, j.Key, us(j.DueAt), string(j.Payload)}
	}
	_, err := tx.bulk(jobEnqueue, rows)
	return err
}

func scanJob(r *sql.Rows, j *Job) error {
	var due, lease int64
	var payload []byte
	err := r.Scan(&j.ID, &j.Kind, &j.Key, &due, &payload, &j.State, &j.Tries, &lease, &j.LastError)
	j.DueAt, j.LeaseUntil, j.Payload = when(due), when(lease), payload
	return err
}

// JobTake takes due jobs of the kinds for the length of lease. Jobs whose worker let its lease run out are due again. No job is given to
// two workers.
func (tx *Tx) JobTake(now time.Time, kinds []string, limit int, lease time.Duration) ([]Job, error) {
	if tx.readOnly {
		return nil, errs.New(errs.Internal, "store.JobTake", "", "writes need Update")
	}
	return query(tx, jobTake, scanJob, kinds, us(now), us(now.Add(lease)), page(limit))
}

// JobDone ends a taken job. If it was enqueued while it ran, it waits again instead. A worker that has lost its lease changes nothing.
func (tx *Tx) JobDone(j Job) error {
	if _, err := tx.exec(jobDone, j.ID, j.Tries); err != nil {
		return err
	}
	_, err := tx.exec(jobGo, j.ID, j.Tries)
	return err
}

// JobFail puts a taken job back for retryAt, or gives it up if that is zero. A worker that has lost its lease changes nothing.
func (tx *Tx) JobFail(j Job, retryAt time.Time, reason string) error {
	if retryAt.IsZero() {
		_, err := tx.exec(jobFail, j.ID, j.Tries, reason)
		return err
	}
	_, err := tx.exec(jobRetry, j.ID, j.Tries, us(retryAt), reason)
	return err
}

// JobList reads jobs in a state, by due time.
func (tx *Tx) JobList(state JobState, limit int) ([]Job, error) {
	return query(tx, jobsListed, scanJob, string(state), page(limit))
}

// JobNextDue is when the next job of the kinds is due; zero if there is none.
func (tx *Tx) JobNextDue(kinds []string) (time.Time, error) {
	n, _, err := one(tx, jobNext, scanOne[int64], kinds)
	return when(n), err
}
