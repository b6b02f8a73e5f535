-- +goose NO TRANSACTION
-- +goose Up
-- The journal takes a row for each reservation: what its indexes cost is paid by every order. Nothing here holds up those who write, and
-- each step may run twice.

-- Movements that follow from an order have its id at the beginning of theirs; only the others are found by what they refer to.
DROP INDEX CONCURRENTLY IF EXISTS movement_of_ref;
CREATE INDEX CONCURRENTLY movement_of_ref ON movement (ref, seq) WHERE ref <> '' AND kind NOT IN ('reserve', 'release', 'expire', 'ship', 'cancel', 'displace');
DROP INDEX CONCURRENTLY IF EXISTS movement_ref;

-- A moment is found by every 256th movement and the few after it.
DROP INDEX CONCURRENTLY IF EXISTS movement_recorded_mark;
CREATE INDEX CONCURRENTLY movement_recorded_mark ON movement (recorded_at, seq) WHERE seq % 256 = 0;
DROP INDEX CONCURRENTLY IF EXISTS movement_recorded;
