// Package shiphero simulates ShipHero's GraphQL API as far as a seller's orders go: sign-in, orders with shipments, cancelling, stock by warehouse,
// the budget of credits, and webhooks signed with the subscription's secret, over real HTTP and on a clock that is handed in.
//
// It promises: requests are parsed and checked against a schema, a second order_create makes a second order as with the vendor, and both can be
// counted. The schema holds what the documentation names; shapes that it leaves open are the package's own choice.
// It must not import connectors.
package shiphero
