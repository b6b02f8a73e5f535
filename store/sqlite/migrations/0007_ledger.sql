-- +goose Up
-- The journal takes a row for each reservation: what its indexes cost is paid by every order.

-- Movements that follow from an order have its id at the beginning of theirs; only the others are found by what they refer to.
DROP INDEX movement_ref;
CREATE INDEX movement_ref ON movement (ref, seq) WHERE ref <> '' AND kind NOT IN ('reserve', 'release', 'expire', 'ship', 'cancel', 'displace');

-- A moment is found by every 256th movement and the few after it.
DROP INDEX movement_recorded;
CREATE INDEX movement_recorded ON movement (recorded_at, seq) WHERE seq % 256 = 0;
