package sqlcore

import (
	"database/sql"

	"github.com/spillway/spillway/domain/flow"
)

// What passes through nodes is kept as sums by the hour, added to like those of health.
var (
	flowCols = []col{{"connection_id", text}, {"kind", text}, {"hour", bigint}, {"node", text}, {"n", bigint}}
	lagCols  = []col{{"connection_id", text}, {"leg", text}, {"ended", bigint}, {"carrier", text}, {"hours", bigint}, {"n", bigint}}

	flowAdd = insert("store.FlowAdd", "flow_hour", flowCols, "ON CONFLICT (connection_id, kind, hour, node) DO UPDATE SET n = flow_hour.n + excluded.n")
	lagAdd  = insert("store.FlowAdd", "flow_lag", lagCols, "ON CONFLICT (connection_id, leg, ended, carrier, hours) DO UPDATE SET n = flow_lag.n + excluded.n")

	flowCounts = def("store.FlowCounts", `SELECT connection_id, kind, hour, node, n FROM flow_hour
		WHERE connection_id = $1 AND kind IN ('placed', 'ready', 'handed_over', 'dropped') AND hour >= $2 AND n <> 0 ORDER BY kind, hour, node`)
	flowLags = def("store.FlowLags", `SELECT connection_id, leg, max(ended), carrier, hours, CAST(sum(n) AS BIGINT) FROM flow_lag
		WHERE connection_id = $1 AND leg IN ('scan', 'transit') AND ended >= $2 GROUP BY connection_id, leg, carrier, hours HAVING sum(n) <> 0 ORDER BY leg, carrier, hours`)
	flowAll   = def("store.FlowScan", "SELECT connection_id, kind, hour, node, n FROM flow_hour")
	lagAll    = def("store.FlowScan", "SELECT connection_id, leg, ended, carrier, hours, n FROM flow_lag")
	flowPrune = def("store.FlowPrune", "DELETE FROM flow_hour WHERE hour < $1")
	lagPrune  = def("store.FlowPrune", "DELETE FROM flow_lag WHERE ended < $1")
)

// FlowAdd adds to the sums of what passed through nodes. No two counts, and no two lags, may share their key.
func (tx *Tx) FlowAdd(counts []flow.Count, lags []flow.Lag) error {
	var hours, legs [][]any
	for _, c := range counts {
		hours = append(hours, []any{c.Connection, string(c.Kind), int64(c.Hour), c.Node, c.N})
	}
	for _, l := range lags {
		legs = append(legs, []any{l.Connection, string(l.Leg), int64(l.Ended), l.Carrier, l.Hours, l.N})
	}
	if _, err := tx.bulk(flowAdd, hours); err != nil {
		return err
	}
	_, err := tx.bulk(lagAdd, legs)
	return err
}

func scanFlow(r *sql.Rows, c *flow.Count) error {
	var hour int64
	err := r.Scan(&c.Connection, &c.Kind, &hour, &c.Node, &c.N)
	c.Hour = flow.Hour(hour)
	return err
}

func scanLag(r *sql.Rows, l *flow.Lag) error {
	var ended int64
	err := r.Scan(&l.Connection, &l.Leg, &ended, &l.Carrier, &l.Hours, &l.N)
	l.Ended = flow.Hour(ended)
	return err
}

// FlowCounts reads what passed through a shop's nodes since an hour, by kind and hour.
func (tx *Tx) FlowCounts(connection string, since flow.Hour) ([]flow.Count, error) {
	return query(tx, flowCounts, scanFlow, connection, int64(since))
}

// FlowLags reads how long a shop's carriers took for what they ended since a day, added up over the days.
func (tx *Tx) FlowLags(connection string, since flow.Hour) ([]flow.Lag, error) {
	return query(tx, flowLags, scanLag, connection, int64(since))
}

// FlowScan reads all of it. It is bounded by FlowPrune.
func (tx *Tx) FlowScan(count func(flow.Count), lag func(flow.Lag)) error {
	counts, err := query(tx, flowAll, scanFlow)
	if err != nil {
		return err
	}
	for _, c := range counts {
		count(c)
	}
	lags, err := query(tx, lagAll, scanLag)
	for _, l := range lags {
		lag(l)
	}
	return err
}

// FlowPrune gives up what happened before an hour, and carriers' times of days before its day.
func (tx *Tx) FlowPrune(before flow.Hour) error {
	if _, err := tx.exec(flowPrune, int64(before)); err != nil {
		return err
	}
	_, err := tx.exec(lagPrune, int64(before/24*24))
	return err
}
