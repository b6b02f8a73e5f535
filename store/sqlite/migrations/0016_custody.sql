-- +goose Up
-- Who had a parcel in hand: a transparency log. An entry is written with what made it true and waits (seq) for its place in the log (n), which
-- it gets within a second. leaf is the record; hash, parcel and order_id follow from it. Tiles hold the hashes of the tree, 256 side by side.
CREATE TABLE custody_entry (
  id       TEXT NOT NULL PRIMARY KEY,
  seq      INTEGER,
  n        INTEGER UNIQUE,
  order_id TEXT NOT NULL,
  parcel   TEXT NOT NULL,
  leaf     BLOB NOT NULL,
  hash     BLOB NOT NULL,
  CHECK ((seq IS NULL) <> (n IS NULL))
) STRICT;
CREATE INDEX custody_entry_waiting ON custody_entry (seq) WHERE seq IS NOT NULL;
CREATE INDEX custody_entry_order ON custody_entry (order_id, n) WHERE order_id <> '';
CREATE INDEX custody_entry_parcel ON custody_entry (parcel, n) WHERE parcel <> '';

CREATE TABLE custody_tile (
  level INTEGER NOT NULL,
  n     INTEGER NOT NULL,
  data  BLOB NOT NULL,
  PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

-- The signed heads of the log: the newest one, and of the others one for each full tile.
CREATE TABLE custody_checkpoint (
  size INTEGER NOT NULL PRIMARY KEY,
  note TEXT NOT NULL
) STRICT;

-- The log's name and key. sealed is the key that signs.
CREATE TABLE custody_key (
  origin   TEXT NOT NULL PRIMARY KEY,
  verifier TEXT NOT NULL,
  sealed   BLOB NOT NULL
) STRICT;
