// Package tracking is what is known of a parcel on its way: whose number it bears, what carriers told of it, and whether it is stuck.
//
// It promises: a number is recognised by the published forms and check digits of its carriers ([Recognise]), with all candidates in order and
// whether a digit proved them; a parcel's history depends on the set of events only, whatever their order and number ([Parcel.Add], [Merge]); the
// moment a label was made and the first scan by the carrier are kept apart; and a late older scan never takes a delivery back. What is stuck follows
// from the last scan, the lane's days and the hour ([Watch]).
//
// Words of sources are turned into the one vocabulary by a [Mapping] each source brings. The package reads no clock, no file and no
// network, and must not import stores, connectors or HTTP.
package tracking
