// Package forecast says what a shop's rates will be, and with what certainty, before they are: for every open order the chance that it misses
// its deadline, for every rate its distribution today and on each of the next days, the chance that several break together, the smallest set
// of orders that keeps a rate inside its limit, and when that is worth waking somebody.
//
// It promises: the same input gives the same answer (shocks that all orders share are integrated over fixed points, what is independent is
// summed, nothing is drawn); a chance is never NaN; a rate of nothing and a day without a rule are states of their own; whatever rests on an
// assumption instead of this shop's own history is named in Forecast.Assumed. The formulas and what was measured are in
// docs/decisions/forecast.md.
//
// It does no I/O, reads no clock, and knows neither how rates are counted into tallies (package health) nor any vendor.
package forecast
