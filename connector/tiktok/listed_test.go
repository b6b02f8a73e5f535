package tiktok

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

// TestOnlyWhatTheCallerKnowsIsLeftUnread: the same bytes again are left out if the caller has taken in what they say, and only then.
func TestOnlyWhatTheCallerKnowsIsLeftUnread(t *testing.T) {
	body, err := os.ReadFile("testdata/order_page.json")
	if err != nil {
		t.Fatal(err)
	}
	var data envelope[wireOrders]
	if err := json.Unmarshal(body, &data); err != nil {
		t.Fatal(err)
	}
	c := channelAt(t, "https://api.example")
	taken := map[string]driver.Seen{}
	known := func(id string) (driver.Seen, bool) { seen, ok := taken[id]; return seen, ok }
	listed := func(step string, want int) driver.OrderPage {
		t.Helper()
		page := c.page(data.Data, &driver.Answer{}, known)
		if len(page.Orders) != want || len(page.Unreadable) != 0 {
			t.Errorf("%s: %d orders and %d unreadable, want %d and none", step, len(page.Orders), len(page.Unreadable), want)
		}
		return page
	}
	all := len(data.Data.Orders)
	first := listed("at first", all)
	listed("again, none taken in", all)
	for _, f := range first.Orders {
		taken[f.ExternalID], _ = driver.SeenOf(f)
	}
	if again := listed("again, all taken in", 0); !again.ChangedTo.Equal(first.ChangedTo) || again.ChangedTo.IsZero() {
		t.Errorf("with all left out the page comes to %v, want %v", again.ChangedTo, first.ChangedTo)
	}
	if got := c.page(data.Data, &driver.Answer{}, nil); len(got.Orders) != all {
		t.Errorf("asked for by a caller who knows nothing: %d orders, want %d", len(got.Orders), all)
	}
	data.Data.Orders[0] = bytes.Replace(data.Data.Orders[0], []byte(`"is_on_hold_order"`), []byte(`"was_on_hold_order"`), 1)
	data.Data.Orders[0] = bytes.Replace(data.Data.Orders[0], []byte(`"warehouse_id":`), []byte(`"warehouse_id" :`), 1)
	changed := listed("other bytes", 1)
	taken[changed.Orders[0].ExternalID] = driver.Seen{UpdatedAt: changed.Orders[0].UpdatedAt} // as an import may leave it
	listed("content not known", 1)
}
