package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

// moveURLs turns the test binary into the program that moves, to be killed.
const moveURLs = "SPILLWAY_TEST_MOVE"

func moveMain() {
	from, to, ok := strings.Cut(os.Getenv(moveURLs), " ")
	if !ok {
		return
	}
	step := ""
	_, err := store.MigrateOnline(context.Background(), from, to, func(now, table string, _ int64) {
		if now != step {
			step = now
			fmt.Println("step", step)
			bufio.NewReader(os.Stdin).ReadByte() // whoever kills at this step needs it to last
		}
	})
	fmt.Println("ended", err)
	os.Exit(0)
}

// trade is a shop at work in another process, as far as the database can tell: orders with their stock, changes of orders, webhooks stored
// and worked in, items renamed, settings.
type trade struct {
	st   *store.Store
	wait time.Duration // between two transactions

	mu       sync.Mutex
	orders   []string
	messages []string
	wrong    error
}

const tradeItems = 40

func newTrade(t *testing.T, url string) *trade {
	t.Helper()
	st, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	tr := &trade{st: st}
	if err := st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "main", Kind: stock.Own, Active: true}); err != nil {
			return err
		}
		var items []catalog.Item
		var ids []string
		for i := range tradeItems {
			ids = append(ids, fmt.Sprintf("item%02d", i))
			items = append(items, catalog.Item{ID: ids[i], SKU: "sku " + ids[i]})
		}
		if err := tx.ItemPut(items); err != nil {
			return err
		}
		b, err := tx.LedgerOpen("test", ids, nil)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := b.Move(stock.Movement{ID: "first/" + id, Kind: stock.Receive, ItemID: id, LocationID: "main", OnHand: 100_000_000}); err != nil {
				return err
			}
		}
		return tx.LedgerSave(b)
	}); err != nil {
		t.Fatal(err)
	}
	return tr
}

// take takes in orders from..to of a writer in one transaction.
func (tr *trade) take(ctx context.Context, writer string, from, to int) error {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var saved []order.Order
	var ids, items []string
	var wants []stock.Want
	for i := from; i < to; i++ {
		ext := fmt.Sprintf("%s-%07d", writer, i)
		o, _, err := order.Merge(nil, order.Fact{Kind: order.Snapshot, ConnectionID: "shop", ExternalID: ext, UpdatedAt: at, ReadAt: at, Status: order.AwaitingShipment,
			Detail: &order.Detail{Number: "#" + ext, Fulfilment: order.BySeller, CreatedAt: at, BuyerHash: "buyer of " + ext,
				Lines: []order.Line{{ExternalLineID: "1", ExternalSKU: "s", Title: "Cup 🎁", Qty: 1}}}})
		if err != nil {
			return err
		}
		saved, ids = append(saved, o), append(ids, o.ID)
		for l := range 3 {
			it := fmt.Sprintf("item%02d", (i*3+l)%tradeItems)
			items = append(items, it)
			wants = append(wants, stock.Want{OrderID: o.ID, LineID: strconv.Itoa(l + 1), ItemID: it, Reserve: 1})
		}
	}
	slices.Sort(items)
	items = slices.Compact(items)
	err := tr.st.Update(ctx, func(tx *store.Tx) error {
		b, err := tx.LedgerOpen("test", items, ids)
		if err != nil {
			return err
		}
		events := make([]store.Event, 0, len(wants))
		for _, w := range wants {
			if _, err := b.Settle(w); err != nil {
				return err
			}
			events = append(events, store.Event{Kind: "order.made", Subject: w.OrderID})
		}
		if err := tx.OrdersSave(saved); err != nil {
			return err
		}
		return errors.Join(tx.EventsAppend(events), tx.LedgerSave(b), tx.SettingSet("last of "+writer, saved[0].ID))
	})
	if err == nil {
		tr.mu.Lock()
		tr.orders = append(tr.orders, ids...)
		tr.mu.Unlock()
	}
	return err
}

// change changes an order that is there and renames two items so that each gets the other's SKU.
func (tr *trade) change(ctx context.Context, id string, n int) error {
	return tr.st.Update(ctx, func(tx *store.Tx) error {
		known, err := tx.OrdersForUpdate([]string{id})
		if err != nil {
			return err
		}
		o, _, err := order.Merge(&known[0], order.Fact{Kind: order.ReturnNotice, ConnectionID: "shop", ExternalID: known[0].ExternalID,
			UpdatedAt: known[0].UpdatedAt.Add(time.Minute), Return: &order.Return{ID: "r" + strconv.Itoa(n)}})
		if err != nil {
			return err
		}
		a, b := []string{"sku item00", "sku item01"}[n%2], []string{"sku item01", "sku item00"}[n%2]
		return errors.Join(tx.OrdersSave([]order.Order{o}), tx.ItemPut([]catalog.Item{{ID: "item00", SKU: "between"}}),
			tx.ItemPut([]catalog.Item{{ID: "item01", SKU: b}}), tx.ItemPut([]catalog.Item{{ID: "item00", SKU: a}}))
	})
}

