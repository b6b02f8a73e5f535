package sqlite

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spillway/spillway/store/sqlcore"
)

// grows are the tables that grow with every order.
var grows = []string{"orders", "shipment", "order_ref", "movement", "reservation", "event", "inbox", "push_log", "r"} // r: of reservation

// wholeTable are the statements that may read one of them from end to end, with the reason.
var wholeTable = map[string]string{
	"store.OrderCounts":      "asked by tools only",
	"store.EventsRetire":     "in the order of its key, up to a limit",
	"store.Restore":          "fills what follows from the orders, once",
	"store.BalanceAsOf":      "the greatest of an index",
	"store.EventLast":        "the greatest of the key",
	"store.PlacesNewest":     "in the order of its index, up to a limit",
	"store.ShortTotal":       "of the partial index of what is open",
	"store.ShortByItem":      "of the partial index of what is short",
	"store.ShortOrders":      "of the partial index of what is short",
	"store.OrdersCancelOpen": "of the partial index of requests without an answer",
	"store.ShipmentCounts":   "of the partial index of what is not at rest",
	"store.InboxPending":     "of the partial index of what waits",
	"store.InboxCounts":      "of the partial indexes of what is not done",
	"store.InboxLag":         "of the partial index of what waits",
	"store.InboxPendingOf":   "of the partial index of what waits",
	"store.InboxParked":      "of the partial index of what is parked",
	"store.InboxRetryParked": "of the partial index of what is parked",
}

// A statement that reads a whole table is quick while the table is young: nobody would notice for a year.
func TestNoStatementReadsAllOfHistory(t *testing.T) {
	for _, open := range []func() (sqlcore.Engine, error){
		func() (sqlcore.Engine, error) { return Open(t.Context(), filepath.Join(t.TempDir(), "plans.db")) },
		func() (sqlcore.Engine, error) { return OpenInbox(t.Context(), filepath.Join(t.TempDir(), "plans.db")) },
	} {
		engine, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		if err := engine.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		run, err := engine.Begin(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		defer run.Rollback()
		for verb, texts := range sqlcore.Statements(sqlcore.SQLite) {
			for _, text := range texts {
				if wholeTable[verb] == "" {
					scansNothing(t, run, verb, text)
				}
			}
		}
	}
}

func scansNothing(t *testing.T, run sqlcore.Run, verb, text string) {
	t.Helper()
	args := make([]any, strings.Count(text, "$"))
	for i := range args {
		args[i] = "[]"
	}
	rows, err := run.Query(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		return // a table of the other file
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c any
		var step string
		if err := rows.Scan(&a, &b, &c, &step); err != nil {
			t.Fatal(err)
		}
		for _, table := range grows {
			if strings.HasPrefix(step+" ", "SCAN "+table+" ") {
				t.Errorf("%s: %s\n%s", verb, step, text)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", verb, err)
	}
}

// SQLite looks into a bare parameter of LIMIT, and so plans the statement anew each time one is bound.
func TestNoStatementIsPlannedAnewForItsLimit(t *testing.T) {
	bare, limits := regexp.MustCompile(`LIMIT\s+[?$]`), 0
	for verb, texts := range sqlcore.Statements(sqlcore.SQLite) {
		for _, text := range texts {
			limits += strings.Count(text, "LIMIT")
			if bare.MatchString(text) {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
	if limits < 20 {
		t.Errorf("only %d limits were looked at", limits)
	}
}
