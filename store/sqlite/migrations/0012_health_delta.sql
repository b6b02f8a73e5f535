-- +goose Up
-- What waits to be added to the sums is two rows of two tables: what is added every second, and what is added later. What waits in the old form is
-- dropped, and so is the note that all orders were counted: they are counted anew, which puts right what is missing.
DROP TABLE health_delta;
CREATE TABLE health_delta (
  seq  INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE health_part_delta (
  seq   INTEGER PRIMARY KEY,
  parts BLOB NOT NULL,
  flow  BLOB NOT NULL
) STRICT;
DELETE FROM health_state WHERE name = 'count';
