package tiktok

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// reference is the field reference of the shared facts, beside the repository.
const reference = "../../../shared/facts/tiktok-shop-endpoints.json"

type field struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Enum   []string `json:"enum"`
	Fields []field  `json:"fields"`
}

type documented struct {
	Method     string  `json:"method"`
	Path       string  `json:"path"`
	ShopCipher bool    `json:"shop_cipher"`
	Query      []field `json:"query"`
	Body       []field `json:"body"`
	Data       []field `json:"data"`
}

func loadReference(t *testing.T) []documented {
	t.Helper()
	b, err := os.ReadFile(reference)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: the field reference is not beside the repository (%s); field names are not checked", reference)
	}
	var ref struct{ Endpoints []documented }
	if err == nil {
		err = json.Unmarshal(b, &ref)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref.Endpoints
}

// TestFieldsAreDocumented compares every field that is read from an answer or written into a body with the reference of
// that endpoint: name, place and type.
func TestFieldsAreDocumented(t *testing.T) {
	ref := loadReference(t)
	for _, c := range []struct {
		endpoint
		data, body any
		query      []string
		noCipher   bool
	}{
		{endpoint: getShops, data: wireShops{}, noCipher: true},
		{endpoint: searchOrders, data: struct {
			NextPageToken string      `json:"next_page_token"`
			Orders        []wireOrder `json:"orders"`
		}{}, body: wireOrderSearch{}, query: []string{"page_size", "page_token", "sort_field", "sort_order"}},
		{endpoint: getOrders, data: struct {
			Orders []wireOrder `json:"orders"`
		}{}, query: []string{"ids"}},
		{endpoint: getWarehouses, data: wireWarehouses{}},
		{endpoint: searchProducts, data: wireProducts{}, body: wireProductSearch{}, query: []string{"page_size", "page_token"}},
		{endpoint: searchInventory, data: wireInventory{}, body: wireInventorySearch{}},
		{endpoint: updateInventory, data: wireUpdateAnswer{}, body: wireUpdate{}},
		{endpoint: searchCancels, data: wireCancellations{}, body: wireCaseSearch{}, query: []string{"page_size", "page_token", "sort_field", "sort_order"}},
		{endpoint: searchReturns, data: wireReturns{}, body: wireCaseSearch{}, query: []string{"page_size", "page_token", "sort_field", "sort_order"}},
		{endpoint: getWebhooks, data: wireWebhooks{}},
		{endpoint: putWebhook, body: wireWebhook{}},
		{endpoint: getOrders, data: wireShippings{}},
		{endpoint: getOrders, data: wireAddresses{}},
		{endpoint: queryServices, data: wireServices{}, body: wireServiceQuery{}},
		{endpoint: createPackage, data: wireCreated{}, body: wireCreate{}},
		{endpoint: handoverSlots, data: wireSlots{}},
		{endpoint: shipPackage, body: wireShip{}},
		{endpoint: getPackage, data: wirePackage{}},
		{endpoint: getDocument, data: wireDocument{}, query: []string{"document_type", "document_size", "document_format"}},
		{endpoint: markShipped, data: wireMarked{}, body: wireMark{}},
		{endpoint: correctTracking, body: wireShipNumber{}},
		{endpoint: getProviders, data: wireProviders{}},
		{endpoint: splitAttributes, data: wireSplittable{}, query: []string{"order_ids"}},
		{endpoint: splitOrder, data: wireSplitDone{}, body: wireSplit{}},
		{endpoint: searchCombined, data: wireCombinables{}, query: []string{"page_size", "page_token"}},
		{endpoint: combinePackages, data: wireCombineDone{}, body: wireCombine{}},
		{endpoint: uncombine, data: wireUncombined{}, body: wireUncombine{}},
		{endpoint: firstMile, data: wireBundle{}, body: wireBundling{}},
	} {
		i := slices.IndexFunc(ref, func(d documented) bool { return d.Method == c.method && d.Path == c.path })
		if i < 0 {
			t.Errorf("%s %s is not documented", c.method, c.path)
			continue
		}
		name := c.method + " " + c.path
		if ref[i].ShopCipher == c.noCipher {
			t.Errorf("%s: the cipher is documented as %v", name, ref[i].ShopCipher)
		}
		if c.data != nil {
			compare(t, name+" data", reflect.TypeOf(c.data), ref[i].Data)
		}
		if c.body != nil {
			compare(t, name+" body", reflect.TypeOf(c.body), ref[i].Body)
		}
		for _, q := range c.query {
			if !slices.ContainsFunc(ref[i].Query, func(f field) bool { return f.Name == q }) {
				t.Errorf("%s: the query parameter %s is not documented", name, q)
			}
		}
	}
}

func compare(t *testing.T, where string, typ reflect.Type, fields []field) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			compare(t, where, f.Type, fields)
			continue
		}
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		i := slices.IndexFunc(fields, func(d field) bool { return d.Name == name })
		if i < 0 {
			t.Errorf("%s: %q (%s) is not documented", where, name, f.Name)
			continue
		}
		inner, kind := f.Type, ""
		if inner.Kind() == reflect.Slice {
			inner, kind = inner.Elem(), "[]"
		}
		switch inner.Kind() {
		case reflect.String:
			kind = "s" + kind
		case reflect.Int64:
			kind = "i" + kind
		case reflect.Bool:
			kind = "b" + kind
		case reflect.Pointer: // an object that may be left out
			inner = inner.Elem()
			kind = "o" + kind
			compare(t, where+"."+name, inner, fields[i].Fields)
		case reflect.Struct:
			kind = "o" + kind
			compare(t, where+"."+name, inner, fields[i].Fields)
		}
		if kind != fields[i].Type {
			t.Errorf("%s: %q is read as %s, documented as %s", where, name, kind, fields[i].Type)
		}
	}
}

// TestWordsAreDocumented compares the words the package knows with the documented lists, so that none is missing.
func TestWordsAreDocumented(t *testing.T) {
	ref := loadReference(t)
	lists := map[string][]string{}
	for _, d := range ref {
		if d.Path == searchOrders.path {
			for _, f := range d.Data {
				if f.Name == "orders" {
					for _, o := range f.Fields {
						lists[o.Name] = o.Enum
					}
				}
			}
		}
		if d.Method == putWebhook.method && d.Path == putWebhook.path {
			for _, f := range d.Body {
				lists[f.Name] = f.Enum
			}
		}
	}
	if len(lists["status"]) == 0 || len(lists["event_type"]) == 0 {
		t.Fatal("the reference lists no order statuses or no events")
	}
	for _, word := range lists["status"] {
		if statuses[word] == "" {
			t.Errorf("order status %s has no meaning here", word)
		}
	}
	for _, topic := range subscribable {
		if !slices.Contains(lists["event_type"], topic) {
			t.Errorf("%s is no documented event", topic)
		}
	}
	for _, topic := range topics {
		if decoders[topic] == nil {
			t.Errorf("topic %s is not decoded", topic)
		}
	}
}
