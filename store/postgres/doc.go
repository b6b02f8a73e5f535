// Package postgres opens a PostgreSQL database (14 or newer) that any number of processes may share. Rows are locked in a fixed order in
// READ COMMITTED transactions; reads get a repeatable snapshot.
//
// It promises what package sqlcore asks of an engine. Only package store and tests import it.
package postgres
