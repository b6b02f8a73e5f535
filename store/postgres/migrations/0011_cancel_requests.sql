-- +goose NO TRANSACTION
-- +goose Up
-- Requests to cancel that want an answer: a few of all orders, looked at every few seconds.
DROP INDEX CONCURRENTLY IF EXISTS orders_cancel_open;
CREATE INDEX CONCURRENTLY orders_cancel_open ON orders (connection_id, id) WHERE cancel_open;
