// Package catalog is what the seller sells: items with their SKU, bundles made of items, and listings, which are the places on a
// channel where an item is offered.
//
// It promises that a bundle is made of simple items only (bundles do not nest), so that exploding a sale into the units it takes
// from stock is one step, and that every listing belongs to one connection and at most one item.
//
// It is pure: no database, network, clock or logging, and no vendor's name.
package catalog
