// Package importer reads CSV files of items, stock counts and orders, and applies them: the whole file or nothing.
//
// It promises that every problem is told with its physical line, field, value and way out, up to a bound, and that nothing is applied
// while there is one; that no file, however large or broken, takes more than bounded memory; that the same file applied again changes
// nothing, and other content under the same id is refused; and that history never moves today's stock: orders are written as they ended,
// past the ledger, unless open orders are asked for.
//
// A cell is text. What looks like a formula stays the text it is. The package must not import connectors, web, api or app.
package importer
