package view

import "time"

// Together is a set of orders of one buyer that their channel would let ship as one parcel.
type Together struct {
	ID     string
	Shop   string
	Orders []TogetherOrder
	Due    time.Time // of the first; zero: none has a deadline
	Level  Level
}

// TogetherOrder is one of them.
type TogetherOrder struct{ ID, Number string }

// Baggable is what of a shop waits for a van and could go in one bag.
type Baggable struct {
	ConnectionID, Shop string
	N                  int64
}

// BagDraft asks for a bag of all that waits at a node for a shop's first mile.
type BagDraft struct {
	ID                        string // made by the caller: asked for twice, it is one bag
	Node, ConnectionID, Actor string
	DropOff                   bool // somebody brings it; else it is fetched
}

// Bag is a bag of parcels.
type Bag struct {
	ID, Ref, Shop string
	N             int64
	Refused       int64
	Text          string // why it is not made, or who is not in it; empty: all is well
	Level         Level
	DropOff       bool
	Made, NotMade bool // a person is asked whether it is made, and may say so
	Sheet         bool // there is something to stick on it
	At            time.Time
	By            string
}

// Unlisted is what a carrier labelled today with an account and is on none of its manifests.
type Unlisted struct {
	Account, Name string
	Carrier       string
	N             int64
}

// ManifestDraft asks for a carrier's manifest of what was labelled today at a node.
type ManifestDraft struct {
	ID                            string // made by the caller: asked for twice, it is one manifest
	Node, Account, Carrier, Actor string
}

// Manifest is a carrier's own list of the parcels that a van fetches.
type Manifest struct {
	ID, Ref       string
	Name, Carrier string // Name: of the account
	N             int64
	Text          string // why it is not made, or what is to be done about it; empty: all is well
	Level         Level
	NotDone       bool // it is not made, or not known to be
	Made, NotMade bool // a person is asked, and may say so
	Sheet         bool // there is something to print
	At            time.Time
	By            string
}
