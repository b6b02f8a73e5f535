// Package dummy is the teaching connector: a complete vendor, as small as one can be, to copy when you write another.
// It talks to sim/dummy, passes connector/drivertest, and is offered to nobody in a running program.
//
// Copy it in this order: vendor.go (what it is), call.go (one request, and what each failure means), auth.go (consent),
// channel.go (reads and writes), webhook.go (what it sends us), ship.go and tell.go (labels, tracking numbers and addresses, where there
// are any), then write the vendor's simulator and fill a drivertest.Harness and a drivertest.Shipping. The wire types stand beside the code that reads them; nothing of them leaves the package.
//
// It must import the driver contract, domain vocabulary and kit, and nothing else of ours.
package dummy
