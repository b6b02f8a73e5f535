package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

// Node is what is said of a place orders leave from, by whom and since when.
type Node struct {
	network.Node
	Version int64 // 1 is the first that was said
	Actor   string
	At      time.Time
}

var (
	nodePut = def("store.NodePut", `INSERT INTO node (id, version, body, actor, at)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT) + 1, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT)
		WHERE (SELECT coalesce(max(version), 0) FROM node WHERE id = CAST($1 AS TEXT)) = CAST($2 AS BIGINT)
		ON CONFLICT (id, version) DO NOTHING`)
	nodesAll    = def("store.Nodes", "SELECT id, version, body, actor, at FROM node n WHERE version = (SELECT max(version) FROM node m WHERE m.id = n.id) ORDER BY id")
	nodeGet     = def("store.NodeGet", "SELECT id, version, body, actor, at FROM node WHERE id = $1 ORDER BY version DESC LIMIT 1")
	nodeHistory = def("store.NodeHistory", "SELECT id, version, body, actor, at FROM node WHERE id = $1 AND ($2 = 0 OR version < $2) ORDER BY version DESC LIMIT $3")
)

// NodePut says something new of a node. What was said before stays as its history. Errors: Invalid; Conflict (somebody else said something since
// version was read; 0 means that nothing was said yet).
func (tx *Tx) NodePut(n network.Node, version int64, actor string) error {
	if err := n.Check(); err != nil {
		return err
	}
	body, err := encode(nodePut.op, n)
	if err != nil {
		return err
	}
	put, err := tx.exec(nodePut, n.ID, version, body, actor, us(tx.now))
	if err == nil && put == 0 {
		err = errs.New(errs.Conflict, nodePut.op, n.ID, "somebody else has changed this node meanwhile; load it again and make the change there")
	}
	return err
}

func scanNode(r *sql.Rows, n *Node) error {
	var body []byte
	var at int64
	if err := r.Scan(&n.ID, &n.Version, &body, &n.Actor, &at); err != nil {
		return err
	}
	id := n.ID
	err := json.Unmarshal(body, &n.Node)
	n.ID, n.At = id, when(at)
	return err
}

// Nodes reads what is said of all nodes, in the order of id. There are a handful.
func (tx *Tx) Nodes() ([]Node, error) { return query(tx, nodesAll, scanNode) }

// NodeGet reads what is said of one. Errors: NotFound (nothing is).
func (tx *Tx) NodeGet(id string) (Node, error) {
	n, ok, err := one(tx, nodeGet, scanNode, id)
	if err == nil && !ok {
		return n, errs.New(errs.NotFound, nodeGet.op, id, "nothing is said of this node")
	}
	return n, err
}

// NodeHistory reads all that was ever said of a node, the newest first, before a version (0: from the newest).
func (tx *Tx) NodeHistory(id string, before int64, limit int) ([]Node, error) {
	return query(tx, nodeHistory, scanNode, id, before, page(limit))
}
