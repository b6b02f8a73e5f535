-- +goose NO TRANSACTION
-- +goose Up
-- Until when the first of an order's returns and refunds wants an answer: a few of all orders, looked at every few seconds.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS answer_by BIGINT;
DROP INDEX CONCURRENTLY IF EXISTS orders_answer;
CREATE INDEX CONCURRENTLY orders_answer ON orders (answer_by, id) WHERE answer_by IS NOT NULL;
