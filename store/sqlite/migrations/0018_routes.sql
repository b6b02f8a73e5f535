-- +goose Up
-- From where an order leaves, and why: the newest plan with its explanation. Earlier ones are in the event log.
CREATE TABLE route (
  order_id TEXT NOT NULL PRIMARY KEY,
  at       INTEGER NOT NULL,
  actor    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  body     TEXT NOT NULL,
  lacking  INTEGER NOT NULL, -- units that the plan leaves for later
  version  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX route_lacking ON route (order_id) WHERE lacking > 0;
