-- +goose Up
-- PostgreSQL no longer compresses the parts of a day. SQLite never did.
SELECT 1;
