package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// rows fills the tables that lookups by key go to.
var rows = []string{
	`INSERT INTO location SELECT 'main', '', 'own', '[]', '{}', TRUE`,
	`INSERT INTO item SELECT 'k' || i, 'k' || i, '', '', '', 0 FROM generate_series(1, 20000) i`,
	`INSERT INTO component SELECT 'k' || i, 'k' || i + 1, 0, 1 FROM generate_series(1, 19999) i`,
	`INSERT INTO listing SELECT 'k' || i, 'c', 'k' || i, '', '', '', '', 'k' || i, '[]', TRUE, '', '{}', 0 FROM generate_series(1, 20000) i`,
	`INSERT INTO balance SELECT 'k' || i, 'main', 1, 0, 0, 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO movement SELECT i, 'k' || i, 0, 0, 'receive', 'k' || i, 'main', 1, 0, 0, 1, 0, 0, 'k' || i, '', '', '', NULL FROM generate_series(1, 20000) i`,
	`INSERT INTO reservation SELECT 'k' || i, '1', 'k' || i, '', '', '', 0, 0, 1, 0, NULL, NULL, 0, 0, 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO orders SELECT 'k' || i, 'c', 'k' || i, '', '', '', FALSE, FALSE, NULL, 0, 0, 0, '{}', 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO channel_book SELECT 'k' || i, 'c', NULL, 0, 0, '{}', 0, 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO incident_task SELECT 'k' || i, 'k' || i, '{}', 0, '' FROM generate_series(1, 20000) i`,
	`INSERT INTO alert_delivery SELECT 'k' || i, '', '{}', 'sent', 0, 0, 0, 0, '' FROM generate_series(1, 20000) i`,
	`INSERT INTO shipment SELECT 'k' || i, 'c', '', '', 'pack', 0, NULL, '', '', '{}', 1, CASE WHEN i % 100 = 0 THEN i END FROM generate_series(1, 20000) i`,
	`INSERT INTO route SELECT 'k' || i, 0, '', '', '{}', 0, 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO shipment_order SELECT 'k' || i, 'k' || i FROM generate_series(1, 20000) i`,
	`INSERT INTO floor_wave SELECT 'k' || i, '', 'open', '{}', 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO floor_claim SELECT 'k' || i, '', '{}', 1 FROM generate_series(1, 20000) i`,
	`INSERT INTO floor_trouble SELECT 'k' || i, '', 0, '{}' FROM generate_series(1, 20000) i`,
	`INSERT INTO combination SELECT 'k' || i, 'c', '', 'proposed', 0, '{}' FROM generate_series(1, 20000) i`,
	`INSERT INTO manifest_parcel SELECT 'k' || i, 'k' || i, '', 'k' || i, 0, 0 FROM generate_series(1, 20000) i`,
	`INSERT INTO item_physical SELECT 'k' || i, 1, '{}', '', 0 FROM generate_series(1, 20000) i`,
	`INSERT INTO custody_entry SELECT 'k' || i, i, NULL, '', '', '', '' FROM generate_series(1, 20000) i`,
	`INSERT INTO inbox SELECT i, 'k' || i, '', '', '', '', 0, 0, '', 'pending', 0, '' FROM generate_series(1, 20000) i`,
}

