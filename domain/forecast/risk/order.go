package risk

import "time"

// Order is what is known of an order when it is placed. Empty names and zero figures mean "not known" and are harmless.
type Order struct {
	ID       string
	Node     string    // who dispatches it: a warehouse, a store, a seller
	Item     string    // its main item
	Category string    // of the main item
	Region   string    // where the node is, so that nodes of one pick-up area share what hinders them
	At       time.Time // the moment of which the chance is asked: placed, or paid
	Due      time.Time // dispatch deadline; zero where the channel sets it only later (see History.SetDue)
	Promised time.Time // delivery date shown to the buyer; zero if none
	Lines    int       // order lines
	Units    int       // whole pieces
	Grams    int64     // weight of all units
	Price    int64     // goods, minor units of the shop's currency
	Freight  int64     // shipping paid by the buyer, minor units
}

// Bounds of what a History keeps: some 120 MB if every one of them is reached (a group 0.7 kB, an open order 0.6 kB, a sample 0.25 kB).
const (
	// MaxGroups is how many nodes, items, categories or regions are kept of each; beyond it the one longest not heard of is forgotten.
	MaxGroups = 20_000
	// MaxOpen is how many orders may be open at once; beyond it the oldest is given up without an outcome.
	MaxOpen = 50_000
	// MaxSamples is how many orders with a known outcome are kept to learn from; beyond it the oldest go.
	MaxSamples = 50_000
)

// Sample is an order whose fate is known: what was known of it at At, and whether it was dispatched late.
type Sample struct {
	At       time.Time // when its chance was asked
	Known    time.Time // when its fate became known
	Late     bool
	Features Features
}
