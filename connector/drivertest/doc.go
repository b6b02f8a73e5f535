// Package drivertest is the contract every vendor passes: one suite of tests that runs a driver, through a
// connector.Session, over real HTTP against the vendor's simulator.
//
// It promises that a vendor which passes can be trusted by the rest of the program: complete and repeatable reads, pushes
// whose outcome is never guessed, failures classed by what to do, and webhooks that cannot be forged and do not crash; and that
// whoever ships pays no label twice, is told of each parcel once, and keeps addresses out of logs.
//
// A vendor's test fills a Harness and calls Run, a shipper's fills a Shipping and calls RunShipping; what the vendor declares not to support is skipped by its own
// capability table. The package names no vendor and is imported by tests only.
package drivertest
