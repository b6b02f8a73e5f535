-- +goose Up
-- Until when the first of an order's returns and refunds wants an answer: a few of all orders, looked at every few seconds.
ALTER TABLE orders ADD COLUMN answer_by INTEGER;
CREATE INDEX orders_answer ON orders (answer_by, id) WHERE answer_by IS NOT NULL;
