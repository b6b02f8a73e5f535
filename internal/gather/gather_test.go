package gather

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

func TestCallersShareBatchesAndKeepTheirOwnAnswers(t *testing.T) {
	var runs atomic.Int64
	gate := make(chan struct{})
	l := New("test", 64, 1000, 0, func(_ context.Context, qs []int, _ func()) ([]int, error) {
		if runs.Add(1) == 1 {
			<-gate // hold the first batch so that the others gather behind it
		}
		out := make([]int, len(qs))
		for i, q := range qs {
			out[i] = q * 2
		}
		return out, nil
	})
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if got, err := l.Do(t.Context(), i); err != nil || got != 2*i {
				t.Errorf("Do(%d) = %d, %v", i, got, err)
			}
		})
	}
	for l.Waiting() < 400 {
		// the callers are goroutines of ours and arrive without any timer
	}
	close(gate)
	wg.Wait()
	l.Close()
	if n := runs.Load(); n > 100 {
		t.Errorf("%d batches for 500 requests: they were not gathered", n)
	}
}

func TestOnePoisonRequestFailsAlone(t *testing.T) {
	bad := errors.New("poison")
	l := New("test", 64, 1000, 0, func(_ context.Context, qs []int, _ func()) ([]int, error) {
		for _, q := range qs {
			if q == 13 {
				return nil, bad
			}
		}
		return qs, nil
	})
	defer l.Close()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			got, err := l.Do(t.Context(), i)
			if i == 13 && !errors.Is(err, bad) {
				t.Errorf("the poison got %v", err)
			}
			if i != 13 && (err != nil || got != i) {
				t.Errorf("neighbour %d got %d, %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

func TestABoundedQueueSaysTryAgain(t *testing.T) {
	gate, entered := make(chan struct{}), make(chan struct{}, 4)
	l := New("test", 1, 2, 0, func(_ context.Context, qs []int, _ func()) ([]int, error) {
		entered <- struct{}{}
		<-gate
		return qs, nil
	})
	var wg sync.WaitGroup
	wg.Go(func() { l.Do(t.Context(), 0) })
	<-entered
	for range 2 {
		wg.Go(func() { l.Do(t.Context(), 1) })
	}
	for l.Waiting() < 2 {
	}
	if _, err := l.Do(t.Context(), 9); !errs.Is(err, errs.Busy) {
		t.Errorf("over the bound: %v", err)
	}
	close(gate)
	wg.Wait()
	l.Close()
	if _, err := l.Do(t.Context(), 1); !errs.Is(err, errs.Unavailable) {
		t.Errorf("after Close: %v", err)
	}
}

func TestBatchesKeepApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := New("test", 3, 100, 4*time.Millisecond, func(_ context.Context, qs []int, _ func()) ([]time.Duration, error) {
			at := make([]time.Duration, len(qs))
			for i := range at {
				at[i] = time.Since(began)
			}
			return at, nil
		})
		defer l.Close()
		do := func(want time.Duration) {
			if at, err := l.Do(t.Context(), 0); err != nil || at != want {
				t.Errorf("served after %v, %v; want %v", at, err, want)
			}
		}
		do(0)
		do(4 * time.Millisecond)
		time.Sleep(6 * time.Millisecond) // of the bubble's clock
		do(10 * time.Millisecond)        // alone: at once
	})
}

func TestABatchIsBoundedByWeight(t *testing.T) {
	var mu sync.Mutex
	var batches [][]int
	gate := make(chan struct{})
	l := NewWeighed("test", 10, 1000, 0, func(q int) int { return q }, func(_ context.Context, qs []int, _ func()) ([]int, error) {
		<-gate
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, qs)
		return qs, nil
	})
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			if _, err := l.Do(t.Context(), i%12+1); err != nil {
				t.Error(err)
			}
		})
	}
	for l.Waiting() < 50 {
		// the callers are goroutines of ours and arrive without any timer
	}
	close(gate)
	wg.Wait()
	l.Close()
	shared := 0
	for _, b := range batches {
		sum := 0
		for _, q := range b {
			sum += q
		}
		if sum > 10 && len(b) > 1 {
			t.Errorf("a batch weighs %d: %v", sum, b)
		}
		if len(b) > 1 {
			shared++
		}
	}
	if shared == 0 {
		t.Error("no two requests shared a batch")
	}
}

