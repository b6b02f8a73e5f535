// Package allocation decides how many units every listing may show, and keeps the exposure book that makes the
// decision safe.
//
// A channel sells from the last number it was told without asking us. Its exposure is the most it could still sell
// that we do not know of. The package promises, for guarded items: as long as the caller follows the protocol below,
// the sum of all exposures plus the buffer never exceeds the units that may be promised, whatever is delayed, lost,
// doubled, reordered or cut off by a crash. Proof sketch and measured figures: docs/decisions/allocation.md.
//
// Protocol, all steps of one item under one database transaction each:
//
//  1. Every learned sale and cancellation changes the stock ledger and the Book together (SaleKnown, CancelKnown).
//  2. Targets and Plan read ledger and books; PushSent is stored before the request leaves.
//  3. The answer is stored with PushConfirmed, PushRefused, Mismatch or PushUnknown. After a restart every push
//     still in flight is PushUnknown.
//  4. A finished order poll is stored with SalesKnownUntil; reading a channel is ReadStarted, then ReadDone.
//
// The package is pure: it does no I/O, reads no clock, uses no randomness and never imports store, ops, connector or sim.
package allocation
