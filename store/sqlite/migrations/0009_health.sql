-- +goose Up
-- How shops are judged. Intake appends what each batch of orders changes; it is added up a moment later, since every order of a day changes
-- the same few sums. All but the last two tables follow from the orders.
CREATE TABLE health_delta (
  seq  INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  data BLOB NOT NULL
) STRICT;

-- The sums of a day, by the definition they are counted by; and the same divided by node, carrier, region, item and mode.
CREATE TABLE health_day (
  connection_id TEXT NOT NULL,
  rate          TEXT NOT NULL,
  day           INTEGER NOT NULL, -- of the market's calendar, since 1970-01-01
  num           INTEGER NOT NULL,
  den           INTEGER NOT NULL,
  unjudged      INTEGER NOT NULL, -- of den: what is known does not say whether they count against the shop
  PRIMARY KEY (connection_id, rate, day)
) STRICT, WITHOUT ROWID;
-- data is all values of all facets: a row for each would be as many as there are orders, and most are changed by every order.
CREATE TABLE health_part (
  connection_id TEXT NOT NULL,
  rate          TEXT NOT NULL,
  day           INTEGER NOT NULL,
  data          BLOB NOT NULL,
  PRIMARY KEY (connection_id, rate, day)
) STRICT;

-- The orders that count against a shop. n is 1; 0 while a correction is on its way.
CREATE TABLE health_mark (
  connection_id TEXT NOT NULL,
  rate          TEXT NOT NULL,
  day           INTEGER NOT NULL,
  order_id      TEXT NOT NULL,
  reason        TEXT NOT NULL,
  facets        TEXT NOT NULL,
  n             INTEGER NOT NULL,
  PRIMARY KEY (connection_id, rate, day, order_id, reason, facets)
) STRICT, WITHOUT ROWID;
CREATE INDEX health_mark_over ON health_mark (n) WHERE n = 0;
CREATE INDEX health_mark_pending ON health_mark (connection_id) WHERE reason IN ('not_delivered_yet', 'not_scanned_yet');

-- What passed through the nodes in each hour, and how long carriers took by the day on which they were done.
CREATE TABLE flow_hour (
  connection_id TEXT NOT NULL,
  kind          TEXT NOT NULL,
  hour          INTEGER NOT NULL, -- since 1970, UTC
  node          TEXT NOT NULL,
  n             INTEGER NOT NULL,
  PRIMARY KEY (connection_id, kind, hour, node)
) STRICT, WITHOUT ROWID;
CREATE TABLE flow_lag (
  connection_id TEXT NOT NULL,
  leg           TEXT NOT NULL,
  ended         INTEGER NOT NULL, -- the first hour of the day, since 1970, UTC
  carrier       TEXT NOT NULL,
  hours         INTEGER NOT NULL,
  n             INTEGER NOT NULL,
  PRIMARY KEY (connection_id, leg, ended, carrier, hours)
) STRICT, WITHOUT ROWID;

-- What was worked out of the above, and when: the last forecast for each shop, the last count of all orders.
CREATE TABLE health_state (
  name TEXT NOT NULL PRIMARY KEY,
  at   INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What people enter: the account rating a channel shows, and rules that hold for them instead of the shipped ones.
CREATE TABLE account_rating (
  connection_id TEXT NOT NULL,
  at            INTEGER NOT NULL,
  value         INTEGER NOT NULL,
  source        TEXT NOT NULL,
  actor         TEXT NOT NULL,
  note          TEXT NOT NULL,
  entered_at    INTEGER NOT NULL,
  PRIMARY KEY (connection_id, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE policy_override (
  id         TEXT NOT NULL PRIMARY KEY,
  market     TEXT NOT NULL,
  data       TEXT NOT NULL,
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
