package shopify

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocsSayWhatIsDeclared keeps the page and the capability table together.
func TestDocsSayWhatIsDeclared(t *testing.T) {
	d := Vendor{}.Describe()
	raw, err := os.ReadFile("../../" + d.Docs)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, c := range d.Capabilities {
		if row := fmt.Sprintf("| %s | %s | %s |", c.Name, c.Support, c.Why); !strings.Contains(page, row) {
			t.Errorf("the page lacks the row %s", row)
		}
	}
	for _, set := range append(d.AppSettings, d.ShopSettings...) {
		if !strings.Contains(page, "| `"+set.Name+"` |") {
			t.Errorf("the page does not name the setting %s", set.Name)
		}
	}
}
