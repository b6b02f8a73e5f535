package shopify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

func TestRegionIsNeverFiner(t *testing.T) {
	for _, c := range []struct{ country, state, want string }{
		{"US", "CA", "US-CA"}, {"GB", "ENG", "GB-ENG"}, {"SG", "", "SG"}, {"US", "California", "US"}, {"US", "ca", "US"}, {"", "CA", ""},
		{"USA", "CA", ""}, {"U1", "CA", ""}, {"JP", "13", "JP-13"},
	} {
		if got := region(c.country, c.state); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.country, c.state, got, c.want)
		}
	}
}

// A fulfilment of two numbers is two parcels; one without a number is a parcel all the same.
func TestParcelsOfFulfilments(t *testing.T) {
	v := view{parcels: []parcel{{ref: "20", carrier: "UPS", numbers: []string{"1Z1", "1Z2"}}, {ref: "10"}, {ref: ""}, {ref: "10", carrier: "again"}}}
	want := []order.Parcel{{Ref: "10"}, {Ref: "20", Carrier: "UPS", Tracking: "1Z1"}, {Ref: "20.2", Carrier: "UPS", Tracking: "1Z2"}}
	if diff := cmp.Diff(want, v.ways()); diff != "" {
		t.Error(diff)
	}
}

// An app without leave for addresses still reads orders.
func TestRefusedAddressIsNoFailure(t *testing.T) {
	for _, c := range []struct {
		body string
		ok   bool
	}{
		{`{"data":{"orders":{}},"errors":[{"message":"no","path":["orders","edges",0,"node","shippingAddress"],"extensions":{"code":"ACCESS_DENIED"}}]}`, true},
		{`{"data":null,"errors":[{"message":"no","path":["orders","shippingAddress"],"extensions":{"code":"ACCESS_DENIED"}}]}`, false},
		{`{"data":{"orders":{}},"errors":[{"message":"no","path":["orders"],"extensions":{"code":"ACCESS_DENIED"}}]}`, false},
		{`{"data":{"orders":{}},"errors":[{"message":"no","path":["shippingAddress"],"extensions":{"code":"ACCESS_DENIED"}},{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`, false},
	} {
		a := &driver.Answer{Status: http.StatusOK, Header: http.Header{}, Body: []byte(c.body)}
		if fail := judge(a, &reply{}, false); (fail == nil) != c.ok {
			t.Errorf("%s: %v", strings.TrimSpace(c.body), fail)
		}
	}
}
