package view

import "time"

// Calendar is the LIVE holds there are.
type Calendar struct {
	At       time.Time
	Active   []Hold
	Upcoming []Hold // soonest first
	Past     []Hold // latest first, bounded
	Channels []Option
}

// Hold keeps units of an item for one channel between two moments.
type Hold struct {
	ID, Title             string
	ItemID, SKU           string
	ConnectionID, Channel string
	Qty                   int64
	Left                  int64 // not yet sold of Qty while active
	From, Until           time.Time
	State                 string // upcoming, active, past
	Text                  string // "restored 112 units at 21:00", "waiting for the web shop to give 40 units"
	Level                 Level
	CreatedBy             string
}

// HoldDraft is a filled-in hold form.
type HoldDraft struct {
	ID           string // caller-made; the same id and content again changes nothing
	Title        string
	Item         string // SKU or item id
	ConnectionID string
	Qty          int64
	From, Until  time.Time
	Actor        string
}
