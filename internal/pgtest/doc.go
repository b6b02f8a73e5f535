// Package pgtest gives tests a real PostgreSQL: one throw-away server for each test binary, one schema for each test.
//
// It promises that a test either runs on a fresh, empty schema or is skipped with a message that says how to get PostgreSQL; with
// SPILLWAY_REQUIRE=postgres in the environment it fails instead, so that a gate cannot pass by not looking.
//
// It imports nothing of ours and is imported by tests only.
package pgtest