// receive stores webhooks, marks those before as done and deletes one now and then.
func (tr *trade) receive(ctx context.Context, writer string, n int) error {
	id := fmt.Sprintf("%s/%d", writer, n)
	err := tr.st.UpdateInbox(ctx, func(tx *store.InboxTx) error {
		_, err := tx.InboxAppend([]store.InboxRow{{ID: id, Body: make([]byte, 1500), State: store.InboxPending}})
		return errors.Join(err, tx.InboxDone([]string{fmt.Sprintf("%s/%d", writer, n-1)}))
	})
	if err == nil {
		tr.mu.Lock()
		tr.messages = append(tr.messages, id)
		tr.mu.Unlock()
	}
	return err
}

// work keeps several writers going until the home is left or ctx ends. What it returns waits for them.
func (tr *trade) work(ctx context.Context, batch int) func() {
	var wg sync.WaitGroup
	keep := func(do func(n int) error) {
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				err := do(n)
				if errs.Is(err, errs.Busy) {
					continue
				}
				if err != nil {
					tr.mu.Lock()
					if !errs.Is(err, errs.Unavailable) {
						tr.wrong = errors.Join(tr.wrong, err)
					}
					tr.mu.Unlock()
					return
				}
				select {
				case <-time.After(tr.wait):
				case <-ctx.Done():
				}
			}
		})
	}
	for w := range 2 {
		keep(func(n int) error { return tr.take(ctx, "w"+strconv.Itoa(w), n*batch, (n+1)*batch) })
		keep(func(n int) error { return tr.receive(ctx, "h"+strconv.Itoa(w), n) })
	}
	keep(func(n int) error { return tr.change(ctx, "shop:first-0000000", n) })
	return wg.Wait
}

