// Package dummy simulates the smallest shop platform there could be: two SKUs to a product, a few warehouses, orders, one
// webhook. It exists for the teaching connector and for tests of what is alike for all vendors.
//
// It promises real HTTP, state that stays consistent under concurrent calls, and the faults of sim/world. It speaks a
// protocol of our own invention; see docs/connectors/dummy.md. It must never import a connector or a domain package.
package dummy
