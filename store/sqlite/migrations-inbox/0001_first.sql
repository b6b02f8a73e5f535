-- +goose Up
-- Webhooks, stored before they are answered.
CREATE TABLE inbox (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  id            TEXT NOT NULL UNIQUE,
  vendor        TEXT NOT NULL,
  app_id        TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  topic         TEXT NOT NULL,
  received_at   INTEGER NOT NULL,
  sent_at       INTEGER NOT NULL,
  body          BLOB NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('pending', 'done', 'parked')),
  tries         INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_pending ON inbox (seq) WHERE state = 'pending';
CREATE INDEX inbox_parked ON inbox (seq) WHERE state = 'parked';
CREATE INDEX inbox_received ON inbox (received_at);
