// Package routing decides from which nodes an order leaves, by which carrier and on which day: for one order exactly, and for all open
// orders together before each wave.
//
// It promises: the same input gives the same plan, whatever the order of nodes and lines; a plan never takes more than is available, never a
// node that something excludes, never more orders a day than a node gets done; what a plan costs is the sum of the parts it names; a plan of
// one order is the cheapest there is, or says that it is not proven and how much cheaper one could be; a plan of all is never dearer than
// routing them one by one, and says a bound below which no plan can cost. Model, proofs and figures: docs/decisions/routing.md.
//
// It is pure: stock, nodes, rules and the time are handed in. It must never import stores, connectors, clocks or randomness, and it knows
// neither how far zones are (a Transit is handed in) nor how boxes are packed.
package routing
