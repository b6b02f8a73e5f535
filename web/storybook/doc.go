// Package storybook is a control room without a warehouse: a web.Backend over a small invented shop held in memory, so that
// every page and every state of a page can be looked at, tested and worked on without a database or a channel.
//
// It promises that its figures agree with each other (balances with the journal, exposures with available stock) and that its
// actions do what their previews say. It is for tests and for people who work on pages; the product never imports it.
package storybook
