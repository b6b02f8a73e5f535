package web_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

// message reads one server-sent event: its name and its data.
func message(t *testing.T, r *bufio.Scanner) (string, string) {
	t.Helper()
	var name string
	var data []string
	for r.Scan() {
		l := r.Text()
		if l == "" {
			return name, strings.Join(data, "\n")
		}
		if v, ok := strings.CutPrefix(l, "event: "); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(l, "data: "); ok {
			data = append(data, v)
		}
	}
	t.Fatalf("the stream ended: %v", r.Err())
	return "", ""
}

// nextParts skips beats.
func nextParts(t *testing.T, r *bufio.Scanner) string {
	for {
		if name, data := message(t, r); name == "" {
			return data
		}
	}
}

func TestASaleReachesThePage(t *testing.T) {
	book := storybook.New(screenTime)
	v := serve(t, book, web.Options{DemoUser: demoUser})
	v.get("/items/MUG-01")
	r, err := http.NewRequestWithContext(t.Context(), "GET", v.url+"/items/MUG-01?live=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: v.http.Jar}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the stream is %q", got)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	first := nextParts(t, lines)
	for _, id := range []string{"i-state", "i-balances", "i-listings", "i-journal", "f-live", "f-problems", "f-health"} {
		if !strings.Contains(first, `<hx-partial id="`+id+`"`) {
			t.Errorf("the first message lacks %s", id)
		}
	}
	if err := book.Sell("MUG-01", "clip-north", 2); err != nil {
		t.Fatal(err)
	}
	next := nextParts(t, lines)
	if !strings.Contains(next, `data-v="400"`) || !strings.Contains(next, `data-v="611"`) {
		t.Errorf("after a sale of 2 the page was not sent 400 told and 611 available: %.400s", next)
	}
	if strings.Contains(next, "f-live") {
		t.Error("a part that did not change was sent again")
	}
}