// arrived fails unless all that was acknowledged is in the home and its ledger proves.
func (tr *trade) arrived(t *testing.T, url string) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.wrong != nil {
		t.Error(tr.wrong)
	}
	home, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	if err := home.View(t.Context(), func(tx *store.Tx) error {
		for part := range slices.Chunk(tr.orders, 10_000) {
			got, err := tx.OrdersGet(part)
			if err != nil {
				return err
			}
			held, err := tx.ReservationsForOrders(part)
			if err != nil {
				return err
			}
			if len(got) != len(part) || len(held) != 3*len(part) {
				t.Errorf("of %d acknowledged orders %d are in the new home, with %d reservations", len(part), len(got), len(held))
			}
		}
		found, err := tx.LedgerCheck()
		if len(found) > 0 {
			t.Errorf("the ledger does not prove: %v", found[0])
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	there := map[string]bool{}
	if err := home.ViewInbox(t.Context(), func(tx *store.InboxTx) error {
		return tx.InboxIDs(func(_, id string) bool { there[id] = true; return true })
	}); err != nil {
		t.Error(err)
	}
	for _, w := range []string{"h0", "h1"} { // the last of each is still pending
		last := ""
		for _, id := range tr.messages {
			if strings.HasPrefix(id, w) {
				last = id
			}
		}
		if last != "" && !there[last] {
			t.Errorf("the webhook %s was acknowledged and is not pending in the new home", last)
		}
	}
}

// sameRows fails unless both homes have the same rows, read past all code of ours.
func sameRows(t *testing.T, from, to string) {
	t.Helper()
	for _, table := range append([]string{sqlcore.InboxTable, "order_ref"}, sqlcore.Tables...) {
		path := strings.TrimPrefix(from, "sqlite:")
		if table == sqlcore.InboxTable {
			path += "-inbox"
		}
		old, columns := rowsAt(t, "sqlite", path, table, nil)
		got, _ := rowsAt(t, "pgx", to, table, columns)
		if diff := cmp.Diff(old, got); diff != "" {
			t.Errorf("%s differs: %.2000s", table, diff)
		}
	}
}

func rowsAt(t *testing.T, driver, dsn, table string, columns []string) (out, names []string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list := "*"
	if columns != nil {
		list = strings.Join(columns, ", ")
	}
	q := "SELECT " + list + " FROM " + table
	if table == "setting" {
		q += " WHERE name NOT IN ('moving', 'moved', 'filling', 'arrived')"
	}
	rows, err := db.QueryContext(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err = rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, at := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if b, ok := v.(bool); ok {
				values[i] = map[bool]int{true: 1}[b]
			}
		}
		out = append(out, fmt.Sprint(values...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out, names
}

func quiet(string, string, int64) {}

func TestAHomeMovesWhileTheShopGoesOn(t *testing.T) {
	from, to := sqliteFile(t), pgtest.Start(t)
	tr := newTrade(t, from)
	if err := tr.take(t.Context(), "first", 0, 1000); err != nil {
		t.Fatal(err)
	}
	wait := tr.work(t.Context(), 5)
	m, err := store.MigrateOnline(t.Context(), from, to, quiet)
	if err != nil {
		t.Fatal(err)
	}
	wait()
	t.Logf("%d passes caught %d changes, pause %v", m.Passes, m.Caught, m.Pause)
	if m.Caught == 0 || m.Pause <= 0 || m.Rows["orders"] < 1005 {
		t.Errorf("nothing was written meanwhile: %+v", m)
	}
	sameRows(t, from, to)
	tr.arrived(t, to)
	select {
	case <-tr.st.Left():
	default:
		t.Error("the process on the old home does not know that the data have gone")
	}
	if _, err := store.Open(t.Context(), from, store.Options{}); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Safe(err), "--undo") {
		t.Errorf("the old home opens: %v", err)
	}
	if _, err := store.MigrateOnline(t.Context(), from, to, quiet); !errs.Is(err, errs.Conflict) {
		t.Errorf("moved twice: %v", err)
	}
	// The way back: the old home opens again as it was, and the new one takes nothing any more.
	home, err := store.Open(t.Context(), to, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	if err := store.UndoMove(t.Context(), from, pgtest.Start(t)); !errs.Is(err, errs.Conflict) {
		t.Errorf("undone with a database it was not moved to: %v", err)
	}
	if err := store.UndoMove(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if err := home.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet("late", "x") }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a process on the home that was given up writes: %v", err)
	}
	again, err := store.Open(t.Context(), from, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet("back", "x") }); err != nil {
		t.Error(err)
	}
}

func TestAMoveThatIsKilledHarmsNothingAndGoesOn(t *testing.T) {
	for _, step := range []string{"copying", "catching up", "handing over", "proving"} {
		t.Run(step, func(t *testing.T) {
			from, to := sqliteFile(t), pgtest.Start(t)
			tr := newTrade(t, from)
			if err := tr.take(t.Context(), "first", 0, 300); err != nil {
				t.Fatal(err)
			}
			tr.wait = 20 * time.Millisecond
			ctx, stop := context.WithCancel(t.Context())
			wait := tr.work(ctx, 5)
			killAt(t, step, from, to)
			// The old home goes on, and nobody can start on the part of a new one.
			if err := tr.take(t.Context(), "after", 0, 20); err != nil {
				t.Errorf("the old home does not go on: %v", err)
			}
			if st, err := store.Open(t.Context(), to, store.Options{}); err == nil {
				if step != "copying" {
					t.Error("the part of a home opens")
				}
				st.Close()
			} else if !errs.Is(err, errs.Conflict) {
				t.Error(err)
			}
			if _, err := store.MigrateOnline(t.Context(), from, to, quiet); err != nil {
				t.Fatal(err)
			}
			stop()
			wait()
			sameRows(t, from, to)
			tr.arrived(t, to)
		})
	}
}

// killAt begins a move and kills it when it has come to a step.
func killAt(t *testing.T, step, from, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), moveURLs+"="+from+" "+to)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, killed := bufio.NewScanner(out), false
	for lines.Scan() {
		switch now, ok := strings.CutPrefix(lines.Text(), "step "); {
		case !ok:
			t.Fatalf("it says %q", lines.Text())
		case now == step && !killed:
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		default:
			if _, err := in.Write([]byte("\n")); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !killed {
		t.Fatalf("it was to be killed at %q, and ended: %v", step, err)
	}
}

// Whatever is wrong in the new home, from the beginning or since a step, is found; the old home goes on and the new one is empty again.
func TestAMoveThatGoesWrongIsFound(t *testing.T) {
	mangle := `CREATE FUNCTION mangle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := replace(NEW.body, 'Cup', 'Cap'); RETURN NEW; END $$;
		CREATE TRIGGER mangle BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION mangle()`
	for name, c := range map[string]struct{ step, wrong string }{
		"a value changed on its way":         {"", mangle},
		"a later value changed on its way":   {"catching up", mangle},
		"a row is missing":                   {"catching up", "DELETE FROM orders WHERE id = 'shop:first-0000007'"},
		"a webhook too many":                 {"catching up", "INSERT INTO inbox SELECT 999999, 'planted', vendor, app_id, connection_id, topic, 0, 0, body, state, 0, '' FROM inbox LIMIT 1"},
		"a movement that does not go on":     {"catching up", "UPDATE movement SET on_hand_after = on_hand_after + 1 WHERE seq = (SELECT max(seq) FROM movement)"},
		"a unit held that nobody reserved":   {"catching up", "UPDATE balance SET reserved = reserved + 1 WHERE item_id = 'item17'"},
		"a second Spillway writes at a time": {"catching up", "INSERT INTO setting VALUES ('planted', 'x')"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := sqliteFile(t), pgtest.Start(t)
			tr := newTrade(t, from)
			if err := tr.take(t.Context(), "first", 0, 20); err != nil {
				t.Fatal(err)
			}
			if err := tr.receive(t.Context(), "first", 1); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("pgx", to)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			planted := c.step == ""
			if planted {
				if st, err := store.Open(t.Context(), to, store.Options{}); err != nil || st.Close() != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), c.wrong); err != nil {
					t.Fatal(err)
				}
			}
			_, err = store.MigrateOnline(t.Context(), from, to, func(step, _ string, _ int64) {
				if step != c.step || planted {
					return
				}
				planted = true
				if err := tr.take(t.Context(), "second", 0, 20); err != nil { // what changes now comes with the passes
					t.Error(err)
				}
				if _, err := db.ExecContext(t.Context(), c.wrong); err != nil {
					t.Error(err)
				}
			})
			if !planted || err == nil {
				t.Fatalf("what is wrong was not found (planted: %v)", planted)
			}
			t.Log(errs.Safe(err))
			if err := tr.take(t.Context(), "third", 0, 1); err != nil {
				t.Errorf("the old home does not go on: %v", err)
			}
			if _, err := db.ExecContext(t.Context(), "DROP FUNCTION IF EXISTS mangle CASCADE"); err != nil {
				t.Error(err)
			}
			if _, err := store.MigrateOnline(t.Context(), from, to, quiet); err != nil {
				t.Fatalf("it does not begin anew: %v", err)
			}
			sameRows(t, from, to)
			tr.arrived(t, to)
		})
	}
}

