-- +goose Up
-- Requests to cancel that want an answer: a few of all orders, looked at every few seconds.
CREATE INDEX orders_cancel_open ON orders (connection_id, id) WHERE cancel_open;
