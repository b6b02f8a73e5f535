package api

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// table is a file of the guide to cartons: its kind, and what is in it.
var table = regexp.MustCompile("(?ms)^```csv ([a-z]+)\n(.*?)^```$")

// TestTheGuideToCartonsIsTrue takes the files of the guide in as they stand there; and taken in again they change nothing.
func TestTheGuideToCartonsIsTrue(t *testing.T) {
	text, err := os.ReadFile("../docs/guides/cartons.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	files := table.FindAllStringSubmatch(string(text), -1)
	if len(files) != 3 {
		t.Fatalf("%d files are in the guide, want one of each table", len(files))
	}
	for _, again := range []bool{false, true} {
		for _, f := range files {
			status, answer, _ := h.call(t, "POST", base+"/handling/tables/"+f[1], f[2])
			if status != 200 || strings.Contains(answer, `"changed":0`) != again {
				t.Errorf("%s: %d %s", f[1], status, answer)
			}
		}
	}
}
