package stream

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// wakeGather is how long notices are gathered: no eye sees it, and a burst of commits becomes one message.
	wakeGather = 20 * time.Millisecond
	// wakeTopics are the most in one message; beyond it the message says that everything may have changed.
	wakeTopics = 512
)

// Everything is the topic that stands for all: notices were lost or were too many, so each page looks again.
const Everything = "*"

// Wakes carries notices that something changed from process to process, without content, so that losing one costs a moment and no data. A
// process does not hear its own.
type Wakes struct {
	nc  *nats.Conn
	log *slog.Logger

	mu      sync.Mutex
	pending map[string]struct{}
	hear    []func(topics []string)

	kick chan struct{}
	end  context.CancelFunc
	over chan struct{}
}

func newWakes(nc *nats.Conn, log *slog.Logger) *Wakes {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Wakes{nc: nc, log: log, pending: map[string]struct{}{}, kick: make(chan struct{}, 1), end: cancel, over: make(chan struct{})}
	if _, err := nc.Subscribe(wakeSubject, func(m *nats.Msg) { w.tell(strings.Split(string(m.Data), "\n")) }); err != nil {
		log.Error("other processes' changes will not be heard", "err", err)
	}
	go w.send(ctx)
	return w
}

// Publish tells the other processes that the topics changed. It never waits; while NATS is away, nothing is sent.
func (w *Wakes) Publish(topics ...string) {
	w.mu.Lock()
	for _, t := range topics {
		if len(w.pending) >= wakeTopics {
			clear(w.pending)
			t = Everything
		}
		if t != "" && !strings.Contains(t, "\n") {
			w.pending[t] = struct{}{}
		}
	}
	w.mu.Unlock()
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// Subscribe calls f with the topics that changed in another process, Everything when notices may have been lost. f must not block.
func (w *Wakes) Subscribe(f func(topics []string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hear = append(w.hear, f)
}

func (w *Wakes) tell(topics []string) {
	w.mu.Lock()
	hear := w.hear[:len(w.hear):len(w.hear)]
	w.mu.Unlock()
	for _, f := range hear {
		f(topics)
	}
}

// missed is called when the connection is back.
func (w *Wakes) missed() { w.tell([]string{Everything}) }

func (w *Wakes) send(ctx context.Context) {
	defer close(w.over)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.kick:
		}
		rest(ctx, wakeGather, nil)
		w.mu.Lock()
		topics := make([]string, 0, len(w.pending))
		for t := range w.pending {
			topics = append(topics, t)
		}
		clear(w.pending)
		w.mu.Unlock()
		if len(topics) == 0 {
			continue
		}
		if err := w.nc.Publish(wakeSubject, []byte(strings.Join(topics, "\n"))); err != nil {
			w.log.Debug("a notice was not sent; others look again when NATS is back", "err", err)
		}
	}
}

func (w *Wakes) close() {
	w.end()
	<-w.over
}
