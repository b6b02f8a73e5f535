// Package network is the places orders leave from, as they say of themselves: what kind of place, where it is, when it works and how
// much it gets done, which carriers come when, what it can handle, and what it costs.
//
// It promises that a Node that passes Check can be worked with by everybody who plans: hours follow from it for every day, daylight saving
// and closures included, and no cost is in a currency other than the node's. It knows nothing of orders or stock: which node an order
// leaves from is decided in routing, when it leaves in forecast. It must never import them.
package network
