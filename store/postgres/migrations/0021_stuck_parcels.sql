-- +goose Up
-- From when on a parcel counts as stuck if nothing more is heard of it; none: there is nothing to wait for. Parcels that left before this column was
-- there get it with the next thing that is heard of them.
ALTER TABLE shipment ADD COLUMN watch_at BIGINT;
CREATE INDEX shipment_watch ON shipment (watch_at, node, id) WHERE watch_at IS NOT NULL;
