-- +goose Up
-- The event log is parted in PostgreSQL only; both databases count their schema alike, so that a backup of one fits the other.
SELECT 1;
