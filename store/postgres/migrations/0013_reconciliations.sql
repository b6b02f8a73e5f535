-- +goose Up
-- What channels say of a shop's rates, as their exports told it, beside what was counted here at that moment. The id is made of the shop and the
-- content of the files. data is all of it but the rates and the orders on which the two differ, which are written once, when it is done.
CREATE TABLE reconciliation (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('reading', 'done', 'refused')),
  actor         TEXT NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  data          TEXT NOT NULL
);
CREATE INDEX reconciliation_of ON reconciliation (connection_id, created_at, id);

CREATE TABLE reconciliation_rate (
  reconciliation_id TEXT NOT NULL,
  n                 BIGINT NOT NULL, -- its place among those of one reconciliation
  connection_id     TEXT NOT NULL,
  metric            TEXT NOT NULL,
  to_day            BIGINT NOT NULL, -- the last day counted, of the market's calendar, since 1970-01-01
  told              BIGINT NOT NULL CHECK (told IN (0, 1)), -- 1: the channel gives a figure; 0: orders alone
  created_at        BIGINT NOT NULL,
  data              TEXT NOT NULL,
  PRIMARY KEY (reconciliation_id, n)
);
CREATE INDEX reconciliation_rate_told ON reconciliation_rate (connection_id, metric, to_day, created_at) WHERE told = 1;

CREATE TABLE reconciliation_order (
  reconciliation_id TEXT NOT NULL,
  n                 BIGINT NOT NULL,
  rate              BIGINT NOT NULL, -- the n of its rate; -1: none
  cause             TEXT NOT NULL,
  order_id          TEXT NOT NULL, -- the channel's
  data              TEXT NOT NULL,
  PRIMARY KEY (reconciliation_id, n)
);

-- Points a channel took from an account and stated, as somebody took them down. What is taken back stays for the record.
CREATE TABLE account_deduction (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  day           BIGINT NOT NULL,
  points        BIGINT NOT NULL CHECK (points > 0),
  reason        TEXT NOT NULL,
  note          TEXT NOT NULL,
  source        TEXT NOT NULL,
  actor         TEXT NOT NULL,
  entered_at    BIGINT NOT NULL,
  removed_at    BIGINT NOT NULL,
  removed_by    TEXT NOT NULL
);
CREATE INDEX account_deduction_of ON account_deduction (connection_id, day);
