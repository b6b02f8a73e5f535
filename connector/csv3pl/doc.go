// Package csv3pl is any logistics provider that exchanges CSV files, over SFTP or in a folder: orders and cancellations go out, shipments and stock
// come in. The same shipment rows may come over a signed webhook instead.
//
// It promises: a file is seen whole or not at all, in both directions; file names carry ids, so that nothing is taken twice; a bad line is told with its
// number and stops no other line; no cell that goes out is a formula; and a server is spoken to only if its key is the one that was stored.
// It must not import stores, operations or simulators.
package csv3pl
