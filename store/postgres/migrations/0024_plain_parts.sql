-- +goose Up
-- A day's parts are rewritten every few seconds, some ten kilobytes each: to compress them took longer than to write them. What is there stays as
-- it is until it is written again.
ALTER TABLE health_part ALTER data SET STORAGE EXTERNAL;