// A session that has looked up keys while the tables were empty must not keep reading whole tables when they are full. With PostgreSQL's
// default settings it does, and a batch writer becomes 30 times slower.
func TestPlansMadeOnEmptyTablesDoNotScanFullOnes(t *testing.T) {
	engine, err := Open(t.Context(), pgtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 256)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i*70+1)
	}
	lookups := map[string]string{}
	for verb, texts := range sqlcore.Statements(sqlcore.Postgres) {
		for _, text := range texts {
			if strings.HasPrefix(text, "SELECT") && strings.Contains(text, "ANY($1::text[])") && !strings.Contains(text, "$2") &&
				!strings.Contains(text, "status = ANY") { // few values, many rows
				lookups[text] = verb
			}
		}
	}
	if len(lookups) < 10 {
		t.Fatalf("only %d lookups found", len(lookups))
	}
	var none []string // verbs that found nothing: their tables need rows
	run := func() (scanned int64, found int) {
		none = nil
		tx, err := engine.Begin(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		for text, verb := range lookups {
			got := all(t, verb, func() (*sql.Rows, error) { return tx.Query(t.Context(), text, keys) }, nil)
			if found += got; got == 0 {
				none = append(none, verb)
			}
		}
		all(t, "statistics", func() (*sql.Rows, error) {
			return tx.Query(t.Context(), "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname = current_schema()")
		}, &scanned)
		return scanned, found
	}
	for range 8 { // PostgreSQL settles on a plan at the sixth
		run()
	}
	tx, err := engine.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range rows {
		if _, err := tx.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := tx.Commit(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if scanned, found := run(); scanned > 0 || found < len(lookups)*200 {
			t.Fatalf("%d whole tables read by %d lookups, which found %d rows, and none by %v", scanned, len(lookups), found, none)
		}
	}
}

// A shop's orders of a status that few have are read by the shop's index, also when PostgreSQL knows how many there are: it took the two bounds of one
// status for an empty range once, found any index as good as another, and read the orders of all shops in that status for each page.
func TestAShopsOrdersAreReadByItsIndex(t *testing.T) {
	engine, err := Open(t.Context(), pgtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx, err := engine.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for _, text := range []string{
		`INSERT INTO orders SELECT 'k' || i, 'shop-' || i % 3, 'k' || i, '', CASE WHEN i % 100 = 0 THEN 'awaiting_collection' ELSE 'completed' END, '', FALSE, FALSE, CASE WHEN i % 100 = 0 THEN i END,
			i, i, i, '{}', 1 FROM generate_series(1, 60000) i`,
		"ANALYZE orders",
	} {
		if _, err := tx.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	text := sqlcore.Statements(sqlcore.Postgres)["store.PlacesOfShop"][0]
	for status, want := range map[string]int{"awaiting_collection": 20, "completed": 20, "on_hold": 0} {
		if got := all(t, status, func() (*sql.Rows, error) { return tx.Query(t.Context(), text, "shop-0", status, int64(1<<62), "", 20) }, nil); got != want {
			t.Errorf("%d orders are %s, not %d", got, status, want)
		}
		plan := ""
		rows, err := tx.Query(t.Context(), "EXPLAIN "+text, "shop-0", status, int64(1<<62), "", 20)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if err := rows.Close(); err != nil || want > 0 && (!strings.Contains(plan, "orders_shop") || strings.Contains(plan, " rows=1 ")) {
			t.Errorf("%v: orders %s are read by\n%s", err, status, plan)
		}
	}
}

// all reads all rows of a query and counts them; into, if not nil, gets the number in the last.
func all(t *testing.T, verb string, query func() (*sql.Rows, error), into *int64) (n int) {
	t.Helper()
	rows, err := query()
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	defer rows.Close()
	for rows.Next() {
		n++
		if into != nil {
			if err := rows.Scan(into); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return n
}

func TestOpenSaysWhatIsWrongWithoutSecrets(t *testing.T) {
	for url, kind := range map[string]errs.Kind{
		"postgres://user:geheim@[::1":                                errs.Invalid,
		"postgres://user:geheim@127.0.0.1:1/x?connect_timeout=2":     errs.Unavailable,
		"postgres://user:geheim@127.0.0.1:1/x?sslmode=nonsense":      errs.Invalid,
		"postgres://user:geheim@nowhere.invalid/x?connect_timeout=2": errs.Unavailable,
	} {
		_, err := Open(t.Context(), url)
		if !errs.Is(err, kind) {
			t.Errorf("%s: %v", url, err)
		}
		if strings.Contains(fmt.Sprint(err), "geheim") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	url := pgtest.Start(t)
	failed := make(chan error, 4)
	for range cap(failed) {
		go func() {
			engine, err := Open(t.Context(), url)
			if err == nil {
				err = engine.Migrate(t.Context())
				engine.Close()
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// A setting that is gone shows nowhere else but in the speed: an event took 300 ms with jit on.
func TestSessionsAreSetUp(t *testing.T) {
	engine, err := Open(t.Context(), pgtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	for _, c := range []struct {
		readOnly      bool
		setting, want string
	}{
		{false, "jit", "off"}, {true, "jit", "off"}, {false, "enable_seqscan", "off"}, {true, "enable_seqscan", "on"}, {false, "synchronous_commit", "on"},
		{false, "lock_timeout", "10s"}, {false, "transaction_isolation", "read committed"}, {true, "transaction_isolation", "repeatable read"},
		{true, "transaction_read_only", "on"}, {false, "TimeZone", "UTC"},
	} {
		tx, err := engine.Begin(t.Context(), c.readOnly)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tx.Query(t.Context(), "SELECT current_setting($1)", c.setting)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for rows.Next() {
			if err := rows.Scan(&got); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(rows.Err(), tx.Rollback()); err != nil || got != c.want {
			t.Errorf("%s (read only: %v) is %q, want %q: %v", c.setting, c.readOnly, got, c.want, err)
		}
	}
}

func TestALostConnectionIsToldAndReplaced(t *testing.T) {
	engine, err := Open(t.Context(), pgtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	victim, err := engine.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	var pid int64
	all(t, "pid", func() (*sql.Rows, error) { return victim.Query(t.Context(), "SELECT pg_backend_pid()::bigint") }, &pid)
	other, err := engine.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "SELECT pg_terminate_backend($1::int, 10000)", pid); err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	_, err = victim.Exec(t.Context(), "SELECT 1")
	if kind, sentence, retry := engine.Classify(err); err == nil || kind != errs.Unavailable || sentence == "" || retry {
		t.Errorf("%v is %s, %q, retry %v", err, kind, sentence, retry)
	}
	_ = victim.Rollback() // fails as it should: there is nothing to roll back
	for range writers + 1 {
		tx, err := engine.Begin(t.Context(), false)
		if err != nil {
			t.Fatalf("after the loss: %v", err)
		}
		if err := tx.Commit(t.Context(), func() {}); err != nil {
			t.Fatalf("after the loss: %v", err)
		}
	}
}

func TestNoticesReachThoseWhoListen(t *testing.T) {
	url := pgtest.Start(t)
	one, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other, err := Open(t.Context(), pgtest.Start(t)) // another schema of the same database
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ready, got := make(chan struct{}), make(chan string, 8)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- one.Peers.Listen(ctx, func() { close(ready) }, func(p string) { got <- p })
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	if err := other.Peers.Notify(t.Context(), []string{"not ours"}); err != nil {
		t.Fatal(err)
	}
	if err := one.Peers.Notify(t.Context(), []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if a, b := <-got, <-got; a != "a" || b != "b" {
		t.Errorf("heard %q, %q", a, b)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended by its caller: %v", err)
	}
}
