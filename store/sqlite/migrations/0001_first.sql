-- +goose Up
-- What is sold.
CREATE TABLE item (
  id         TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  sku        TEXT NOT NULL UNIQUE,
  title      TEXT NOT NULL,
  barcode    TEXT NOT NULL,
  search     TEXT NOT NULL, -- lower case SKU, title and barcode
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE component (
  item_id TEXT NOT NULL REFERENCES item (id),
  part_id TEXT NOT NULL REFERENCES item (id),
  place   INTEGER NOT NULL,
  qty     INTEGER NOT NULL CHECK (qty > 0),
  PRIMARY KEY (item_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX component_part ON component (part_id);

CREATE TABLE listing (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  external_sku  TEXT NOT NULL,
  product_id    TEXT NOT NULL,
  item_ref      TEXT NOT NULL,
  seller_sku    TEXT NOT NULL,
  title         TEXT NOT NULL,
  item_id       TEXT REFERENCES item (id), -- null: not mapped
  locations     TEXT NOT NULL,
  active        INTEGER NOT NULL,
  mode          TEXT NOT NULL,
  rules         TEXT NOT NULL,
  updated_at    INTEGER NOT NULL,
  UNIQUE (connection_id, external_sku)
) STRICT;
CREATE INDEX listing_item ON listing (item_id);

CREATE TABLE location (
  id            TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  name          TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('own', '3pl', 'coop', 'marketplace', 'fbt', 'transit', 'returns')),
  serves        TEXT NOT NULL,
  external_refs TEXT NOT NULL,
  active        INTEGER NOT NULL
) STRICT;

-- The ledger. The checks are the last guard: were the rules ever wrong, the batch would fail and not oversell.
CREATE TABLE balance (
  item_id     TEXT NOT NULL REFERENCES item (id),
  location_id TEXT NOT NULL REFERENCES location (id),
  on_hand     INTEGER NOT NULL,
  reserved    INTEGER NOT NULL,
  damaged     INTEGER NOT NULL,
  version     INTEGER NOT NULL CHECK (version > 0),
  PRIMARY KEY (item_id, location_id),
  CONSTRAINT balance_reserved CHECK (reserved >= 0),
  CONSTRAINT balance_damaged CHECK (damaged >= 0),
  CONSTRAINT balance_not_oversold CHECK (reserved + damaged <= on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE movement (
  seq            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL CONSTRAINT movement_id UNIQUE,
  at             INTEGER NOT NULL,
  recorded_at    INTEGER NOT NULL,
  kind           TEXT NOT NULL,
  item_id        TEXT NOT NULL,
  location_id    TEXT NOT NULL,
  on_hand        INTEGER NOT NULL,
  reserved       INTEGER NOT NULL,
  damaged        INTEGER NOT NULL,
  on_hand_after  INTEGER NOT NULL,
  reserved_after INTEGER NOT NULL CHECK (reserved_after >= 0),
  damaged_after  INTEGER NOT NULL CHECK (damaged_after >= 0),
  ref            TEXT NOT NULL,
  line           TEXT NOT NULL,
  reason         TEXT NOT NULL,
  actor          TEXT NOT NULL,
  reverses       TEXT,
  CONSTRAINT movement_not_oversold CHECK (reserved_after + damaged_after <= on_hand_after)
) STRICT;
CREATE INDEX movement_item ON movement (item_id, location_id, seq);
CREATE INDEX movement_recorded ON movement (recorded_at, seq);
CREATE INDEX movement_ref ON movement (ref, seq) WHERE ref <> '';
CREATE UNIQUE INDEX movement_reversed_once ON movement (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE reservation (
  order_id      TEXT NOT NULL,
  line_id       TEXT NOT NULL,
  item_id       TEXT NOT NULL,
  location_id   TEXT NOT NULL, -- empty: what no location has
  connection_id TEXT NOT NULL,
  pool          TEXT NOT NULL,
  held          INTEGER NOT NULL CHECK (held >= 0),
  shipped       INTEGER NOT NULL CHECK (shipped >= 0),
  short         INTEGER NOT NULL CHECK (short >= 0),
  unbooked      INTEGER NOT NULL CHECK (unbooked >= 0),
  expires_at    INTEGER,
  due           INTEGER,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  version       INTEGER NOT NULL CHECK (version > 0),
  PRIMARY KEY (order_id, line_id, item_id, location_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_open ON reservation (item_id, location_id) WHERE held > 0 OR short > 0 OR unbooked > 0;
CREATE INDEX reservation_expires ON reservation (expires_at) WHERE expires_at IS NOT NULL AND (held > 0 OR short > 0 OR unbooked > 0);
CREATE INDEX reservation_short ON reservation (order_id, item_id) WHERE short > 0 OR unbooked > 0;

-- Orders: the JSON form, and the columns that questions are asked by.
CREATE TABLE orders (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  external_id   TEXT NOT NULL,
  number        TEXT NOT NULL,
  status        TEXT NOT NULL,
  buyer_hash    TEXT NOT NULL,
  needs_detail  INTEGER NOT NULL,
  cancel_open   INTEGER NOT NULL,
  due           INTEGER, -- next deadline; null: none binds
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  saved_at      INTEGER NOT NULL,
  body          TEXT NOT NULL,
  version       INTEGER NOT NULL CHECK (version > 0)
) STRICT;
CREATE INDEX orders_external ON orders (external_id);
CREATE INDEX orders_number ON orders (number) WHERE number <> '';
CREATE INDEX orders_buyer ON orders (buyer_hash) WHERE buyer_hash <> '';
CREATE INDEX orders_detail ON orders (connection_id, saved_at) WHERE needs_detail;
CREATE INDEX orders_created ON orders (created_at, id);
CREATE INDEX orders_status ON orders (status, due, created_at, id);

-- The event log is the outbox.
CREATE TABLE event (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  data    TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject, seq);

-- What channels were told.
CREATE TABLE channel_book (
  listing_id    TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  told          INTEGER, -- null: never confirmed
  exposure      INTEGER NOT NULL CHECK (exposure >= 0),
  desired       INTEGER NOT NULL CHECK (desired >= 0),
  state         TEXT NOT NULL,
  updated_at    INTEGER NOT NULL,
  revision      INTEGER NOT NULL CHECK (revision > 0)
) STRICT;

CREATE TABLE hold (
  id            TEXT NOT NULL PRIMARY KEY,
  item_id       TEXT NOT NULL REFERENCES item (id),
  listing_id    TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  qty           INTEGER NOT NULL CHECK (qty > 0),
  sold          INTEGER NOT NULL DEFAULT 0,
  from_at       INTEGER NOT NULL,
  until_at      INTEGER NOT NULL,
  title         TEXT NOT NULL,
  created_by    TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  CHECK (from_at < until_at),
  CHECK ((listing_id = '') <> (connection_id = ''))
) STRICT;
CREATE INDEX hold_until ON hold (until_at);

CREATE TABLE drift (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  listing_id  TEXT NOT NULL,
  expected    INTEGER NOT NULL,
  found       INTEGER NOT NULL,
  found_at    INTEGER NOT NULL,
  repaired_at INTEGER NOT NULL, -- 0: not yet
  actor       TEXT NOT NULL
) STRICT;
CREATE INDEX drift_open ON drift (listing_id) WHERE repaired_at = 0;

CREATE TABLE push_log (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  listing_id    TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind          TEXT NOT NULL,
  qty           INTEGER NOT NULL,
  outcome       TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  answered_at   INTEGER NOT NULL, -- 0: no answer came
  error         TEXT NOT NULL
) STRICT;
CREATE INDEX push_log_listing ON push_log (listing_id, seq);
CREATE INDEX push_log_sent ON push_log (sent_at);

-- Connected shops. What is sealed is encrypted with the operator's key.
CREATE TABLE app (
  id         TEXT NOT NULL PRIMARY KEY,
  vendor     TEXT NOT NULL,
  app_key    TEXT NOT NULL,
  sealed     BLOB NOT NULL,
  settings   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE seller_grant (
  id                 TEXT NOT NULL PRIMARY KEY,
  app_id             TEXT NOT NULL,
  subject            TEXT NOT NULL,
  seller_name        TEXT NOT NULL,
  scopes             TEXT NOT NULL,
  sealed             BLOB NOT NULL,
  access_expires_at  INTEGER NOT NULL,
  refresh_expires_at INTEGER NOT NULL,
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL
) STRICT;

CREATE TABLE connection (
  id            TEXT NOT NULL PRIMARY KEY,
  vendor        TEXT NOT NULL,
  name          TEXT NOT NULL,
  app_id        TEXT NOT NULL,
  grant_id      TEXT NOT NULL,
  external_id   TEXT NOT NULL,
  region        TEXT NOT NULL,
  shop_settings TEXT NOT NULL,
  settings      TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('active', 'paused', 'needs login', 'withdrawn')),
  state_reason  TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE watermark (
  connection_id TEXT NOT NULL,
  stream        TEXT NOT NULL,
  at            INTEGER NOT NULL,
  cursor        TEXT NOT NULL,
  PRIMARY KEY (connection_id, stream)
) STRICT, WITHOUT ROWID;

-- People.
CREATE TABLE app_user (
  id            TEXT NOT NULL PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role          TEXT NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
  token      TEXT NOT NULL PRIMARY KEY,
  data       BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
