package view

import "time"

// TopicRouting is the live notice of routing rules, of a wave being planned, and of capacity.
const TopicRouting = "routing"

// Routing is what the seller wants of routing, and the last plan of all open orders together.
type Routing struct {
	At        time.Time
	Form      RoutingForm
	Default   bool // nobody has said anything: these are the usual rules
	Shorts    []Option
	Nodes     []Option
	Shops     []Option
	History   []RoutingChange
	Wave      *Wave // nil: none was planned
	SaidNodes bool  // nodes are said, so orders are routed
	Ways      []Way // by shop, those whose channel has rules of shipping
}

// Way is how a channel lets a shop ship on the day at hand.
type Way struct {
	Shop, ShopID string
	Level        Level  // Bad: labels of one's own are forbidden
	Own          string // whether the seller may label parcels itself, and by which rule not
	Channel      string // what a label of the channel's is; empty: the rules do not say
	Next         string // the day on which a rule of shipping changes next; empty: none is known
}

// RoutingForm is the rules as people write them; money in Currency.
type RoutingForm struct {
	Currency                               string
	LateDispatch, LateDelivery, LateCancel string
	LeftUnit, LeftAny, Move                string
	Short                                  string
	Parts, Days                            string
	Slip, RoadSlip                         string // percent
	Unknown                                string // grams
	Plain                                  bool
	Limits                                 []LimitForm
	Version                                int64
}

// LimitForm pins orders to nodes or keeps them off. Empty conditions hold for all.
type LimitForm struct {
	Kind               string // "only", "never"; empty: no limit
	Nodes              string // ids with commas between
	Item, Shop, Region string
	Reason             string
}

// RoutingChange is what somebody changed.
type RoutingChange struct {
	Version int64
	At      time.Time
	Actor   string
	Text    string
}

// RoutingDraft is a filled-in form of rules.
type RoutingDraft struct {
	RoutingForm
	Reset bool // back to the usual rules; the form is not looked at
	Actor string
}

// RoutingPreview is what a draft changes, or what is wrong with it by field.
type RoutingPreview struct {
	Preview
	Wrong []FieldError
}

// Wave is a plan of all open orders together.
type Wave struct {
	At          time.Time
	By          string
	Sentence    string
	Level       Level
	Running     bool
	Done, Total int64
	Figures     []Input
	Moves       []WaveMove
	MoreMoves   int64
	CanApply    bool // looked at only, and something would move
}

// WaveMove is an order that would leave from elsewhere.
type WaveMove struct{ Order, From, To string }

// WaveDraft asks for a plan of all open orders.
type WaveDraft struct {
	Nodes []string // that take part; none: all
	Apply bool
	Actor string
}
