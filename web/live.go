package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// Bounds of live streams.
const (
	maxStreams  = 128                    // browsers at once; each keeps a connection and one page's markup
	drawEvery   = 250 * time.Millisecond // at most: four changes a second is as fast as eyes follow
	redrawEvery = 5 * time.Second        // at least: slack and ages move without any notice
	beatEvery   = 5 * time.Second        // a beat tells the browser that silence means quiet, not a broken wire
	writeWithin = 10 * time.Second       // for one message; a browser that takes longer has gone
	drawWithin  = 5 * time.Second        // for the queries of one page
)

// painting is the markup of a page's parts by id, and the notices that make it stale.
type painting struct {
	parts  map[string][]byte
	topics []string
}

// rooms keeps one painter per address that somebody looks at. However many browsers show the overview, it is queried and
// drawn once for all of them.
type rooms struct {
	paint func(context.Context, *http.Request, loader) (painting, error)
	live  func(context.Context) (<-chan string, error)
	o     Options

	ctx  context.Context // ends every painter; a stored context because it is the rooms' life, not a call's
	stop context.CancelFunc

	mu      sync.Mutex
	open    map[string]*room
	streams int
}

// room is one address with its painter and the browsers that look at it.
type room struct {
	stop    context.CancelFunc
	seats   map[*seat]struct{}
	latest  map[string][]byte
	hashes  map[string][sha256.Size]byte
	failing bool
}

// seat is one browser. What it has not been sent yet waits in pending, the newest version of each part only.
type seat struct {
	wake    chan struct{} // capacity 1
	pending map[string][]byte
	failing bool
}

func newRooms(paint func(context.Context, *http.Request, loader) (painting, error), live func(context.Context) (<-chan string, error), o Options) *rooms {
	ctx, stop := context.WithCancel(context.Background())
	return &rooms{paint: paint, live: live, o: o, ctx: ctx, stop: stop, open: map[string]*room{}}
}

func (rs *rooms) close() { rs.stop() }

// enter takes a seat in the room of r's address, opening it when it is the first.
func (rs *rooms) enter(r *http.Request, load loader) (*seat, func(), error) {
	key := r.URL.RequestURI()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ctx.Err() != nil {
		return nil, nil, errs.New(errs.Unavailable, "web.live", "", "Spillway is stopping.")
	}
	if rs.streams >= maxStreams {
		return nil, nil, errs.New(errs.Busy, "web.live", "", "%d pages are open live already. This one does not move by itself.", maxStreams)
	}
	rm := rs.open[key]
	if rm == nil {
		ctx, stop := context.WithCancel(rs.ctx)
		rm = &room{stop: stop, seats: map[*seat]struct{}{}, hashes: map[string][sha256.Size]byte{}}
		rs.open[key] = rm
		go rs.run(ctx, rm, r.Clone(ctx), load)
	}
	st := &seat{wake: make(chan struct{}, 1), pending: maps.Clone(rm.latest), failing: rm.failing}
	if st.pending == nil {
		st.pending = map[string][]byte{}
	}
	st.nudge()
	rm.seats[st] = struct{}{}
	rs.streams++
	return st, func() { rs.leave(key, rm, st) }, nil
}

func (rs *rooms) leave(key string, rm *room, st *seat) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rm.seats, st)
	rs.streams--
	if len(rm.seats) == 0 {
		rm.stop()
		delete(rs.open, key)
	}
}

// run draws the page when a notice concerns it, not more often than drawEvery and not more seldom than redrawEvery.
func (rs *rooms) run(ctx context.Context, rm *room, r *http.Request, load loader) {
	notices, err := rs.live(ctx)
	if err != nil {
		rs.o.Log.ErrorContext(ctx, "live notices not available; pages are redrawn by time only", "error", err)
		notices = nil // blocks for ever, which leaves the ticker
	}
	topics := rs.draw(ctx, rm, r, load, nil)
	again := time.NewTicker(redrawEvery)
	defer again.Stop()
	var due <-chan time.Time // set while a redraw is wanted
	for {
		select {
		case <-ctx.Done():
			return
		case n, ok := <-notices:
			if !ok {
				notices = nil
			} else if due == nil && concerns(topics, n) {
				due = time.After(drawEvery)
			}
		case <-due:
			due = nil
			topics = rs.draw(ctx, rm, r, load, topics)
		case <-again.C:
			topics = rs.draw(ctx, rm, r, load, topics)
		}
	}
}

