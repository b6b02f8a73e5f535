// Package risk gives, at the moment an order is placed, the chance that it will be dispatched late: learned from the shop's own orders, and
// learned again as there are more of them. A [History] is told what happened in the order in which it became known and keeps small decaying
// sketches by node, item, category and region; it turns a new order into [Features] and, once the order's fate is known, into a sample.
// [Learn] turns samples into a [Model], which gives a chance, says in words why, and knows the period, size and scores it was learned with.
//
// It promises: nothing is used before it was known (a hand-over counts from when it happened, a missed deadline from when it passed); the
// same events give the same model, to the last bit on one machine; memory is bounded by named constants; a model with too little to learn
// from says so and gives the base rate; a chance is never NaN and never 0 or 1. What was measured is in docs/decisions/late-risk.md.
//
// It does no I/O, reads no clock, draws nothing, and imports only business time.
package risk
