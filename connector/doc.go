// Package connector is the portable side of vendors: what is alike for all of them is written here once, around the
// small interfaces of connector/driver.
//
// It promises that calls through a Session are paced, retried only where that is safe, logged in a bounded ring without
// secrets, answered within a bounded time, and cut off quickly while a channel is dead; that a login is renewed by one
// caller at a time and never behind a token that still works; and that every push gets exactly one result, Unknown
// whenever it may have been applied.
//
// It never names a vendor and imports no use-case, store or page: it may import the driver contract, kit and libraries.
package connector
