-- +goose Up
-- What is said of the places orders leave from. A row is never changed: the one of the greatest version holds, the others are its history.
CREATE TABLE node (
  id      TEXT NOT NULL, -- that of its location
  version BIGINT NOT NULL CHECK (version > 0),
  body    TEXT NOT NULL,
  actor   TEXT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (id, version)
);

-- What a token may do, as words with spaces between. Empty: everything, as those made before could.
ALTER TABLE api_token ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
