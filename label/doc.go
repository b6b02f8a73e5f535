// Package label draws what a warehouse prints on 4 × 6 inch labels: shipping labels of our own, packing slips, pick lists and hand-over manifests,
// as ZPL for label printers and as PDF.
//
// Each is laid out once, in points on pages of 288 × 432, and written by two writers. Promised: everything is on the page, every barcode has its
// quiet zone and modules of whole dots, and no text, whoever wrote it, can be taken for a command. Text is printed in the Go fonts, embedded
// in part: they are BSD-licensed, come as a Go module and cover Latin, Greek and Cyrillic. What they lack is a box in a PDF and is left to the
// printer's fonts in ZPL.
//
// A label that a marketplace or a carrier issued is not drawn here: it is printed as it came. The package imports kit only.
package label
