package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

const (
	// MaxLag is how far a standby may be behind and still be shown: a person takes a page of five seconds ago for the present.
	MaxLag = 5 * time.Second
	// askEvery is how often both servers are asked where they are: two statements of no work.
	askEvery = 250 * time.Millisecond
	// askTimeout bounds one such question. A server that takes longer is as good as away.
	askTimeout = time.Second
	// maxMarks bounds what is remembered of the primary's progress: all of MaxLag and as much again.
	maxMarks = 2 * int(MaxLag/askEvery)
)

// Positions are bytes of the log since the cluster was made. The insert position covers commits that wait for nothing, too.
const (
	primaryAt = `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, (SELECT system_identifier FROM pg_control_system())`
	standbyAt = `SELECT CASE WHEN pg_is_in_recovery() THEN (coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0')::bigint ELSE -1 END,
		(SELECT system_identifier FROM pg_control_system())`
)

// OpenReplicated is Open with a streaming standby for what is only shown. The standby need not answer: it is used while it does and is at
// most MaxLag behind. changed, which may be nil, is told when that begins and ends.
func OpenReplicated(ctx context.Context, url, standby string, changed func(sqlcore.ReplicaState)) (sqlcore.Engine, error) {
	cfg, err := pgx.ParseConfig(standby)
	if err != nil { // the error may hold the password
		return sqlcore.Engine{}, errs.New(errs.Invalid, "postgres.Open", "", "the URL of the replica cannot be read; it looks like postgres://user@host:5432/name")
	}
	all, e, err := open(ctx, url)
	if err != nil {
		return all, err
	}
	setDefaults(cfg)
	r := &replica{primary: e.read, changed: changed, state: sqlcore.ReplicaState{Why: "it has not been asked yet"}}
	if lendsSessions(cfg) {
		r.setUp = perTransaction(cfg)
	}
	r.db = stdlib.OpenDB(*cfg)
	r.db.SetMaxOpenConns(readers)
	r.db.SetMaxIdleConns(readers)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	var asking sync.WaitGroup
	asking.Go(func() { r.watch(life) })
	all.Replica = &sqlcore.Replica{Begin: r.begin, Failed: r.fail, State: r.now}
	primaryClose := all.Close
	all.Close = sync.OnceValue(func() error {
		stop()
		asking.Wait()
		return errors.Join(r.db.Close(), primaryClose())
	})
	return all, nil
}

// mark is where the primary was at a time, by our clock: at or after it, since at is taken before the question.
type mark struct {
	at  time.Time
	lsn int64
}

// replica is a standby and what is known of its progress. Clocks of other machines play no part: the standby is as old as the newest mark
// of the primary that it has replayed.
type replica struct {
	db, primary *sql.DB
	setUp       string
	changed     func(sqlcore.ReplicaState)

	mu    sync.Mutex
	marks []mark
	shows time.Time
	state sqlcore.ReplicaState
}

func (r *replica) watch(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		r.ask(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask notes where both servers are.
func (r *replica) ask(ctx context.Context) {
	at := time.Now()
	lsn, cluster, err := position(ctx, r.primary, primaryAt)
	r.mu.Lock()
	if err == nil {
		if r.marks = append(r.marks, mark{at, lsn}); len(r.marks) > maxMarks {
			r.marks = slices.Delete(r.marks, 0, 1)
		}
	}
	r.mu.Unlock()
	known := err == nil
	replayed, itsCluster, err := position(ctx, r.db, standbyAt)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.judge("it does not answer")
	case replayed < 0:
		r.judge("it is no standby")
	case known && cluster != itsCluster:
		r.judge("it is a standby of another database")
	default:
		r.replayed(replayed)
		r.judge("")
	}
}

func position(ctx context.Context, db *sql.DB, text string) (lsn, cluster int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err = db.QueryRowContext(ctx, text).Scan(&lsn, &cluster)
	return lsn, cluster, err
}

// replayed takes note that the standby has got to lsn.
func (r *replica) replayed(lsn int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range slices.Backward(r.marks) {
		if m.lsn <= lsn {
			r.shows = m.at
			return
		}
	}
}

// judge decides whether the standby is used; why is what speaks against it already.
func (r *replica) judge(why string) {
	r.mu.Lock()
	s := sqlcore.ReplicaState{Asked: true, Why: why, Shows: r.shows}
	if n := len(r.marks); n > 0 && !r.shows.IsZero() {
		s.Lag = r.marks[n-1].at.Sub(r.shows)
	}
	if time.Since(r.shows) > MaxLag {
		s.Why = cmp.Or(why, "it is more than "+MaxLag.String()+" behind")
	}
	s.Used = s.Why == ""
	turned := s.Used != r.state.Used || s.Why != r.state.Why
	r.state = s
	r.mu.Unlock()
	if turned && r.changed != nil {
		r.changed(s)
	}
}

// now is the state, with a standby that was not asked for too long out of use.
func (r *replica) now() sqlcore.ReplicaState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	if s.Used && time.Since(s.Shows) > MaxLag {
		s.Used, s.Why = false, "it was not heard of for "+MaxLag.String()
	}
	return s
}

// fail takes the standby out of use until the next question finds it well.
func (r *replica) fail(error) { r.judge("it failed") }

func (r *replica) begin(ctx context.Context) (sqlcore.Run, bool, error) {
	if !r.now().Used {
		return nil, false, nil
	}
	tx, err := beginRead(ctx, r.db, r.setUp)
	if err != nil {
		if ctx.Err() == nil {
			r.fail(err)
		}
		return nil, false, err
	}
	return tx, true, nil
}
