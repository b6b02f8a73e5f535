-- +goose Up
-- Who does what alone. A row stays when nobody has the lease: its token must go on growing.
CREATE TABLE lease (
  name  TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (name <> ''),
  owner TEXT COLLATE "C" NOT NULL, -- a process; empty: nobody
  token BIGINT NOT NULL CHECK (token > 0),
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  info  TEXT NOT NULL -- what the owner says of its work, for pages of other processes
) WITH (fillfactor = 50);

-- The programs at work on this database.
CREATE TABLE process (
  id      TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
  host    TEXT NOT NULL,
  pid     BIGINT NOT NULL,
  version TEXT NOT NULL,
  role    TEXT NOT NULL,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL
) WITH (fillfactor = 50);
