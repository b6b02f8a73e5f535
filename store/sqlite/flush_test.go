package sqlite

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

// slowDisk takes its time for each flush and counts them. It remembers how many commits had been made when each flush began.
type slowDisk struct {
	*flusher
	takes   time.Duration
	flushes atomic.Int64
	fails   atomic.Bool
}

func newSlowDisk(takes time.Duration) *slowDisk {
	d := &slowDisk{takes: takes}
	d.flusher = newFlusher(func() error {
		d.flushes.Add(1)
		time.Sleep(d.takes) // in the bubble's time
		if d.fails.Load() {
			return errors.New("input/output error")
		}
		return nil
	})
	return d
}

func (d *slowDisk) write() { _ = d.commit(func() error { return nil }) }

func TestCommitsOfOneFlushShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(10 * time.Millisecond)
		began := time.Now()
		var all sync.WaitGroup
		done := make([]time.Duration, 50)
		for i := range done {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Microsecond) // in the bubble's time: all commit while the first is being flushed
				d.write()
				if err := d.wait(); err != nil {
					t.Error(err)
				}
				done[i] = time.Since(began)
			})
		}
		all.Wait()
		if n := d.flushes.Load(); n != 2 {
			t.Errorf("%d flushes, want 2: the first commit's, and one for all the others", n)
		}
		for i, at := range done {
			// A flush that had begun before the commit does not count for it.
			if want := 20 * time.Millisecond; i > 0 && at != want || i == 0 && at != 10*time.Millisecond {
				t.Errorf("commit %d was called durable after %s", i, at)
			}
		}
	})
}

func TestNothingToFlushWaitsForNothing(t *testing.T) {
	d := newSlowDisk(0)
	d.write()
	for range 3 {
		if err := errors.Join(d.wait(), d.seen()); err != nil {
			t.Error(err)
		}
	}
	if n := d.flushes.Load(); n != 1 {
		t.Errorf("%d flushes of one commit", n)
	}
}

// A reader may see a commit whose maker has not come back from the database yet.
func TestAReaderWaitsForTheCommitItMayHaveSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(10 * time.Millisecond)
		began := time.Now()
		go d.commit(func() error { time.Sleep(5 * time.Millisecond); return nil }) // in the bubble's time
		synctest.Wait()
		if err := d.seen(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 15*time.Millisecond {
			t.Errorf("the reader was answered after %s, want 15ms: the commit and its flush", took)
		}
	})
}

// A disk that failed may have dropped what it did not write and report success the next time.
func TestAfterAFailedFlushNothingIsBelieved(t *testing.T) {
	d := newSlowDisk(0)
	d.fails.Store(true)
	d.write()
	if err := d.wait(); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a failed flush: %v", err)
	}
	d.fails.Store(false)
	d.write()
	for name, err := range map[string]error{"a later commit": d.wait(), "a reader": d.seen(), "the next writer": d.broken()} {
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s after a failed flush: %v", name, err)
		}
	}
}

// With the disk held back: the next transaction begins, sees the commit before it, and neither it nor a reader is answered.
func TestNobodyIsAnsweredBeforeTheDisk(t *testing.T) {
	disk := make(chan struct{})
	run, flushed := held(t, func(e *engine) { e.flusher.sync = func() error { <-disk; return nil } })

	first := make(chan error, 1)
	freed := make(chan struct{})
	w := run(false)
	exec(t, w, "INSERT INTO setting VALUES ('a', '1')")
	go func() { first <- w.Commit(t.Context(), func() { close(freed) }) }()
	<-freed

	second := make(chan error, 1)
	w = run(false)
	exec(t, w, "UPDATE setting SET value = '2' WHERE name = 'a' AND value = '1'") // it builds on what is not durable yet
	freed = make(chan struct{})
	go func() { second <- w.Commit(t.Context(), func() { close(freed) }) }()
	<-freed

	r := run(true)
	var got string
	rows, err := r.Query(t.Context(), "SELECT value FROM setting WHERE name = 'a'")
	if err != nil || !rows.Next() || rows.Scan(&got) != nil || got != "2" {
		t.Fatalf("a reader sees %q, %v", got, err)
	}
	rows.Close()
	reader := make(chan error, 1)
	go func() { reader <- r.Rollback() }()

	if flushed() {
		t.Fatal("the disk was held back, and something counts as flushed")
	}
	select {
	case <-first:
		t.Error("a commit was called durable before the disk had it")
	case <-second:
		t.Error("a commit was called durable before the disk had it")
	case <-reader:
		t.Error("a reader was answered with what the disk did not have")
	default:
	}
	close(disk)
	for _, c := range []chan error{first, second, reader} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
	if !flushed() {
		t.Error("not all is flushed")
	}
}

func TestAFailedDiskStopsAllWriting(t *testing.T) {
	run, _ := held(t, func(e *engine) { e.flusher.sync = func() error { return errors.New("input/output error") } })
	w := run(false)
	exec(t, w, "INSERT INTO setting VALUES ('a', '1')")
	if err := w.Commit(t.Context(), func() {}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("the commit: %v", err)
	}
	if err := w.Rollback(); err != nil {
		t.Errorf("a rollback after it: %v", err)
	}
}

// held opens a database whose engine is changed before the first transaction.
func held(t *testing.T, change func(*engine)) (begin func(readOnly bool) sqlcore.Run, flushed func() bool) {
	t.Helper()
	e := newEngine(filepath.Join(t.TempDir(), "held.db"), mainFile)
	if err := errors.Join(e.open(t.Context()), e.migrate(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.close() })
	change(e)
	return func(readOnly bool) sqlcore.Run {
			r, err := e.begin(t.Context(), readOnly)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, func() bool {
			e.flusher.mu.Lock()
			defer e.flusher.mu.Unlock()
			return e.flusher.flushed == e.flusher.written
		}
}

func exec(t *testing.T, r sqlcore.Run, text string) {
	t.Helper()
	res, err := r.Exec(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("%s changed %d rows, %v", text, n, err)
	}
}

// Closing waits for the flush under way, and what a round before took is not flushed again.
func TestStopWaitsForTheFlushUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(10 * time.Millisecond)
		d.write()
		go d.wait()
		synctest.Wait()
		go d.seen() // it joins the next round, for which nothing will be left
		synctest.Wait()
		began, under := time.Now(), true
		if err := d.stop(func() error { under = time.Since(began) < 10*time.Millisecond; return nil }); err != nil {
			t.Error(err)
		}
		if n := d.flushes.Load(); under || n != 1 {
			t.Errorf("closed with a flush under way: %t; %d flushes of one commit", under, n)
		}
	})
}
