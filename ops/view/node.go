package view

import "time"

// TopicNode is the live notice of a node (":" id), and of the load of all.
const TopicNode = "node"

// Nodes is where orders leave from.
type Nodes struct {
	At      time.Time
	Nodes   []NodeRow
	Unknown []string // warehouses that channels name and nobody has said anything of, in sentences
	LoadAt  time.Time
}

// NodeRow is a node in the list.
type NodeRow struct {
	ID, Name, Kind, Where string
	Zone                  string
	Active                bool
	Said                  bool   // somebody said something of it; else it works as its history shows
	Today                 string // when it works today: "08:00–12:00, 13:00–17:00", or why it does not
	Basis                 string // of its capacity: "stated", "learned", "assumed"
	BasisText             string
	Days                  []NodeDay // today and the next seven
	Waiting, Overdue      int64
	Text                  string // what that means: "3,210 orders wait, 1.4 days of work"
	Level                 Level
}

// NodeDay is what a node can do and has to do on a day.
type NodeDay struct {
	Day      Day
	Open     string // when it works
	Rests    string // why it does not
	Capacity int64  // orders
	Due      int64  // orders of its queue that are due
	Coming   int64  // expected orders
	Level    Level
}

// NodePage is one node with its form.
type NodePage struct {
	At       time.Time
	Row      NodeRow
	Form     NodeForm
	Kinds    []Option
	Sets     []Option // of holidays
	Able     []Option // abilities
	Zones    []string // to choose from; others may be written
	Accounts []Option // carrier accounts; the first is none
	Lanes    []NodeLane
	Parts    []Input // whose orders it works on
	History  []NodeChange
	Kept     *KeptStock // nil: no logistics provider keeps its stock
	New      bool
}

// KeptStock is what a logistics provider says of the stock at a node, beside the ledger.
type KeptStock struct {
	Read   time.Time // zero: not yet
	Failed string    // why the last reading failed
	Text   string
	Level  Level
	Notes  []string
	Rows   []KeptRow // the largest differences
	More   int64     // that are not listed
	May    bool      // the differences may be taken over
}

// KeptRow is an item of which a provider has another number than the ledger.
type KeptRow struct {
	ItemID, SKU                string
	Theirs, Ours, Shipped, Off int64 // on hand there and in the ledger; of the ledger's: left there already
}

// NodeLane is what follows from a carrier's pick-ups.
type NodeLane struct {
	Carrier, Next, CutOff, Basis string
}

// NodeChange is what somebody changed.
type NodeChange struct {
	Version int64
	Actor   string
	At      time.Time
	Text    string
}

// NodeForm is all that is said of a node, as people write it. Money is in Currency.
type NodeForm struct {
	ID, Name, Kind                     string
	Country, State, Postal, City, Zone string
	Active                             bool
	Priority                           string
	Week                               [7]string // Monday first: "08:00-12:00 60, 13:00-17:00 40", with orders an hour
	Holidays                           string
	Closed                             string // a line each: "2026-12-24..2026-12-26 Moving"
	Overtime                           string // a line each: "2026-11-28 08:00-14:00 60 Black Friday"
	Lanes                              []LaneForm
	Abilities                          []string
	Currency                           string
	PerOrder, PerLine, PerUnit, PerBox string
	Above, Percent, Max                string // surge terms
	Company, Line1, Line2, Phone       string // of the sender on labels
	Account                            string // the carrier account that ships from here; empty: none
	Version                            int64  // the one it was made from
}

// LaneForm is one way parcels leave, as people write it.
type LaneForm struct {
	Carrier, Service, Serves string // "US, CA-ON"
	Pickups                  string // "Mon-Fri 17:00 cut-off 30, Sat 12:00"
	Holidays                 string
	MaxGrams                 string
	Abilities                []string
	Abroad, ByZone, PerPound string // ByZone: nine amounts, zone 1 to 9
	AbroadDays, ByZoneDays   string
	Account                  string // the carrier account its labels are bought with; empty: the node's
}

// NodeDraft is a filled-in form.
type NodeDraft struct {
	NodeForm
	New   bool
	Actor string
}

// NodePreview is what a draft would change, or what is wrong with it by field. Fields are named as in the form: name, week1 (Monday) to week7,
// lane0.pickups.
type NodePreview struct {
	Preview
	Wrong []FieldError
}

// FieldError says what is wrong with a field, and the way out.
type FieldError struct{ Field, Label, Text string }
