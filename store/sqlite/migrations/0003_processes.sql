-- +goose Up
-- Who does what alone. A row stays when nobody has the lease: its token must go on growing.
CREATE TABLE lease (
  name  TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
  owner TEXT NOT NULL, -- a process; empty: nobody
  token INTEGER NOT NULL CHECK (token > 0),
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  info  TEXT NOT NULL -- what the owner says of its work, for pages of other processes
) STRICT, WITHOUT ROWID;

-- The programs at work on this database.
CREATE TABLE process (
  id      TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  version TEXT NOT NULL,
  role    TEXT NOT NULL,
  started INTEGER NOT NULL,
  seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
