package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/store"
)

// get calls with a token and returns status and body.
func (h *house) custodyGet(t *testing.T, path string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+base+"/custody/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := make([]byte, 1<<20)
	n := 0
	for {
		m, err := res.Body.Read(body[n:])
		n += m
		if err != nil || m == 0 {
			return res.StatusCode, body[:n]
		}
	}
}

func TestCustodyOverTheAPI(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"checkpoint", "proof?parcel=P-1", "tile/8/0/0"} {
		if status, body := h.custodyGet(t, path); status != http.StatusNotFound {
			t.Errorf("%s of an empty log: %d %s", path, status, body)
		}
	}
	e := custody.Event{ID: "1", At: time.Now(), What: custody.Packed, Role: custody.Packer, ParcelID: "P-1", OrderID: "shop:1"}
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error { return tx.CustodyAppend([]custody.Event{e}) }); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ops.SequenceCustody(t.Context()); err != nil {
		t.Fatal(err)
	}
	var head custodyHead
	status, body := h.custodyGet(t, "checkpoint")
	if err := json.Unmarshal(body, &head); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if tree, err := custody.OpenCheckpoint(head.Checkpoint, head.Key); err != nil || tree.N != 1 {
		t.Errorf("%v, %v", tree, err)
	}
	for _, path := range []string{"proof?parcel=P-1", "proof?order=shop:1", "proof?parcel=P-1&since=1", "proof"} {
		status, body = h.custodyGet(t, path)
		p, err := custody.ParseProof(body)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, status, err, body)
		}
		if got, err := p.Check(head.Key); err != nil || len(got.Events) != 1 && path != "proof" {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	if status, body := h.custodyGet(t, "proof?parcel=P-1&since=2"); status != http.StatusConflict {
		t.Errorf("since the future: %d %s", status, body)
	}
	var entries custodyEntries
	if _, body := h.custodyGet(t, "entries?from=0"); json.Unmarshal(body, &entries) != nil || len(entries.Entries) != 1 || !strings.Contains(entries.Entries[0], "P-1") {
		t.Errorf("%s", body)
	}
	leaf := custody.HashLeaf([]byte(entries.Entries[0]))
	if status, body := h.custodyGet(t, "tile/8/0/0"); status != http.StatusOK || string(body) != string(leaf[:]) {
		t.Errorf("%d %q", status, body)
	}
	h.token = "spw_none"
	if status, _ := h.custodyGet(t, "checkpoint"); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
}
