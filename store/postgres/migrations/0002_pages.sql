-- +goose NO TRANSACTION
-- +goose Up
-- What pages ask of many orders, and an event log that can be dropped month by month. Nothing here holds up those who write for longer
-- than a moment, so processes of the version before go on meanwhile. Each step may run twice: cut off, the whole begins anew.

-- A buyer's newest orders: somebody may have bought ten thousand times.
DROP INDEX CONCURRENTLY IF EXISTS orders_buyer_newest;
CREATE INDEX CONCURRENTLY orders_buyer_newest ON orders (buyer_hash, created_at, id) WHERE buyer_hash <> '';
DROP INDEX CONCURRENTLY IF EXISTS orders_buyer;

-- Orders that are over, newest first. Open ones are not in it, so taking one in costs nothing here.
DROP INDEX CONCURRENTLY IF EXISTS orders_ended;
CREATE INDEX CONCURRENTLY orders_ended ON orders (status, created_at, id) WHERE status IN ('in_transit', 'delivered', 'completed', 'cancelled');

-- Further ids people know an order by: of parcels, cancellations, returns, and of the order it replaces.
CREATE TABLE IF NOT EXISTS order_ref (
  ref      TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (ref, order_id)
);

INSERT INTO order_ref (ref, order_id)
SELECT ref, id FROM (
  SELECT o.body::jsonb ->> 'related_order' AS ref, o.id FROM orders o
  UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.cancellations[*].id') AS p(v)
  UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.returns[*].id') AS p(v)
  UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.lines[*].units[*].package_ref') AS p(v)
) AS refs WHERE ref <> '' ON CONFLICT DO NOTHING;

-- What 0005 needs to part the event log in a moment: its new key, and the proof that all of its rows are from before the first cut.
ALTER TABLE event DROP CONSTRAINT IF EXISTS event_first_at;
-- +goose StatementBegin
DO $$
BEGIN
  EXECUTE format('ALTER TABLE event ADD CONSTRAINT event_first_at CHECK (at < %s) NOT VALID',
    (extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC' + interval '2 days') + interval '1 month') * 1000000)::bigint);
END $$;
-- +goose StatementEnd
ALTER TABLE event VALIDATE CONSTRAINT event_first_at;
DROP INDEX CONCURRENTLY IF EXISTS event_first_pkey;
CREATE UNIQUE INDEX CONCURRENTLY event_first_pkey ON event (seq, at);
