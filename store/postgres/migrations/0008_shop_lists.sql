-- +goose NO TRANSACTION
-- +goose Up
-- A shop's orders of one status, newest first. Its open ones by deadline are found in orders_status, whose entries end with the order's id and so
-- say whose it is.
DROP INDEX CONCURRENTLY IF EXISTS orders_shop;
CREATE INDEX CONCURRENTLY orders_shop ON orders (connection_id, status, created_at, id);
