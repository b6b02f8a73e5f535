package view

import "time"

// Capacity is what each node has to do and can do, what will be late, and what can be done about it.
type Capacity struct {
	At        time.Time
	LoadAt    time.Time // of the forecast the figures are of; zero: none yet
	Nodes     []CapacityNode
	Late      []LateRow
	Proposals []Proposal
	Done      []Applied
	How       []Input // how the figures come about
}

// CapacityNode is one node by day.
type CapacityNode struct {
	Row    NodeRow
	Behind []int64 // by day: orders due by its end that cannot be done by then
	Text   string
	Level  Level
}

// LateRow is what will be late at a node on a day.
type LateRow struct {
	Node, Name string
	Day        Day
	Due        int64   // orders of the queue due then
	Cannot     int64   // of those due by then, more than can be done
	Expected   float64 // orders expected late, by the forecast
	Routed     float64 // the same, by the chances of their routes
	Level      Level
}

// Proposal is something that can be done about it.
type Proposal struct {
	ID       string
	Kind     string // "overtime", "divert", "handling"
	Sentence string
	Why      string
	Cost     string
	Effect   []Change
	Orders   []Ref // that it moves, the first of them
	Count    int64
	Verb     string // on the button
	ByHand   string // why only a person can do it; empty: we do it
}

// Applied is what was done.
type Applied struct {
	ID       string
	At       time.Time
	Actor    string
	Sentence string
	Undo     string // for Actions.Undo; empty: it cannot be undone
	Open     bool   // a task for a person that nobody has ticked off
	Undone   bool
}

// ProposalDraft is a proposal to be applied, or with Finish a task of one to be ticked off.
type ProposalDraft struct {
	ID     string
	Finish bool
	Actor  string
}