// draw makes the page anew and hands the changed parts to every seat. It returns the topics to listen to, the old ones when
// the page could not be made.
func (rs *rooms) draw(ctx context.Context, rm *room, r *http.Request, load loader, old []string) []string {
	ctx, cancel := context.WithTimeout(ctx, drawWithin)
	defer cancel()
	p, err := rs.paint(ctx, r, load)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if err != nil {
		if ctx.Err() != context.Canceled && !rm.failing {
			rs.o.Log.ErrorContext(ctx, "live page failed", "path", r.URL.Path, "error", err)
		}
		rm.failing = true
		for st := range rm.seats {
			st.failing = true
			st.nudge()
		}
		return old
	}
	rm.failing, rm.latest = false, p.parts
	for id, markup := range p.parts {
		sum := sha256.Sum256(markup)
		changed := rm.hashes[id] != sum
		rm.hashes[id] = sum
		for st := range rm.seats {
			st.failing = false
			if changed {
				st.pending[id] = markup
			}
			st.nudge()
		}
	}
	return p.topics
}

// nudge wakes the seat's writer; one that is awake already will look again by itself.
func (st *seat) nudge() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// take empties the seat's pending parts.
func (rs *rooms) take(st *seat) (map[string][]byte, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	p := st.pending
	st.pending = map[string][]byte{}
	return p, st.failing
}

// concerns reports whether notice n is one of topics: the same, or one thing of a topic that stands for all of its kind.
func concerns(topics []string, n string) bool {
	kind, _, _ := strings.Cut(n, ":")
	return slices.ContainsFunc(topics, func(t string) bool { return t == n || t == kind })
}

// frameTopics are the notices the frame itself depends on.
var frameTopics = []string{view.TopicProblems, view.TopicCalendar, view.TopicConnection}

// paint draws the parts of the page at r, frame included.
func (s *Site) paint(ctx context.Context, r *http.Request, load loader) (painting, error) {
	f, ctx := s.frame(ctx)
	p, err := load(ctx, r)
	if err != nil {
		return painting{}, err
	}
	out := painting{parts: map[string][]byte{}, topics: append(slices.Clone(p.Topics), frameTopics...)}
	for _, x := range append(slices.Clone(p.Parts), s.frameParts(f)...) {
		var b bytes.Buffer
		if err := x.c.Render(ctx, &b); err != nil {
			return painting{}, err
		}
		out.parts[x.id] = b.Bytes()
	}
	return out, nil
}

// stream answers a page's address with its parts as server-sent events, for as long as the browser stays.
func (s *Site) stream(w http.ResponseWriter, r *http.Request, load loader) error {
	st, leave, err := s.rooms.enter(r, load)
	if err != nil {
		return err
	}
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy must not collect events
	w.WriteHeader(http.StatusOK)
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.rooms.ctx.Done():
			return nil
		case <-beat.C:
		case <-st.wake:
		}
		parts, failing := s.rooms.take(st)
		if err := send(w, parts, failing); err != nil {
			return nil // the browser left, which is how streams end
		}
	}
}

// send writes one message with parts, and a beat that says whether what is shown is true. Each part goes to the element with its id.
func send(w http.ResponseWriter, parts map[string][]byte, failing bool) error {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	var b bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(parts)) {
		fmt.Fprintf(&b, "data: <hx-partial id=\"%s\" hx-swap=\"innerMorph\">\n", id)
		for line := range bytes.SplitSeq(parts[id], []byte("\n")) {
			fmt.Fprintf(&b, "data: %s\n", bytes.TrimSuffix(line, []byte("\r")))
		}
		b.WriteString("data: </hx-partial>\n")
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	state := "ok"
	if failing {
		state = "failing"
	}
	fmt.Fprintf(&b, "event: beat\ndata: %s\n\n", state)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return c.Flush()
}
