package view

import "time"

// Level is how much something matters to its reader. It is always shown with a word or a shape beside the colour.
type Level string

// Levels, quietest first.
const (
	Quiet Level = ""      // nothing to say
	Good  Level = "good"  // judged, and right
	Watch Level = "watch" // will become wrong if nobody acts
	Bad   Level = "bad"   // wrong now
)

// Kind names a thing that has a page of its own, so that a row can point to it.
type Kind string

// Kinds of things. An empty Kind points nowhere.
const (
	KindItem       Kind = "item"
	KindOrder      Kind = "order"
	KindConnection Kind = "connection"
	KindHold       Kind = "hold"
	KindProblems   Kind = "problems"
	KindByHand     Kind = "byhand" // ID is a node whose provider a person tells
	KindFigure     Kind = "figure" // ID is an Explain figure
	KindApps       Kind = "apps"   // where apps and shops are connected
	KindItems      Kind = "items"
)

// Ref points to a thing.
type Ref struct {
	Kind Kind
	ID   string
}

// Option is one choice of a list in a form.
type Option struct {
	ID    string
	Label string
}

// Zone is a clock of the top bar. The first one is the zone business times are shown and entered in.
type Zone struct {
	Label    string // "Warehouse"
	Location string // IANA name: "Europe/Berlin"
}

// Frame is what every page shows around its content.
type Frame struct {
	Shop      string // the operator's name for this installation
	Now       time.Time
	Zones     []Zone // at least one
	Health    Level
	Text      string // one sentence: "All 3 channels are right."
	Problems  int64  // messages parked and other things waiting for a person
	Incidents int64  // open ones nobody has taken
	Live      []LiveNow
	Demo      string // what is simulated here; empty: nothing, this is real
}

// LiveNow is a live hold in force at this moment.
type LiveNow struct {
	HoldID  string
	Title   string
	ItemID  string
	SKU     string
	Channel string
	Qty     int64 // units kept for it when it began
	Left    int64 // of these, not yet sold
	Until   time.Time
}

// Problem is one thing a person should look at, worst first in lists.
type Problem struct {
	Level Level
	Text  string // "Web shop · Nordlicht Studio refuses our token since 14:02."
	Next  string // what to do: "Connect it again."
	Ref   Ref
	Since time.Time
}

// Step is one thing still to be done before a real shop runs.
type Step struct {
	Name string
	Text string
	Done bool
	Ref  Ref
}
