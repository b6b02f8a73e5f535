// Package shopify connects Shopify stores: orders, stock, tracking numbers and webhooks through the Admin GraphQL API.
//
// It promises to work on every supported API version from 2025-10 on although the rules for writing stock changed four
// times (version.go), to write stock by compare-and-set with an idempotency key made of the push ids, to send no request that
// Shopify's point budget would refuse, and to report one canonical order whether it came as GraphQL, as a webhook or as a
// bulk file.
//
// External ids are the short numbers ("4567"), never the long form "gid://shopify/Order/4567". No personal data leaves the
// package but by Recipient: none is asked for elsewhere, and none of what webhooks carry is put into a fact.
//
// It must never import a store, a use-case, a simulator or another connector.
package shopify
