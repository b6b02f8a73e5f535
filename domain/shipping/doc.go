// Package shipping is the road of one parcel out of the door: packed, booked with whoever ships it, labelled, told to the channel, handed over.
//
// It promises that a parcel is paid for once. Every call that changes something outside is stored before it leaves (Begin) and its fate after
// it is known (Booked, Refused, Lost): what is uncertain is read, never asked for again while the first may still be carried out. What is to
// be done next is a function of what is stored and the time (Next), so a crash at any line, a second worker and a repeat lead to the same
// parcel. Nothing here is a queue of commands: a shipment says where it stands, and its next step follows.
//
// It knows no vendor, calls nobody and reads no clock. It may import the vocabulary of tracking; it must not import stores, connectors or HTTP.
package shipping
