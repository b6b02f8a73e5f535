// Package tiktok connects TikTok Shop: consent and tokens, signed requests, orders, listings and quantities, labels and tracking numbers,
// and its webhooks. See docs/connectors/tiktok.md for setting up a shop.
//
// It promises that every field it reads is documented (a test compares its wire types with the field reference), that a
// request is signed over exactly the bytes sent, that no personal data of a buyer leaves the package (the buyer's id only
// as a keyed hash) but by Recipient, that no label is bought twice, and that every code of the gateway is classed by what to do about it.
//
// "Facts, section n" in comments means the sections of the platform facts the project keeps (tiktok-shop-api.md). The package
// must import the driver contract, domain vocabulary and kit only; it never retries, sleeps, or logs a buyer's data.
package tiktok
