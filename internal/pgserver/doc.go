// Package pgserver starts throw-away PostgreSQL servers from the programs installed on the machine, in temporary folders, for tests and
// measurements. It promises that a server never touches one that is there already, and that Close leaves nothing behind.
package pgserver