func TestAMoveOnlineSaysWhatItCannotDo(t *testing.T) {
	from, pg, full := sqliteFile(t), pgtest.Start(t), pgtest.Start(t)
	tr := newTrade(t, from)
	other, err := store.Open(t.Context(), full, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	put := func(st *store.Store) error {
		return st.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet("works", "yes") })
	}
	if err := put(other); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from, to string
		kind     errs.Kind
	}{
		"to SQLite":           {from, sqliteFile(t), errs.Invalid},
		"from PostgreSQL":     {full, pg, errs.Invalid},
		"into a full home":    {from, full, errs.Conflict},
		"into itself":         {from, from, errs.Invalid},
		"into what is no URL": {from, "pg://x", errs.Invalid},
	} {
		if _, err := store.MigrateOnline(t.Context(), c.from, c.to, quiet); !errs.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(put(tr.st), put(other)); err != nil {
		t.Errorf("a home that was refused does not go on: %v", err)
	}
	if err := store.UndoMove(t.Context(), from, ""); !errs.Is(err, errs.Conflict) {
		t.Errorf("undone what was not moved: %v", err)
	}
	// While a process works on the new home it is not filled.
	busy, err := store.Open(t.Context(), pg, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if err := busy.Update(t.Context(), func(tx *store.Tx) error { return tx.ProcessSeen(store.Process{ID: "p"}) }); err != nil {
		t.Fatal(err)
	}
	if _, err := store.MigrateOnline(t.Context(), from, pg, quiet); !errs.Is(err, errs.Conflict) {
		t.Errorf("into a home at work: %v", err)
	}
}

// SPILLWAY_TEST_MOVE_ORDERS=200000 go test ./store -run MovesAt -v -timeout 30m prints how long writers wait when a home of so many orders moves
// while others come in.
func TestAHomeMovesAtItsSize(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("SPILLWAY_TEST_MOVE_ORDERS"))
	if n == 0 {
		t.Skip("SPILLWAY_TEST_MOVE_ORDERS is not set") // a measurement, which takes minutes
	}
	from, to := sqliteFile(t), pgtest.Start(t)
	tr := newTrade(t, from)
	for i := 0; i < n; i += 500 {
		if err := tr.take(t.Context(), "first", i, i+500); err != nil {
			t.Fatal(err)
		}
	}
	tr.wait = 20 * time.Millisecond
	wait := tr.work(t.Context(), 5)
	began, last := time.Now(), ""
	m, err := store.MigrateOnline(t.Context(), from, to, func(step, table string, done int64) {
		if now := step + " " + table; now != last {
			last = now
			t.Logf("%6.1f s  %s (%d)", time.Since(began).Seconds(), now, done)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	wait()
	tr.arrived(t, to)
	t.Logf("%d orders, %d movements, %d events moved in %.1f s; %d passes caught %d changes; pause %.2f s", m.Rows["orders"], m.Rows["movement"], m.Rows["event"],
		took.Seconds(), m.Passes, m.Caught, m.Pause.Seconds())
	t.Logf("taken in meanwhile: %d orders, %d webhooks", len(tr.orders)-n, len(tr.messages))
}
