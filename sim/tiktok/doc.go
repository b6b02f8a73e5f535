// Package tiktok simulates the TikTok Shop Open API: consent and tokens, signed calls, products and stock, orders and
// their deadlines, fulfilment, cancellations, returns, FBT stock and webhooks, over real HTTP.
//
// It promises that answers carry documented fields and types only, that orders move only along the documented
// transitions, that stock is never sold beyond what was last set, and that with a virtual clock and a seed every run is
// the same. Where the documentation is silent, the comment at the spot says which reading was chosen.
//
// It is also a sandbox for people: Handler serves a page under /_sandbox/ to place orders, move them, arrange faults
// and watch webhooks.
//
// It must never import a connector or a domain package.
package tiktok
