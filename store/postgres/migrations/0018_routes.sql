-- +goose Up
-- From where an order leaves, and why: the newest plan with its explanation. Earlier ones are in the event log.
CREATE TABLE route (
  order_id TEXT NOT NULL PRIMARY KEY,
  at       BIGINT NOT NULL,
  actor    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  body     TEXT NOT NULL,
  lacking  BIGINT NOT NULL, -- units that the plan leaves for later
  version  BIGINT NOT NULL
);
CREATE INDEX route_lacking ON route (order_id) WHERE lacking > 0;
