// Package reconcile reads what a seller can export from a sales channel's own pages (orders, performance, violations, the account's rating), as CSV
// or XLSX, and sets it beside what Spillway counts.
//
// It promises that every row of a file is taken, or told with its line and reason, or counted as blank or as one of a metric that is not compared:
// none is lost. A file with wrong rows is refused whole unless asked otherwise. What came of files is kept whole or not at all, and once for the same
// files. Whatever a file holds, it takes bounded memory and time. A cell is text: formulas are not computed, and what is exported cannot become one.
//
// The comparison itself is domain/reconcile's. This package must not import connectors, web, api or app.
package reconcile