func TestOriginsTakeTurns(t *testing.T) {
	gate, entered := make(chan struct{}), make(chan struct{}, 4)
	var batches [][]string
	l := New("test", 4, 1000, 0, func(_ context.Context, qs []string, _ func()) ([]string, error) {
		entered <- struct{}{}
		<-gate
		batches = append(batches, slices.Clone(qs))
		return qs, nil
	}).Share(func(q string) string { return q[:1] })
	var wg sync.WaitGroup
	wg.Go(func() { l.Do(t.Context(), "x") })
	<-entered
	for _, call := range [][]string{{"a1", "a2", "a3", "a4", "a5"}, {"b1"}, {"c1", "c2"}} {
		before := l.Waiting()
		wg.Go(func() {
			if got, failed := l.DoAll(t.Context(), call); !slices.Equal(got, call) || errors.Join(failed...) != nil {
				t.Errorf("DoAll(%v) = %v, %v", call, got, failed)
			}
		})
		for l.Waiting() == before {
		}
	}
	close(gate)
	wg.Wait()
	l.Close()
	if want := [][]string{{"x"}, {"a1", "a2", "b1", "c1"}, {"a3", "a4", "a5", "c2"}}; !slices.EqualFunc(batches, want, slices.Equal) {
		t.Errorf("batches %v, want %v", batches, want)
	}
}

func TestAManifoldCallEntersWholeOrNotAtAll(t *testing.T) {
	l := New("test", 2, 3, 0, func(_ context.Context, qs []int, _ func()) ([]int, error) { return qs, nil })
	defer l.Close()
	_, failed := l.DoAll(t.Context(), []int{1, 2, 3, 4})
	for i, err := range failed {
		if !errs.Is(err, errs.Busy) {
			t.Errorf("request %d of a call beyond the bound: %v", i, err)
		}
	}
	if got, failed := l.DoAll(t.Context(), []int{1, 2, 3}); errors.Join(failed...) != nil || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v, %v", got, failed)
	}
}

func TestADatabaseThatIsGoneIsNotTriedForEveryRequest(t *testing.T) {
	var runs atomic.Int64
	l := New("test", 64, 64, 0, func(context.Context, []int, func()) ([]int, error) {
		runs.Add(1)
		return nil, errs.New(errs.Unavailable, "test", "", "gone")
	})
	defer l.Close()
	_, failed := l.DoAll(t.Context(), make([]int, 64))
	for _, err := range failed {
		if !errs.Is(err, errs.Unavailable) {
			t.Error(err)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("%d runs, want 2", runs.Load())
	}
}

// A database behind something that takes what it is sent and never answers is given up after a while, once for all that wait.
func TestADatabaseThatNeverAnswersIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		l := New("test", 64, 64, 0, func(ctx context.Context, _ []int, _ func()) ([]int, error) {
			runs++
			<-ctx.Done()
			return nil, ctx.Err()
		})
		began := time.Now()
		_, failed := l.DoAll(t.Context(), make([]int, 64))
		for _, err := range failed {
			if !errs.Is(err, errs.Unavailable) {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); runs != 1 || took != batchTime {
			t.Errorf("%d runs in %v", runs, took)
		}
		l.Close()
	})
}

func TestTheNextBatchIsCarriedOutWhileOthersWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := make(chan struct{})
		var working, begun atomic.Int64
		l := New("test", 1, 100, 0, func(_ context.Context, qs []int, next func()) ([]int, error) {
			if working.Add(1) != 1 {
				t.Error("two batches are carried out at once")
			}
			begun.Add(1)
			working.Add(-1)
			next()
			<-disk
			return qs, nil
		})
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if got, err := l.Do(t.Context(), i); err != nil || got != i {
					t.Errorf("Do(%d) = %d, %v", i, got, err)
				}
			})
		}
		synctest.Wait()
		if n := begun.Load(); n != maxAhead {
			t.Errorf("%d batches are under way, want %d", n, maxAhead)
		}
		close(disk)
		wg.Wait()
		l.Close()
		if n := begun.Load(); n != 10 {
			t.Errorf("%d batches of 10", n)
		}
	})
}

func TestCloseWaitsForBatchesThatWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered atomic.Bool
		l := New("test", 8, 8, 0, func(_ context.Context, qs []int, next func()) ([]int, error) {
			next()
			time.Sleep(time.Second) // in the bubble's time
			return qs, nil
		})
		go func() {
			if _, err := l.Do(t.Context(), 1); err == nil {
				answered.Store(true)
			}
		}()
		synctest.Wait()
		l.Close()
		synctest.Wait()
		if !answered.Load() {
			t.Error("closed before the last request was answered")
		}
	})
}
