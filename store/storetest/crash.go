package storetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/spillway/spillway/store"
)

// crashURL is the variable that turns a test binary into the program to be killed.
const crashURL = "SPILLWAY_STORETEST_CRASH_URL"

// CrashMain is to be called first in TestMain of a binary that calls Crash. In the process to be killed it does not return.
func CrashMain() {
	url := os.Getenv(crashURL)
	if url == "" {
		return
	}
	if os.Getenv(custodyCrash) != "" {
		fmt.Println("failed:", acknowledgeCustody(url, os.Getenv("SPILLWAY_STORETEST_CRASH_RUN")))
		os.Exit(1)
	}
	fmt.Println("failed:", acknowledge(url, os.Getenv("SPILLWAY_STORETEST_CRASH_RUN")))
	os.Exit(1)
}

// acknowledge reserves in several goroutines and prints each order after its commit, until it is killed.
func acknowledge(url, run string) error {
	st, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		return err
	}
	d := &database{url: url, ctx: context.Background(), Store: st}
	var wg sync.WaitGroup
	failed := make(chan error, 1)
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%s/%d/%d", run, w, i)
				if err := d.reserve(id, []string{"a", "b"}[i%2], 1); err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
				fmt.Printf("acknowledged %s\n", id) // one write to a pipe: it comes out whole
			}
		})
	}
	wg.Wait()
	return <-failed
}

// Crash kills a writing process with no warning, several times, and looks each time whether everything it had acknowledged is there and
// the ledger proves. The killed process is this test binary, whose TestMain must call CrashMain.
func Crash(t *testing.T, fresh func(testing.TB) string) {
	url := fresh(t)
	d := open(t, url)
	d.stocked(t, 1_000_000, "a", "b")
	var acknowledged []string
	for run := range 4 {
		acknowledged = append(acknowledged, d.killAfter(t, run, 5+run*37)...)
		d.view(t, func(tx *store.Tx) error {
			held, err := tx.ReservationsForOrders(acknowledged)
			if len(held) != len(acknowledged) {
				t.Errorf("after kill %d: %d of %d acknowledged reservations are there", run+1, len(held), len(acknowledged))
			}
			if err != nil {
				return err
			}
			found, err := tx.LedgerCheck()
			if len(found) > 0 {
				t.Errorf("after kill %d the ledger does not prove: %v", run+1, found)
			}
			return err
		})
	}
}

// killAfter starts the writer, kills it when it has acknowledged n reservations, and returns all it had acknowledged.
func (d *database) killAfter(t *testing.T, run, n int) (ids []string) {
	t.Helper()
	cmd := exec.CommandContext(d.ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashURL+"="+d.url, fmt.Sprintf("SPILLWAY_STORETEST_CRASH_RUN=%d", run))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "acknowledged ")
		if !ok {
			t.Errorf("the writer says %q", lines.Text())
			continue
		}
		ids = append(ids, id)
		if len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the writer ended by itself")
	}
	if len(ids) < n {
		t.Fatalf("the writer acknowledged %d reservations, to be killed after %d", len(ids), n)
	}
	return ids
}
