// Package floor is the work of a warehouse on parcels that wait: waves, picking by bin, packing at a station, and who has which parcel.
//
// It promises that sums agree: what the tasks of a wave say to pick is what its parcels need, nothing is picked twice, and what a short bin
// lacks is taken from the parcels that are due last. A scan that does not fit changes nothing and says what was expected. Of two stations that
// want one parcel, one has it and the other is told who.
//
// It knows no barcode, no database and no clock: who calls it has looked up what was scanned and hands in the time. It must not import stores,
// connectors or HTTP.
package floor
