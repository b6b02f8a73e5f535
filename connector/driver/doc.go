// Package driver is what a vendor implements: verify and decode its webhooks, exchange and refresh its logins, read its
// orders, listings and quantities, and set quantities. Everything alike for all vendors (pacing, retries, token refresh,
// metrics, redaction) is done once by package connector around these interfaces.
//
// A driver reports facts in the vocabulary of the domain (order.Fact and the small types here) and keeps its vendor's words to
// itself. It returns raw errors classed by what to do (Error); it never retries, never sleeps, never logs, never reads
// a database. It may import domain vocabulary and kit, nothing else of ours.
package driver
