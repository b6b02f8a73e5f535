-- +goose Up
-- What pages ask of many orders.

-- A buyer's newest orders: somebody may have bought ten thousand times.
DROP INDEX orders_buyer;
CREATE INDEX orders_buyer ON orders (buyer_hash, created_at, id) WHERE buyer_hash <> '';

-- Orders that are over, newest first. Open ones are not in it, so taking one in costs nothing here.
CREATE INDEX orders_ended ON orders (status, created_at, id) WHERE status IN ('in_transit', 'delivered', 'completed', 'cancelled');

-- Further ids people know an order by: of parcels, cancellations, returns, and of the order it replaces.
CREATE TABLE order_ref (
  ref      TEXT NOT NULL,
  order_id TEXT NOT NULL,
  PRIMARY KEY (ref, order_id)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO order_ref (ref, order_id)
SELECT o.body ->> '$.related_order', o.id FROM orders o WHERE o.body ->> '$.related_order' <> ''
UNION SELECT c.value ->> '$.id', o.id FROM orders o, json_each(o.body, '$.cancellations') c WHERE c.value ->> '$.id' <> ''
UNION SELECT r.value ->> '$.id', o.id FROM orders o, json_each(o.body, '$.returns') r WHERE r.value ->> '$.id' <> ''
UNION SELECT u.value ->> '$.package_ref', o.id FROM orders o, json_each(o.body, '$.lines') l, json_each(l.value, '$.units') u
  WHERE u.value ->> '$.package_ref' <> '';
