-- +goose Up
-- What is wrong and who was told. data is all of an incident; the other columns are what it is found by. A cause has one incident that is not
-- resolved at most.
CREATE TABLE incident (
  id          TEXT NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL, -- for people; 0 while it is only watched
  kind        TEXT NOT NULL,
  subject     TEXT NOT NULL,
  shop        TEXT NOT NULL,
  phase       TEXT NOT NULL CHECK (phase IN ('watching', 'open', 'acknowledged', 'resolved')),
  opened_at   INTEGER NOT NULL,
  resolved_at INTEGER NOT NULL,
  data        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX incident_live ON incident (kind, subject) WHERE phase <> 'resolved';
CREATE UNIQUE INDEX incident_number ON incident (number) WHERE number > 0;
CREATE INDEX incident_past ON incident (resolved_at, id) WHERE phase = 'resolved';
CREATE INDEX incident_opened ON incident (opened_at);

CREATE TABLE incident_entry (
  id          TEXT NOT NULL PRIMARY KEY,
  incident_id TEXT NOT NULL,
  at          INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  actor       TEXT NOT NULL,
  text        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_entry_of ON incident_entry (incident_id, at, id);

CREATE TABLE incident_task (
  id          TEXT NOT NULL PRIMARY KEY,
  incident_id TEXT NOT NULL,
  data        TEXT NOT NULL,
  done_at     INTEGER NOT NULL,
  done_by     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_task_of ON incident_task (incident_id, id);

-- Who can be told. sealed is the service URL, which holds secrets; hint is all that is shown of it.
CREATE TABLE alert_target (
  id         TEXT NOT NULL PRIMARY KEY,
  data       TEXT NOT NULL,
  service    TEXT NOT NULL,
  hint       TEXT NOT NULL,
  sealed     BLOB NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  removed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_silence (
  id       TEXT NOT NULL PRIMARY KEY,
  data     TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  ended_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_silence_until ON alert_silence (until_at);

-- Messages, written with the decision to send them and sent after it.
CREATE TABLE alert_delivery (
  id        TEXT NOT NULL PRIMARY KEY,
  target_id TEXT NOT NULL,
  data      TEXT NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
  tries     INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  next_at   INTEGER NOT NULL,
  ended_at  INTEGER NOT NULL,
  error     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_delivery_waiting ON alert_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX alert_delivery_of ON alert_delivery (target_id, at);
