package easypost

import (
	"os"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
)

// TestPage: the page holds the table of settings as it is.
func TestPage(t *testing.T) {
	d := Carrier{}.Describe()
	page, err := os.ReadFile("../../" + d.Docs)
	if err != nil {
		t.Fatal(err)
	}
	if table := drivertest.Settings(driver.Description{AppSettings: d.Settings}); !strings.Contains(string(page), table) {
		t.Errorf("%s does not hold this table as it is now:\n%s", d.Docs, table)
	}
}
