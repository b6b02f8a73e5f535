package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spillway/spillway/kit/errs"
)

const plentyOfRoom = 1 << 50

func titles(ps []part) (out []string) {
	for _, p := range ps {
		out = append(out, p.title())
	}
	return out
}

// What lacks something is left out with what it takes; the rest runs.
func TestBenchesThatCanRun(t *testing.T) {
	o := AllOptions{Quick: true, Orders: 10_000_000, NATS: "nats-server"}
	all, left, err := o.chosen(func(string) string { return "" }, plentyOfRoom)
	if err != nil || len(left) > 0 || !slices.Contains(titles(all), "faults") || !slices.Contains(titles(all), "pages on PostgreSQL") {
		t.Fatalf("with everything here %v run and %v are left out, %v", titles(all), left, err)
	}
	some, left, err := o.chosen(func(need string) string { return "install " + need }, plentyOfRoom)
	if err != nil || len(some)+len(left) != len(all) || !slices.Contains(titles(some), "ledger") || slices.Contains(titles(some), "scale") {
		t.Fatalf("with nothing here %v run and %v are left out, %v", titles(some), left, err)
	}
	if !slices.Contains(left, LeftOut{"scale", "install postgres"}) || !slices.Contains(left, LeftOut{"faults", "install postgres"}) {
		t.Errorf("left out are %v", left)
	}
	_, left, _ = o.chosen(func(need string) string { return map[string]string{needNATS: "no nodes"}[need] }, plentyOfRoom)
	if !slices.Equal(left, []LeftOut{{"faults", "no nodes"}}) {
		t.Errorf("without NATS nodes %v are left out", left)
	}
}

func TestBenchesOfLargeHistoriesNeedRoom(t *testing.T) {
	nothing := func(string) string { return "" }
	o := AllOptions{Orders: 10_000_000}
	_, left, err := o.chosen(nothing, 10<<30)
	if err != nil || len(left) != 4 || left[0].Bench != "pages" || !strings.Contains(left[0].Why, "10 GB left; --orders takes fewer") {
		t.Errorf("on a disk of 10 GB %v are left out, %v", left, err)
	}
	o.Orders = 1_000_000
	if _, left, _ = o.chosen(nothing, 10<<30); len(left) > 0 {
		t.Errorf("of a tenth %v are left out", left)
	}
}

func TestBenchesByName(t *testing.T) {
	o := AllOptions{Quick: true, Only: []string{"http", "start"}}
	run, _, err := o.chosen(func(string) string { return "" }, plentyOfRoom)
	if got := titles(run); err != nil || !slices.Equal(got, []string{"start", "http", "http on PostgreSQL"}) {
		t.Errorf("http and start became %v, %v", got, err)
	}
	o.Only = []string{"htp"}
	if _, _, err = o.chosen(func(string) string { return "" }, plentyOfRoom); !errs.Is(err, errs.Invalid) {
		t.Errorf("htp became %v", err)
	}
}

// One document holds what each bench told, also of those that failed, and the whole fails with them.
func TestAllGathersReportsOfProcesses(t *testing.T) {
	program := filepath.Join(t.TempDir(), "spillway")
	const script = `#!/bin/sh
for last; do :; done
case $2 in
worlds) echo "a table"; echo '{"bench": "worlds", "machine": {"cores": 7}, "bars_missed": 1}' > "$last" ;;
crash) echo '{"bench": "crash", "failed": "2 messages are lost"}' > "$last"; exit 1 ;;
ship) exit 3 ;;
esac
`
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := AllOptions{Quick: true, Only: []string{"worlds"}, Binary: program, Out: &out}
	a, err := RunAll(t.Context(), o)
	if err != nil || len(a.Reports) != 1 || a.Reports[0].Machine.Cores != 7 || !strings.Contains(out.String(), ": spillway bench worlds -n 50\na table\n") {
		t.Errorf("worlds alone gave %+v, %v\n%s", a, err, out.String())
	}
	o.Strict = true
	if _, err := RunAll(t.Context(), o); err == nil || !strings.Contains(err.Error(), "1 bars were missed") {
		t.Errorf("a missed bar that counts gave %v", err)
	}
	o.Only = []string{"worlds", "crash", "ship"}
	a, err = RunAll(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "failed: crash, ship") {
		t.Errorf("two that failed gave %v", err)
	}
	var text bytes.Buffer
	if err := a.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got All
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || !got.Quick || got.Machine.Cores < 1 || len(got.Reports) != 3 {
		t.Fatalf("the document is %s, %v", text.String(), err)
	}
	if !strings.Contains(got.Reports[1].Failed, "2 messages are lost") || !strings.Contains(got.Reports[2].Failed, "exit status 3") {
		t.Errorf("what failed is said as %q and %q", got.Reports[1].Failed, got.Reports[2].Failed)
	}
}

func TestAllInterruptedIsNoSuccess(t *testing.T) {
	program := filepath.Join(t.TempDir(), "spillway")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nread never < \"$0.fifo\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(program+".fifo", 0o600); err != nil { // nobody writes to it: the process stays until it is told to end
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := RunAll(ctx, AllOptions{Quick: true, Only: []string{"worlds", "crash"}, Binary: program, Out: writerFunc(func(text []byte) {
		if bytes.Contains(text, []byte("1 of 2")) {
			cancel()
		}
	})})
	if !errs.Is(err, errs.Unavailable) || !strings.Contains(err.Error(), "interrupted in bench 1 of 2") || errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run gave %v", err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// The next part finds a history as the one before left it; nothing of it stays on the disk when neither is there.
func TestHomesOfHistories(t *testing.T) {
	h := &homes{dir: t.TempDir()}
	first, err := h.enter(t.Context(), historySQLite)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(first.url, "sqlite:")
	if err := os.WriteFile(path, []byte("filled"), 0o600); err != nil {
		t.Fatal(err)
	}
	if second, err := h.enter(t.Context(), historySQLite); err != nil || second != first {
		t.Errorf("the next part gets %s, %v", second, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("and finds %v", err)
	}
	if none, err := h.enter(t.Context(), ""); err != nil || none.url != "" {
		t.Errorf("a part without a home gets %s, %v", none, err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the history is still there: %v", err)
	}
}
