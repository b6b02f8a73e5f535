-- +goose Up
-- Orders that a channel would let ship as one, and what became of that.
CREATE TABLE combination (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  node          TEXT NOT NULL,
  state         TEXT NOT NULL, -- proposed, done, declined or refused
  at            INTEGER NOT NULL,
  body          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX combination_connection ON combination (connection_id, state, id);
CREATE INDEX combination_node ON combination (node, at) WHERE state = 'proposed';
CREATE INDEX combination_old ON combination (at);

-- Bags of parcels that a channel takes over together on their first mile.
CREATE TABLE bag (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  node          TEXT NOT NULL,
  at            INTEGER NOT NULL,
  body          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bag_node ON bag (node, at);
CREATE INDEX bag_old ON bag (at);
