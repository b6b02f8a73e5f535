package ops

import (
	"context"
	"sync"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of live notices.
const (
	maxSubscribers = 256
	// pendingTopics a subscriber may fall behind by before it is told only that everything may have changed.
	pendingTopics = 512
)

// everything is the notice a slow subscriber gets instead of the ones it missed: each page takes it as its own.
const everything = "*"

// broker fans change notices out to pages. A notice carries no content, so a repeat that a slow page has not taken yet is
// dropped and nothing is lost; the sender never waits.
type broker struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	closed bool
	also   func(topics []string) // tells the pages of other processes; nil: there are none
}

type subscriber struct {
	mu      sync.Mutex
	pending map[string]struct{}
	order   []string
	wake    chan struct{}
}

func newBroker() *broker { return &broker{subs: map[*subscriber]struct{}{}} }

// notify tells all pages, those that other processes show too.
func (b *broker) notify(topics ...string) {
	b.tell(topics)
	if b.also != nil {
		b.also(topics)
	}
}

// tell tells the pages of this process.
func (b *broker) tell(topics []string) {
	if len(topics) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		s.add(topics)
	}
}

func (s *subscriber) add(topics []string) {
	s.mu.Lock()
	for _, t := range topics {
		if _, known := s.pending[t]; known {
			continue
		}
		if len(s.order) >= pendingTopics {
			s.pending, s.order, t = map[string]struct{}{}, nil, everything
		}
		s.pending[t] = struct{}{}
		s.order = append(s.order, t)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.order
	s.order, s.pending = nil, map[string]struct{}{}
	return out
}

func (b *broker) subscribe(ctx context.Context) (<-chan string, error) {
	s := &subscriber{pending: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	b.mu.Lock()
	if b.closed || len(b.subs) >= maxSubscribers {
		b.mu.Unlock()
		return nil, errs.New(errs.Busy, "ops.Live", "", "too many pages are open; close some or reload in a moment")
	}
	b.subs[s] = struct{}{}
	b.mu.Unlock()
	out := make(chan string)
	go func() {
		defer close(out)
		defer b.drop(s)
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			for _, t := range s.take() {
				select {
				case out <- t:
				case <-ctx.Done():
					return
				}
			}
			if b.isClosed() {
				return
			}
		}
	}()
	return out, nil
}

func (b *broker) drop(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, s)
}

func (b *broker) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *broker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for s := range b.subs {
		s.add([]string{everything})
	}
}
