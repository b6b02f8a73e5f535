// Package shiphero is the logistics provider ShipHero, or a warehouse run with its software, behind the carrier contract: orders are handed over,
// followed and cancelled, and stock is read, by its public GraphQL API.
//
// It promises: ShipHero takes the same order twice, so an order is looked for before it is created, and what may have been created is never created
// again without looking; credits are asked for sparingly and waited for; a webhook is believed only with its signature. There are no labels to fetch.
// It must not import stores, operations or simulators.
package shiphero
