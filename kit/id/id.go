// Package id makes identifiers that sort by the time they were made (UUID version 7), on both databases.
package id

import "github.com/google/uuid"

// New returns a new time-ordered identifier.
func New() string { return uuid.Must(uuid.NewV7()).String() }
