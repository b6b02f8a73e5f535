// Package shipbob is the logistics provider ShipBob behind the carrier contract: orders are handed over, followed and cancelled, and its stock is
// read, by its API of version 2026-07.
//
// It promises: an order is handed over once, since ShipBob refuses a reference id it has; a webhook is believed only with its signature of
// the last minutes; an order that has left is never said to be cancelled. ShipBob makes the labels itself and gives none away.
// It must not import stores, operations or simulators.
package shipbob
