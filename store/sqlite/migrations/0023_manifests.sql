-- +goose Up
-- Carriers' own lists of what a van fetches, one for each account and carrier.
CREATE TABLE carrier_manifest (
  id      TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  node    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX carrier_manifest_node ON carrier_manifest (node, at);
CREATE INDEX carrier_manifest_old ON carrier_manifest (at);

-- Labels that are on a manifest, each on one, or were put on a van without.
CREATE TABLE manifest_parcel (
  label       TEXT NOT NULL PRIMARY KEY, -- the shipment and the shipper's id of its label
  shipment_id TEXT NOT NULL,
  node        TEXT NOT NULL,
  manifest_id TEXT NOT NULL, -- empty: on none
  at          INTEGER NOT NULL, -- when it was put on the manifest, or on the van
  struck      INTEGER NOT NULL -- 1: its label was taken back since
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_parcel_on ON manifest_parcel (manifest_id, shipment_id) WHERE manifest_id <> '';
CREATE INDEX manifest_parcel_left ON manifest_parcel (node, at) WHERE manifest_id = '';
CREATE INDEX manifest_parcel_old ON manifest_parcel (at);
