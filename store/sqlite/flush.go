package sqlite

import (
	"errors"
	"os"
	"sync"

	"github.com/spillway/spillway/kit/errs"
)

// flusher makes commits durable. A commit writes to the log and frees the writer; only then does it wait for the disk, together with all
// others made meanwhile, while the next transaction is already at work. Nobody is told of a commit, and no reader is answered out of it,
// before it is on the disk.
type flusher struct {
	sync func() error // brings all that was written to the log onto the disk

	mu      sync.Mutex
	ended   sync.Cond     // a commit has ended
	begun   uint64        // commits so far, with the one under way, which readers may see already
	written uint64        // without it
	flushed uint64        // of them on the disk
	forming *round        // of those who will share the next flush
	failed  error         // for good: see flush
	one     chan struct{} // holds a token while a flush is under way
}

// round is one flush and those who wait for it.
type round struct {
	led  bool
	done chan struct{}
	err  error
}

func newFlusher(sync func() error) *flusher {
	f := &flusher{sync: sync, forming: &round{done: make(chan struct{})}, one: make(chan struct{}, 1)}
	f.ended.L = &f.mu
	return f
}

// commit runs a commit, which writes to the log.
func (f *flusher) commit(run func() error) error {
	f.mu.Lock()
	f.begun++
	f.mu.Unlock()
	err := run()
	f.mu.Lock()
	f.written++ // of one that failed there is nothing to flush
	f.mu.Unlock()
	f.ended.Broadcast()
	return err
}

// seen returns when all that a reader may have seen is on the disk.
func (f *flusher) seen() error {
	f.mu.Lock()
	for last := f.begun; f.written < last; {
		f.ended.Wait()
	}
	f.mu.Unlock()
	return f.wait()
}

// wait returns when all that was committed so far is on the disk.
func (f *flusher) wait() error {
	f.mu.Lock()
	if f.failed != nil || f.flushed == f.written {
		defer f.mu.Unlock()
		return f.failed
	}
	r := f.forming
	leads := !r.led
	r.led = true
	f.mu.Unlock()
	if leads {
		f.flush(r)
	}
	<-r.done
	return r.err
}

// flush leads a round: it waits for the flush under way, which may have begun too early for this round, and flushes. A disk that failed once
// may have forgotten what it did not write, and would call the next flush a success: after a failure nothing is believed any more.
func (f *flusher) flush(r *round) {
	f.one <- struct{}{}
	defer func() { <-f.one }()
	f.mu.Lock()
	upTo, flushed := f.written, f.flushed == f.written // the flush before may have taken this round's commits too
	f.forming = &round{done: make(chan struct{})}
	r.err = f.failed
	f.mu.Unlock()
	if r.err == nil && !flushed {
		r.err = f.sync()
	}
	f.mu.Lock()
	switch {
	case r.err == nil:
		f.flushed = upTo
	case f.failed == nil:
		r.err = &errs.Error{Kind: errs.Unavailable, Op: "sqlite.Flush", Safe: "the disk did not keep what was written; look after the disk, then start Spillway again", Cause: r.err}
		f.failed = r.err
	}
	f.mu.Unlock()
	close(r.done)
}

// stop flushes what is left, and runs close when no flush is under way.
func (f *flusher) stop(close func() error) error {
	err := f.wait()
	f.one <- struct{}{}
	defer func() { <-f.one }()
	return errors.Join(err, close())
}

// broken is why nothing may be written any more, if so.
func (f *flusher) broken() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// log is the write-ahead log beside a database file, opened once there is one. It has a descriptor of its own: SQLite keeps its locks on
// other files.
type log struct {
	path string
	file *os.File
}

func (l *log) sync() error {
	if l.file == nil {
		f, err := os.OpenFile(l.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		l.file = f
	}
	return l.file.Sync()
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
