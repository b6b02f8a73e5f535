package app_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/dummy"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/stream"
	"github.com/spillway/spillway/stream/streamtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// Over HTTP, as a vendor sees it: PostgreSQL stops, webhooks are still answered 200, and after it is back each is in the inbox.
func TestWebhooksAreTakenWhilePostgresIsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("stops PostgreSQL; not in -short")
	}
	pg, nats := pgtest.Own(t), streamtest.Alone(t)
	a, err := app.New(t.Context(), app.Options{Home: t.TempDir(), Database: pg.URL(), Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Loopback: true,
		Vendors: []driver.Vendor{dummy.Vendor{}}, NATS: stream.Options{URL: nats, EventsBytes: 1 << 20, ShelterBytes: 16 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	made, err := a.Ops().AddApp(t.Context(), ops.NewApp{Vendor: "dummy", Key: "k", Secret: "s", Settings: map[string]string{"base_url": "http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var acked []string
	send := func() int {
		t.Helper()
		n++
		body := fmt.Appendf(nil, `{"id":"m%d","topic":"shop.renamed","shop":"s1","at":"2026-11-22T05:00:00Z"}`, n)
		mac := hmac.New(sha256.New, []byte("s"))
		mac.Write(body)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+"/hooks/dummy/"+made.ID, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Dummy-Signature", hex.EncodeToString(mac.Sum(nil)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			acked = append(acked, fmt.Sprintf("dummy/%s/m%d", made.ID, n))
		}
		return resp.StatusCode
	}
	if got := send(); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/readyz/hooks": http.StatusNoContent} {
		resp, err := http.Get(a.OpsURL() + path) // who balances requests sends webhooks here all the same
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("PostgreSQL is away and %s answers %d", path, resp.StatusCode)
		}
	}
	for range 10 {
		if got := send(); got != http.StatusOK {
			t.Errorf("PostgreSQL is away and a webhook is answered %d", got)
		}
	}
	if err := pg.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := send(); got != http.StatusOK {
		t.Errorf("after: %d", got)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		missing := map[string]bool{}
		for _, id := range acked {
			missing[id] = true
		}
		err := a.Store().ViewInbox(t.Context(), func(tx *store.InboxTx) error {
			return tx.InboxIDs(func(_, id string) bool { delete(missing, id); return true })
		})
		if err == nil && len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("acknowledged and not in the inbox: %v (%v)", missing, err)
		}
	}
}
