package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What a bench found comes through JSON whole, with machine, versions and settings, and what a reader sees holds the same figures.
func TestReportGoesThroughJSON(t *testing.T) {
	r := NewReport("worlds", "1.2.3", map[string]any{"n": 3.0, "for": "2s"})
	if err := Worlds(WorldsOptions{Worlds: 3, Seed: 7, Report: r, Out: io.Discard}); err != nil {
		t.Fatal(err)
	}
	w := r.table("rates", "WHAT", "PER SECOND", "P50", "P99", "BAR")
	w.row("ours", append(pour{Rate: 1234.4, P50: 1500 * time.Microsecond, P99: 9 * time.Millisecond}.times(), bar("1000", true))...).Runs = []pour{{Rate: 1234.4, P50ms: 1.5, P99ms: 9}}
	w.row("theirs", append(pour{Rate: 10}.times(), bar("100", false))...)
	r.uses(t.Context(), "")
	r.End(errors.New("3 units were oversold"))
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Machine.Cores < 1 || got.Machine.System == "" || !reflect.DeepEqual(got.Machine, r.Machine) {
		t.Errorf("the machine came as %+v of %+v", got.Machine, r.Machine)
	}
	if got.Versions["spillway"] != "1.2.3" || !strings.HasPrefix(got.Versions["go"], "go1") || got.Versions["sqlite"] == "" {
		t.Errorf("versions came as %v", got.Versions)
	}
	if got.Settings["n"] != 3.0 || got.Settings["for"] != "2s" || got.Settings["sqlite.durable"] == nil {
		t.Errorf("settings came as %v", got.Settings)
	}
	if got.Missed != 1 || got.Failed != "3 units were oversold" || !got.Began.Equal(r.Began) {
		t.Errorf("the end came as %d missed, failed %q, began %s", got.Missed, got.Failed, got.Began)
	}
	if p := got.Tables[0].Rows[0]; p.Figures["worlds"] != 3.0 || p.Figures["rested"] != 3.0 {
		t.Errorf("three worlds came as %v", p.Figures)
	}
	last := got.Tables[len(got.Tables)-1].Rows
	if ours := last[0]; ours.Figures["per_second"] != 1234.4 || ours.Figures["p50_ms"] != 1.5 || ours.Bar != "1000" || !*ours.OK || len(ours.Runs) != 1 || ours.Runs[0].P99ms != 9 {
		t.Errorf("a rate came as %+v", ours)
	}
	if *last[1].OK {
		t.Error("a missed bar came as reached")
	}
}

func TestReportReads(t *testing.T) {
	r := NewReport("ledger", "dev", map[string]any{"callers": []int{64}, "strict": false, "two": true, "database": ""})
	w := r.table("rates", "WHAT", "PER SECOND", "BAR")
	w.row("ours", figure("per_second", 1234.4, "%.0f"), bar("1000", true), only("hidden", 77))
	r.table("nothing", "EMPTY")
	r.leave(errors.New("redis is not here"))
	r.End(nil)
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"settings: callers [64], two\n", "\nWHAT  PER SECOND  BAR\nours  1234        1000  ok\n", "LEFT OUT: redis is not here\n", r.Machine.String(), r.Versions["go"]} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	for _, unwanted := range []string{"EMPTY", "77", "strict", "database"} {
		if strings.Contains(text.String(), unwanted) {
			t.Errorf("%q is in\n%s", unwanted, text.String())
		}
	}
}

// A ratio to nothing is no number of JSON's and must not cost the whole document.
func TestFigureOfNoNumber(t *testing.T) {
	for _, f := range []float64{math.Inf(1), math.NaN()} {
		if c := figure("ratio", f, "%.1f"); c.value != nil {
			t.Errorf("%v became %v", f, c.value)
		}
	}
	if got := rounded(-1.00006); got != -1.0001 {
		t.Errorf("-1.00006 was rounded to %v", got)
	}
}

func TestMountedAt(t *testing.T) {
	const mounts = "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:27 / /data rw,noatime shared:1 - xfs /dev/vdb rw\n" +
		"31 30 0:28 / /data/fast rw - btrfs /dev/vdc rw\n32 27 0:29 / /with\\040space rw - zfs tank rw\n33 27 0:30 / /data rw - tmpfs tmpfs rw\n"
	for path, want := range map[string]string{"/home/x": "ext4", "/data": "tmpfs", "/data/a": "tmpfs", "/database": "ext4", "/data/fast/a/b": "btrfs", "/with space/a": "zfs"} {
		if got := mountedAt(mounts, path); got != want {
			t.Errorf("%s is said to be on %s, not %s", path, got, want)
		}
	}
	if got := mountedAt("nonsense\n", "/"); got != "" {
		t.Errorf("nonsense gave %s", got)
	}
}

func TestRedacted(t *testing.T) {
	for _, url := range []string{"postgres://u:hush@host/db?sslmode=disable", "postgres://host/db?user=u&password=hush", "postgres://u:hush@ho st:x/%zz"} {
		if got := Redacted(url); strings.Contains(got, "hush") || !strings.HasPrefix(got, "postgres:") {
			t.Errorf("%s became %s", url, got)
		}
	}
	if got := Redacted("sqlite:/a/b.db"); got != "sqlite:/a/b.db" {
		t.Errorf("a path became %s", got)
	}
}
