package view

import "time"

// TopicFloor is the live notice of parcels and of what is done to them on the floor.
const TopicFloor = "shipments"

// Floor is what a node's people have to do.
type Floor struct {
	At      time.Time
	Node    Option
	Nodes   []FloorNode
	Steps   []FloorStep
	Parcels []FloorParcel // that wait to be packed, those due first in front
	More    bool          // there are more of them than are shown
	Waves   []FloorWave
	Trouble int64 // parcels on the bench
	Stuck   int64 // parcels that have left from here and are stuck

	Together []Together // orders that could ship as one
	ByHand   int64      // orders that a person sends to the provider, or whose number is to be entered
}

// FloorNode is a node to choose.
type FloorNode struct {
	ID, Name string
	Waiting  int64
	Due      time.Time // of the first; zero: none has a deadline
}

// FloorStep is how many parcels wait for a step.
type FloorStep struct {
	Step, Name string
	N          int64
	Due        time.Time
	Level      Level
}

// FloorParcel is a parcel in a list.
type FloorParcel struct {
	ID, OrderID, Number string
	Contents            string // "2 × MUG-01, LAMP-02"
	Units               int64
	Due                 time.Time
	Level               Level
	Step, Wave, By      string // By: the station that has it
	Question            string
}

// FloorWave is a wave that is being worked on, or is proposed.
type FloorWave struct {
	ID, Name, Method string
	Parcels, Units   int64
	Picked, Lacked   int64
	Bins, BinsDone   int64
	Due              time.Time
	Level            Level
	Done             bool
	By               string
}

// FloorWaveDraft asks for waves of what waits.
type FloorWaveDraft struct {
	ID             string // made by the caller: released twice, it counts once
	Node, Actor    string
	Parcels, Units int64 // at most, of one wave
}

// WavePlan is what a draft would release.
type WavePlan struct {
	Draft   FloorWaveDraft
	Node    Option
	Waves   []FloorWave
	Open    []FloorWave
	Waiting int64
	Refused string
}

// PickPage is the walk of a wave.
type PickPage struct {
	Wave  FloorWave
	Node  Option
	Tasks []PickTask
	Now   int // index of the bin to go to; -1: all are done
}

// PickTask is a bin.
type PickTask struct {
	ID, Bin, ItemID, SKU, Title, Barcode string
	Qty, Picked, Left, Lacked, Surplus   int64
	Parcels                              int64
	Short                                bool
}

// Scan is something scanned or typed at a station. ID is made where it was scanned.
type Scan struct {
	ID, Node, Station, Wave, Text, Actor string
	Qty                                  int64
}

// ScanAnswer is what is said to a scan. Repeat: it had counted before.
type ScanAnswer struct {
	OK     bool   `json:"ok"`
	Say    string `json:"say"`
	Repeat bool   `json:"-"`
}

// Pack is a pack station.
type Pack struct {
	Node            Option
	Station         string
	Stage           string // empty: it waits for a parcel; check, box, weigh, label
	Parcel          string
	Order, OrderID  string
	Due             time.Time
	Level           Level
	Items           []PackItem
	Expect          string // what is to be scanned now, in a sentence
	Carton          string
	Grams           int64
	Label           string // address of the label to print; empty: it is not here
	LabelText       string
	Hazmat          bool  // it holds dangerous goods
	HazmatLabel     bool  // the channel has a label for them
	Waiting, Packed int64 // parcels that wait at the node; Packed: of this shift are not counted, so it is those that wait for a van
	Picture         *Carton
	Why             []string
	Several         string // it takes several boxes: what goes into the first, and how it is divided
	Cartons         []Option
	Format          string // how labels of the node are asked for: PDF, ZPL
	Gone            string // the parcel this station had, and why it has it no more
}

// PackItem is an item of the parcel at a station.
type PackItem struct {
	ItemID, SKU, Title, Barcode string
	Qty, In                     int64
}

// HandOver is the parcels that wait for a van, and those that left today.
type HandOver struct {
	At    time.Time
	Node  Option
	Ready []FloorParcel
	Vans  []Van
	More  bool
	Bag   []Baggable // shops whose parcels could go in a bag
	Bags  []Bag      // the latest, newest first

	Unlisted  []Unlisted // what could go on carriers' manifests
	Manifests []Manifest // the latest, newest first
}

// Van is what waits for a carrier.
type Van struct {
	Carrier string
	N       int64
	Due     time.Time
}

// Bench is the exceptions of a node.
type Bench struct {
	At        time.Time
	Node      Option
	Troubles  []Trouble
	Questions []FloorParcel
	Stuck     []StuckParcel // that have left from here, the longest stuck first
	StuckN    int64         // all of them
}

// StuckParcel is a parcel of which nothing was heard for too long.
type StuckParcel struct {
	ID, OrderID, Number string
	Carrier, Tracking   string
	Text, Next          string
	Since               time.Time // from when on it counts as stuck
	Level               Level
}

// Trouble is a parcel on the bench.
type Trouble struct {
	Parcel, OrderID, Number string
	Kind, Text, Note, By    string
	At                      time.Time
	Settled                 bool
}

// ByHand is the orders of a provider that has no account here: a person sends them, and enters the numbers it gives.
type ByHand struct {
	At          time.Time
	Node        Option
	Unconnected bool          // it has no account; else what is not sent goes to the account by itself
	Send        []FloorParcel // to be sent; Question: why it may not be at the moment
	Sent        []FloorParcel // whose number is awaited
	Asked       []FloorParcel // that are not to ship any more: what became of them?
	SendN       int64         // all of them
	SentN       int64
}

// ByHandParcel is one of them, as it is sent.
type ByHandParcel struct {
	Node     Option
	Parcel   FloorParcel
	Lines    []ByHandLine
	Address  []string
	Unknown  string // why the address is not known
	Held     string // why it may not be sent at the moment
	Tracking string
}

// ByHandLine is what it holds of an item.
type ByHandLine struct {
	SKU, Title string
	Qty        int64
}

// FloorAct is one thing done to many parcels.
type FloorAct struct {
	Act     string // retry, route, back, done; send, unsend: what a person sends to a provider
	Node    string
	Parcels []string
	Actor   string
}

// MaxFloorAct is how many parcels one call acts on: a screen sends more in several calls, and shows how far it is.
const MaxFloorAct = 50

// FloorActed is what became of each.
type FloorActed struct {
	Rows []FloorRow `json:"rows"`
}

// FloorRow is one of them.
type FloorRow struct {
	Parcel string `json:"parcel"`
	OK     bool   `json:"ok"`
	Say    string `json:"say"`
}

// Sheet is something to print.
type Sheet struct {
	Name, Type string
	Data       []byte
}
