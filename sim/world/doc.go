// Package world is what every simulator stands on: a clock that can be real or virtual, seeded streams of randomness,
// faults that are arranged and drawn, a courier that delivers webhooks over real HTTP, and a generator of order traffic.
//
// It promises that the same seed and the same virtual clock give the same draws, the same arrivals and the same retry
// times; that everything it holds is bounded; and that every type here is safe for concurrent use unless its comment
// says otherwise.
//
// It knows no vendor. It must never import a connector, a domain package or a simulator.
package world
