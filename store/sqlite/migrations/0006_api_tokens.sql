-- +goose Up
-- Keys of programs that call the JSON API. Only a hash is kept: a copy of the database opens nothing.
CREATE TABLE api_token (
  id         TEXT NOT NULL PRIMARY KEY,
  name       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;
