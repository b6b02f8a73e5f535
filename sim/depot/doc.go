// Package depot is the floor behind simulated logistics providers: shelves with stock, orders that are picked, packed, shipped and delivered as a
// clock goes on, and what cannot be shipped because nothing is left.
//
// It promises: units are never taken twice, an order that has shipped is never cancelled, and the same calls with the same clock and seed
// give the same tracking numbers. How an order is asked for and told of is the providers' business: this package serves no HTTP.
// It must not import connectors.
package depot
