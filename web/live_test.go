package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// theatre is a room manager whose pages count how often they are drawn.
type theatre struct {
	*rooms
	notices chan string

	act    sync.Mutex // guards what follows, between painters and the test
	paints int
	markup string
	err    error
}

// set changes what the next drawing finds.
func (th *theatre) set(markup string, err error) {
	th.act.Lock()
	defer th.act.Unlock()
	th.markup, th.err = markup, err
}

func newTheatre() *theatre {
	th := &theatre{notices: make(chan string), markup: "a"}
	paint := func(context.Context, *http.Request, loader) (painting, error) {
		th.act.Lock()
		defer th.act.Unlock()
		th.paints++
		parts := map[string][]byte{"moving": []byte(th.markup), "still": []byte("same")}
		return painting{parts: parts, topics: []string{"item", "order:1"}}, th.err
	}
	live := func(context.Context) (<-chan string, error) { return th.notices, nil }
	th.rooms = newRooms(paint, live, Options{Log: slog.New(slog.DiscardHandler)})
	return th
}

func (th *theatre) sit(t *testing.T, path string) (*seat, func()) {
	t.Helper()
	st, leave, err := th.enter(httptest.NewRequest("GET", path, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return st, leave
}

// pass lets bubble time go by, and everything that was due in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// next waits for the seat to be woken and takes what it has to show.
func (th *theatre) next(st *seat) (map[string][]byte, bool) {
	<-st.wake
	return th.take(st)
}

func TestManyNoticesFewDrawings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		_, leave := th.sit(t, "/")
		for range 100 {
			th.notices <- "item:MUG"
			pass(10 * time.Millisecond)
		}
		if th.paints < 4 || th.paints > 6 {
			t.Errorf("100 notices in a second drew the page %d times, want 4 to 6 with the first", th.paints)
		}
		leave()
		th.close()
	})
}

func TestNoticesOfOtherThingsDrawNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		_, leave := th.sit(t, "/")
		for _, n := range []string{"order:2", "connection:x", "items", "order"} {
			th.notices <- n
			pass(drawEvery * 2)
		}
		if th.paints != 1 {
			t.Errorf("the page was drawn %d times, want once", th.paints)
		}
		th.notices <- "order:1"
		pass(drawEvery * 2)
		if th.paints != 2 {
			t.Errorf("after its own order's notice the page was drawn %d times, want twice", th.paints)
		}
		leave()
		th.close()
	})
}

func TestSlowBrowserGetsTheNewestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		st, leave := th.sit(t, "/")
		if parts, _ := th.next(st); len(parts) != 2 {
			t.Errorf("the first message has %d parts, want all 2", len(parts))
		}
		for i := range 3 {
			th.set(fmt.Sprint("b", i), nil)
			th.notices <- "item:MUG"
			pass(drawEvery * 2)
		}
		parts, _ := th.next(st)
		if len(parts) != 1 || string(parts["moving"]) != "b2" {
			t.Errorf("after three changes a browser that did not read gets %q, want the newest of the changed part alone", parts)
		}
		leave()
		th.close()
	})
}

func TestOneDrawingForAllBrowsersOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		_, leave1 := th.sit(t, "/")
		late, leave2 := th.sit(t, "/")
		if parts, _ := th.next(late); len(parts) != 2 || th.paints != 1 {
			t.Errorf("the second browser got %d parts after %d drawings, want 2 after 1", len(parts), th.paints)
		}
		_, leave3 := th.sit(t, "/items")
		if th.paints != 2 || len(th.open) != 2 {
			t.Errorf("%d drawings in %d rooms, want 2 in 2", th.paints, len(th.open))
		}
		leave1()
		leave2()
		leave3()
		synctest.Wait() // the painters end, or this test never would
		if len(th.open) != 0 || th.streams != 0 {
			t.Errorf("%d rooms and %d streams are left", len(th.open), th.streams)
		}
		th.close()
	})
}

func TestFailingPageSaysSoAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		th.set("a", errors.New("database gone"))
		st, leave := th.sit(t, "/")
		if parts, failing := th.next(st); !failing || len(parts) > 0 {
			t.Errorf("while the page cannot be drawn: %q, failing %v", parts, failing)
		}
		th.set("a", nil)
		pass(redrawEvery + time.Millisecond)
		if parts, failing := th.next(st); failing || len(parts) != 2 {
			t.Errorf("after it can: %q, failing %v", parts, failing)
		}
		leave()
		th.close()
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre()
		var last func()
		for range maxStreams {
			_, last = th.sit(t, "/")
		}
		if _, _, err := th.enter(httptest.NewRequest("GET", "/", nil), nil); !errs.Is(err, errs.Busy) {
			t.Errorf("stream %d: %v, want busy", maxStreams+1, err)
		}
		last()
		th.sit(t, "/")
		th.close()
		if _, _, err := th.enter(httptest.NewRequest("GET", "/", nil), nil); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a stream after closing: %v, want unavailable", err)
		}
	})
}

func TestMessagesCarryAnyMarkup(t *testing.T) {
	w := httptest.NewRecorder()
	err := send(struct {
		http.ResponseWriter
		http.Flusher
		deadliner
	}{w, w, deadliner{}}, map[string][]byte{"b": []byte("x\r\ny\n\nz"), "a": []byte("data: event: evil")}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := "data: <hx-partial id=\"a\" hx-swap=\"innerMorph\">\ndata: data: event: evil\ndata: </hx-partial>\n" +
		"data: <hx-partial id=\"b\" hx-swap=\"innerMorph\">\ndata: x\ndata: y\ndata: \ndata: z\ndata: </hx-partial>\n\nevent: beat\ndata: failing\n\n"
	if got := w.Body.String(); got != want {
		t.Errorf("the message is\n%s\nwant\n%s", got, want)
	}
	sc := bufio.NewScanner(strings.NewReader(w.Body.String()))
	for sc.Scan() {
		if l := sc.Text(); l != "" && !strings.HasPrefix(l, "data: ") && l != "event: beat" {
			t.Errorf("a line of markup became a field: %q", l)
		}
	}
}

type deadliner struct{}

func (deadliner) SetWriteDeadline(time.Time) error { return nil }
