package gather

import (
	"context"
	"errors"
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
	l := New("test", 64, 1000, 0, func(_ context.Context, qs []int) ([]int, error) {
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
	l := New("test", 64, 1000, 0, func(_ context.Context, qs []int) ([]int, error) {
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
	l := New("test", 1, 2, 0, func(_ context.Context, qs []int) ([]int, error) {
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
		l := New("test", 3, 100, 4*time.Millisecond, func(_ context.Context, qs []int) ([]time.Duration, error) {
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
	l := NewWeighed("test", 10, 1000, 0, func(q int) int { return q }, func(_ context.Context, qs []int) ([]int, error) {
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
