// Package worlds runs random selling worlds against the real allocation rules: channels of every kind, late, lost,
// doubled and reordered messages, requests of unknown fate, crashes, live holds, bundles, cancellations, returns.
//
// It is a discrete-event simulation with its own clock: the same seed gives the same world, step by step, and a
// world of hours takes milliseconds. It knows the truth no real system knows (every order in every channel at every
// instant), so after each step it can assert what domain/allocation promises. The same worlds run with the rules
// other tools use (copy one number to every channel by polling or by events, with or without a buffer), which gives the
// comparison that `spillway bench worlds` prints. It imports domain/allocation and the standard library only.
package worlds
