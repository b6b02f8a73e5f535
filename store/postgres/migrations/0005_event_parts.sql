-- +goose Up
-- The event log, parted by month of at, so that what is past its keeping goes by the part and not by the row. What there was before
-- becomes the first part as it lies; 0002 has made its key and proved its rows, so this takes a moment. A process that waits here for a
-- long reader would make all others wait behind it: it gives up soon, and the start of the program tries again.
SET LOCAL lock_timeout = '3s';
LOCK TABLE event IN ACCESS EXCLUSIVE MODE;
ALTER TABLE event RENAME TO event_first;
ALTER TABLE event_first DROP CONSTRAINT event_pkey;
ALTER TABLE event_first ADD CONSTRAINT event_first_pkey PRIMARY KEY USING INDEX event_first_pkey;
ALTER INDEX event_subject RENAME TO event_first_subject;

CREATE TABLE event (
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  data    TEXT NOT NULL,
  PRIMARY KEY (seq, at)
) PARTITION BY RANGE (at);
CREATE INDEX event_subject ON event (subject, seq);

-- +goose StatementBegin
DO $$
BEGIN
  EXECUTE 'ALTER TABLE event ATTACH PARTITION event_first FOR VALUES FROM (MINVALUE) TO ('
    || (SELECT substring(pg_get_constraintdef(oid) FROM '[0-9]+') FROM pg_constraint WHERE conname = 'event_first_at' AND conrelid = 'event_first'::regclass) || ')';
END $$;
-- +goose StatementEnd
ALTER TABLE event_first DROP CONSTRAINT event_first_at;

-- Events dated behind the last part made ahead, from where Store.Maintain takes them.
CREATE TABLE event_other PARTITION OF event DEFAULT;
