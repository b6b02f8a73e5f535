package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/web"
)

// rfc6962Root is the root that RFC 6962, section 2.1.1, makes of leaves: written down from the text, with the hash function alone.
func rfc6962Root(leaves [][]byte) [sha256.Size]byte {
	if len(leaves) == 1 {
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1 << (bits.Len(uint(len(leaves)-1)) - 1) // the largest power of two below their number
	left, right := rfc6962Root(leaves[:k]), rfc6962Root(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// TestAProofOfTheOrderPageVerifiesWithoutUs: the file that the order page hands out is judged good by `spillway verify`, which is given no home and no
// network, and the root it is signed with is the one that the standard's own recursion makes of the log's leaves. Of a parcel of another order,
// and of one nothing is signed of, there is none.
func TestAProofOfTheOrderPageVerifiesWithoutUs(t *testing.T) {
	dir := t.TempDir()
	e, h := &env{ctx: t.Context(), log: slog.New(slog.DiscardHandler)}, home{Home: filepath.Join(dir, "home")}
	custodyGrow(t, e, h, 0, 23)
	a, err := offline(e, h, false)
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() { a.Ops().Stop(); a.Stop(t.Context()) })
	t.Cleanup(stop)
	parcel := func(id, orderID string) store.Shipment {
		return store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: "shop", Orders: []string{orderID}, Node: "main", Way: shipping.ByHand,
			Lines: []shipping.Line{{OrderID: orderID, ItemID: "mug", Qty: 1}}}}
	}
	if err := a.Store().Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{parcel("P-7", "shop:1"), parcel("P-8", "shop:2"), parcel("P-99", "shop:1")})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.Ops().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	desk, err := ops.NewDesk(a.Ops(), ops.DeskOptions{Shop: "Test", Zones: []view.Zone{{Label: "Warehouse", Location: "UTC"}}})
	if err != nil {
		t.Fatal(err)
	}
	site := web.New(desk, web.Options{DemoUser: "mia@example.com"})
	srv := httptest.NewServer(site)
	get := func(path string) (int, []byte) {
		t.Helper()
		res, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, body
	}
	for _, none := range []string{"/orders/shop:1/parcels/P-8/custody.json", "/orders/shop:1/parcels/P-99/custody.json", "/orders/shop:1/parcels/P-1/custody.json"} {
		if status, body := get(none); status != http.StatusNotFound {
			t.Errorf("%s: %d %.200s", none, status, body)
		}
	}
	status, file := get("/orders/shop:1/parcels/P-7/custody.json")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, file)
	}
	leaves, err := a.Ops().CustodyEntries(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := a.Ops().CustodyHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
	site.Close()
	stop()
	if err := os.RemoveAll(h.Home); err != nil { // from here on there is the file and the key alone
		t.Fatal(err)
	}

	at := filepath.Join(dir, "custody.json")
	verdict := func(file []byte) (string, error) {
		if err := os.WriteFile(at, file, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := (&verifyCmd{File: at, Key: key}).verify(&out)
		return out.String(), err
	}
	if out, err := verdict(file); err != nil || !strings.Contains(out, "P-7") || !strings.Contains(out, "signed at a size of 23") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := verdict(bytes.Replace(file, []byte("packed"), []byte("picked"), 1)); exitOf((&verifyCmd{File: at, Key: key}).Run()) != exitForged {
		t.Errorf("a changed file: %v", err)
	}

	var proof struct{ Checkpoint string }
	if err := json.Unmarshal(file, &proof); err != nil {
		t.Fatal(err)
	}
	raw := make([][]byte, len(leaves))
	for i, l := range leaves {
		raw[i] = []byte(l)
	}
	root := rfc6962Root(raw)
	if head := strings.Split(proof.Checkpoint, "\n"); head[1] != "23" || head[2] != base64.StdEncoding.EncodeToString(root[:]) {
		t.Errorf("the checkpoint is of %s with the root %s, the standard makes %x", head[1], head[2], root)
	}
}
