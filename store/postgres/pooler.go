package postgres

import (
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Between Spillway and PostgreSQL may stand a pooler such as PgBouncer that lends a server's session for one transaction only. Nothing that
// outlives a transaction may be left in a session then: no prepared statement, no setting, no lock. The URL says so with pooler=transaction.
const poolerParam = "pooler"

// kept are the startup parameters that poolers pass on with every session they lend.
var kept = []string{"application_name", "client_encoding", "datestyle", "standard_conforming_strings", "timezone"}

// lendsSessions reports whether the URL names a transaction pooler.
func lendsSessions(cfg *pgx.ConnConfig) bool {
	lends := cfg.RuntimeParams[poolerParam] == "transaction"
	delete(cfg.RuntimeParams, poolerParam)
	return lends
}

// perTransaction takes from cfg the settings that a lent session would not keep and returns the statement that makes them at the beginning of
// each transaction, for that transaction. Statements are sent unnamed, with what is known of their parameters kept on our side.
func perTransaction(cfg *pgx.ConnConfig) string {
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	cfg.StatementCacheCapacity = 0
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(cfg.RuntimeParams)) {
		if slices.Contains(kept, strings.ToLower(name)) {
			continue
		}
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
		calls = append(calls, "set_config("+quote(name)+", "+quote(cfg.RuntimeParams[name])+", true)")
		delete(cfg.RuntimeParams, name)
	}
	if len(calls) == 0 {
		return ""
	}
	return "SELECT " + strings.Join(calls, ", ")
}
