package drivertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

// CheckDocs demands that a vendor's page holds the tables of its description as they are now. root is the repository's.
func CheckDocs(t *testing.T, v driver.Vendor, root string) {
	t.Helper()
	d := v.Describe()
	page, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(d.Docs)))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{Capabilities(d), Settings(d)} {
		if !strings.Contains(string(page), table) {
			t.Errorf("%s does not hold this table as it is now:\n%s", d.Docs, table)
		}
	}
}

// Capabilities is the capability table of a vendor's page.
func Capabilities(d driver.Description) string {
	var b strings.Builder
	b.WriteString("| Ability | | How |\n| --- | --- | --- |\n")
	for _, c := range d.Capabilities {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Support, c.Why)
	}
	return b.String()
}

// Settings is the table of a vendor's settings.
func Settings(d driver.Description) string {
	var b strings.Builder
	b.WriteString("| Setting | Meaning | Default |\n| --- | --- | --- |\n")
	for _, s := range slices.Concat(d.AppSettings, d.ShopSettings) {
		def := "none"
		switch {
		case s.Default != "":
			def = "`" + s.Default + "`"
		case s.Required:
			def = "required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, s.Help, def)
	}
	return b.String()
}
