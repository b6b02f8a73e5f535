-- +goose Up
-- A parcel on its way out of the door. body is all of it; the other columns are what it is found by. look_at is when the next step outside is due.
CREATE TABLE shipment (
  id            TEXT NOT NULL PRIMARY KEY,
  connection_id TEXT NOT NULL,
  node          TEXT NOT NULL,
  wave_id       TEXT NOT NULL,
  step          TEXT NOT NULL,
  due           BIGINT NOT NULL, -- the largest number if it has no deadline
  look_at       BIGINT,
  tracking      TEXT NOT NULL,
  ref           TEXT NOT NULL,
  body          TEXT NOT NULL,
  version       BIGINT NOT NULL
);
CREATE INDEX shipment_look ON shipment (connection_id, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX shipment_floor ON shipment (node, step, due, id) WHERE step <> 'rest';
CREATE INDEX shipment_wave ON shipment (wave_id, due, id) WHERE wave_id <> '';
CREATE INDEX shipment_tracking ON shipment (tracking) WHERE tracking <> '';
CREATE INDEX shipment_ref ON shipment (ref) WHERE ref <> '';

CREATE TABLE shipment_order (
  order_id    TEXT NOT NULL,
  shipment_id TEXT NOT NULL,
  PRIMARY KEY (order_id, shipment_id)
);

-- What is printed. A label holds an address, so it is sealed, and forgotten some time after the parcel has left.
CREATE TABLE shipment_document (
  id          TEXT NOT NULL PRIMARY KEY,
  shipment_id TEXT NOT NULL,
  kind        TEXT NOT NULL,
  type        TEXT NOT NULL,
  sealed      BYTEA NOT NULL,
  at          BIGINT NOT NULL
);
CREATE INDEX shipment_document_of ON shipment_document (shipment_id, at);
CREATE INDEX shipment_document_at ON shipment_document (at);

-- An account with whoever ships and sells nothing. sealed are its secrets.
CREATE TABLE carrier_account (
  id         TEXT NOT NULL PRIMARY KEY,
  carrier    TEXT NOT NULL,
  name       TEXT NOT NULL,
  settings   TEXT NOT NULL,
  sealed     BYTEA NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL
);
