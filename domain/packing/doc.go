// Package packing decides which cartons an order goes out in and where in them every unit lies.
//
// Pack takes items, cartons and the rules of a lane and answers with parcels: as few as it finds, then the cheapest by carton and tariff, then the
// smallest. Load fills one carton or container with as much volume as it can. What cannot be packed is part of the answer, with its reason.
//
// It promises: every unit is in exactly one parcel or unplaced; nothing sticks out, overlaps, hangs in the air, stands a way it may not, lies on
// something fragile or weighs more than what is beneath it, the carton or the lane bears; placements come in an order that can be carried out;
// the same question gets the same answer on every machine, in whichever order the items are named; and work is bounded by a count, not by a clock.
// Method and figures: docs/decisions/packing.md.
//
// The package is pure: it does no I/O, reads no clock, uses no randomness and never imports store, ops, connector or web.
package packing
