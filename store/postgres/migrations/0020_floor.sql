-- +goose Up
-- What a warehouse works on. body is all of a row; the other columns are what it is found by.
CREATE TABLE floor_wave (
  id      TEXT NOT NULL PRIMARY KEY,
  node    TEXT NOT NULL,
  state   TEXT NOT NULL, -- open or done
  body    TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX floor_wave_open ON floor_wave (node, id) WHERE state = 'open';

CREATE TABLE floor_task (
  id      TEXT NOT NULL PRIMARY KEY,
  wave_id TEXT NOT NULL,
  place   BIGINT NOT NULL, -- on the walk
  body    TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX floor_task_wave ON floor_task (wave_id, place);

-- Which station has which parcel, and how far it is packed.
CREATE TABLE floor_claim (
  shipment_id TEXT NOT NULL PRIMARY KEY,
  station     TEXT NOT NULL,
  body        TEXT NOT NULL,
  version     BIGINT NOT NULL
);
CREATE INDEX floor_claim_station ON floor_claim (station);

-- Every scan and what was said to it. The id is made where it was scanned, so that a scan sent twice counts once.
CREATE TABLE floor_scan (
  id   TEXT NOT NULL PRIMARY KEY,
  at   BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX floor_scan_at ON floor_scan (at);

-- Parcels on the exceptions bench.
CREATE TABLE floor_trouble (
  shipment_id TEXT NOT NULL PRIMARY KEY,
  node        TEXT NOT NULL,
  at          BIGINT NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX floor_trouble_node ON floor_trouble (node, at);
