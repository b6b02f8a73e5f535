// Package shopify simulates one Shopify store: its Admin GraphQL API over real HTTP with state behind it, OAuth
// installation, cost-based throttling, webhooks and bulk operations, in the versions 2025-10 to 2026-10.
//
// It promises that stock is never invented or lost (on_hand is always the sum of its parts), that an order is refused when the units
// are not there and the variant denies overselling, that every rule about comparing quantities and idempotency follows the version
// asked for, and that the same seed, clock and calls give the same identifiers and answers.
//
// A Sim is safe for concurrent use. The HTTP handler also serves /_sandbox/api/, which does over JSON what the exported
// methods do in Go: place and cancel orders, change stock behind the app's back, arrange faults.
//
// Webhooks fire for orders (create, updated, paid, cancelled, fulfilled, partially_fulfilled), fulfillments (create, update),
// inventory_levels (update, connect), bulk_operations/finish and app/uninstalled. Other topics can be subscribed to and stay
// silent, since nothing here makes them happen: orders are not edited, refunded in part or returned.
//
// It must never import a connector or a domain package.
package shopify
