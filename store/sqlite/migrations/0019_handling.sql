-- +goose Up
-- What one unit of an item is like: its weight, its sides, what it needs, where it was made.
CREATE TABLE item_physical (
  item_id TEXT NOT NULL PRIMARY KEY REFERENCES item (id),
  version INTEGER NOT NULL CHECK (version > 0),
  body    TEXT NOT NULL,
  actor   TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Boxes and bags to pack in. One that is not used any more is said to be inactive, so that parcels packed in it keep its name.
CREATE TABLE carton (
  id      TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL CHECK (version > 0),
  body    TEXT NOT NULL,
  actor   TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Shelves of a node, in the order in which a picker comes by.
CREATE TABLE bin (
  node TEXT NOT NULL,
  code TEXT NOT NULL,
  walk INTEGER NOT NULL, -- 0: by its code
  PRIMARY KEY (node, code)
) STRICT, WITHOUT ROWID;

-- Which items lie on them.
CREATE TABLE bin_item (
  item_id TEXT NOT NULL REFERENCES item (id),
  node    TEXT NOT NULL,
  code    TEXT NOT NULL,
  is_first INTEGER NOT NULL, -- 1: where a picker looks first
  PRIMARY KEY (item_id, node, code),
  FOREIGN KEY (node, code) REFERENCES bin (node, code)
) STRICT, WITHOUT ROWID;
