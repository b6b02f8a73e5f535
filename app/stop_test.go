package app_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/store"
)

// An open live page is a request that never ends by itself: stopping must end it instead of waiting for the browser to leave.
func TestStoppingEndsLivePages(t *testing.T) {
	const user = "ada@example.com"
	a, err := app.New(t.Context(), app.Options{Home: t.TempDir(), Listen: "127.0.0.1:0", OpsListen: "off", DemoUser: user})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Store().Update(t.Context(), func(tx *store.Tx) error { return tx.UserPut(store.User{ID: "u", Email: user}) }); err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	var pages []*http.Response
	for _, path := range []string{"/", "/items", "/?live=1", "/items?live=1"} {
		r, err := browser.Get(a.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d", path, r.StatusCode)
		}
		if strings.HasSuffix(path, "live=1") {
			if line, err := bufio.NewReader(r.Body).ReadString('\n'); err != nil || line == "" {
				t.Fatalf("the page does not live: %q %v", line, err)
			}
			pages = append(pages, r)
		}
	}
	began := time.Now()
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v with two live pages open", took)
	}
	for _, r := range pages {
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Errorf("the stream was cut off and not ended: %v", err)
		}
	}
}
