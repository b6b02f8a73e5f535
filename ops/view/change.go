package view

import "time"

// Preview is what an action would do, worked out by the same code that does it.
type Preview struct {
	Sentence string // "2 listings change, 140 units move."
	Changes  []Change
	Warnings []string
	Refused  string // why it cannot be done; empty: it can
	Undo     string // how it can be undone, or that it cannot
}

// Change is one figure before and after.
type Change struct {
	What  string // "Web shop · Nordlicht Studio is told"
	From  string
	To    string
	Why   string
	Level Level
}

// Done is what an action did.
type Done struct {
	Sentence string
	Undo     string // opaque; hand to Backend.Undo. Empty: there is no undo
}

// RulesDraft is a filled-in rules form.
type RulesDraft struct {
	ListingID string
	Rules     Rules
	Actor     string
}

// StockDraft is a filled-in receive or count form.
type StockDraft struct {
	ID         string // caller-made; becomes the movement's id
	Kind       string // "receive": Qty more; "count": Qty is what is there; "damage": Qty of them cannot be sold
	ItemID     string
	LocationID string
	Qty        int64  // of a count: all that is there, damaged units too
	Damaged    *int64 // of a count: how many of Qty cannot be sold; nil: nobody looked, as many as the journal says when it is booked
	Ref        string // delivery note, count sheet
	Reason     string
	Actor      string
}

// Problems is what waits for a person.
type Problems struct {
	At     time.Time
	Parked []Parked
	Total  int64 // parked messages in all
	Others []Problem
}

// Parked is an inbox message we could not use.
type Parked struct {
	ID           string
	ConnectionID string
	Channel      string
	Topic        string
	ReceivedAt   time.Time
	Tries        int64
	Reason       string
	Bytes        int64
	Excerpt      string // the start of the body, personal data redacted
}

// Explain is one figure opened up.
type Explain struct {
	Figure   string // its id
	Title    string
	Value    string
	Unit     string
	Level    Level
	At       time.Time
	Sentence string // what it means and why one looks at it
	Formula  string
	Inputs   []Input
	JudgedBy string // policy and its date
	Checks   []Check
	Columns  []Column
	Rows     [][]Cell
	More     int64 // rows left out
}

// Input is one term of a formula.
type Input struct {
	Name, Value, Text string
	Ref               Ref
}

// Column heads the rows of an Explain.
type Column struct {
	Name   string
	Number bool
}

// Cell is one field of a row.
type Cell struct {
	Text string
	Ref  Ref
}

// Found is the answer to a search.
type Found struct {
	Query string
	Hits  []Hit // best first, bounded
}

// Hit is one thing found.
type Hit struct {
	Ref    Ref
	Title  string
	Detail string
	What   string // "order", "item"
}

// User signs in.
type User struct {
	ID, Email, Name string
	PasswordHash    string // argon2id in PHC form; the page layer makes and checks it
	CreatedAt       time.Time
}
