// Package shipbob simulates ShipBob's API of version 2026-07 as far as a seller's orders go: orders and their cancelling, stock by fulfilment
// centre, and webhooks signed by the Standard Webhooks rule, over real HTTP and on a clock that is handed in.
//
// It promises: a reference id is taken once for a channel and refused after, pages and limits are those documented, and what a request did can be
// counted from the outside. It is written from the published documentation; shapes that those leave open are the package's own choice.
// It must not import connectors.
package shipbob
