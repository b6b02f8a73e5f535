package policy

// HandlingTime is how long a handling time a seller may set for a kind of order.
type HandlingTime struct {
	Entry `yaml:",inline"`
	For   Handling `yaml:"for" json:"for"`
	Min   Period   `yaml:"min" json:"min"`
	Max   Period   `yaml:"max" json:"max"`
}

// TermKind is what a term is about.
type TermKind string

const (
	AnswerCancel      TermKind = "answer_cancel"      // the seller answers a buyer's wish to cancel
	AnswerReturn      TermKind = "answer_return"      // the seller answers a wish to return or for a refund
	AnswerParcel      TermKind = "answer_parcel"      // the seller judges a return that has come back
	AnswerReplacement TermKind = "answer_replacement" // the seller answers a wish for a replacement
	BuyerShips        TermKind = "buyer_ships"        // the buyer sends an accepted return
	BuyerAppeals      TermKind = "buyer_appeals"      // the buyer asks again, or for arbitration, after a no
	FreeCancel        TermKind = "free_cancel"        // the buyer cancels without being asked why
	ReturnWindow      TermKind = "return_window"
	Protection        TermKind = "protection" // the channel itself still helps the buyer
	RefundAfter       TermKind = "refund_after"
	Appeal            TermKind = "appeal" // the seller's
	SecondAppeal      TermKind = "second_appeal"
	Visible           TermKind = "visible"          // how long a record can be seen
	CorrectTracking   TermKind = "correct_tracking" // once
	Undelivered       TermKind = "undelivered"      // an order on its way is cancelled
	ExtensionTold     TermKind = "extension_told"   // how long before the channel tells of holidays that extend deadlines
)

var termKinds = []TermKind{AnswerCancel, AnswerReturn, AnswerParcel, AnswerReplacement, BuyerShips, BuyerAppeals, FreeCancel, ReturnWindow,
	Protection, RefundAfter, Appeal, SecondAppeal, Visible, CorrectTracking, Undelivered, ExtensionTold}

// Term is how long somebody has for something that is no deadline of an order's dispatch.
type Term struct {
	Entry  `yaml:",inline"`
	Kind   TermKind `yaml:"kind" json:"kind"`
	About  string   `yaml:"about" json:"about,omitzero"` // which cases, where it is not all of the kind
	Period Period   `yaml:"period" json:"period"`
	Then   string   `yaml:"then" json:"then,omitzero"` // what happens when it is over
}

// Settlement is when money comes.
type Settlement struct {
	Entry   `yaml:",inline"`
	When    string `yaml:"when" json:"when"` // for which shops or orders
	Period  Period `yaml:"period" json:"period,omitzero"`
	Minimum Price  `yaml:"minimum" json:"minimum,omitzero"` // of a payment
}

// Fee is what is charged.
type Fee struct {
	Entry `yaml:",inline"`
	Kind  string `yaml:"kind" json:"kind"`          // fees of one kind are for different things, or sources that contradict each other
	For   string `yaml:"for" json:"for,omitzero"`   // which goods or orders
	Of    string `yaml:"of" json:"of,omitzero"`     // what the share is taken of
	Rate  PPM    `yaml:"rate" json:"rate,omitzero"` // the share, or the lowest
	To    PPM    `yaml:"to" json:"to,omitzero"`     // the highest share, where it varies
	Most  Price  `yaml:"at_most" json:"at_most,omitzero"`
	Each  Price  `yaml:"each" json:"each,omitzero"` // a fixed price
	Free  bool   `yaml:"free" json:"free,omitzero"` // this source says that nothing is charged
}

// ServiceLevel is what is measured of customer service.
type ServiceLevel struct {
	Entry   `yaml:",inline"`
	Measure string `yaml:"measure" json:"measure"`
	Within  Period `yaml:"within" json:"within,omitzero"`
	AtLeast PPM    `yaml:"at_least" json:"at_least,omitzero"` // zero: no source tells
}

// NoticeKind is what a notice is.
type NoticeKind string

const (
	Happened    NoticeKind = "event"       // something that came on its first day
	Consequence NoticeKind = "consequence" // what follows from being outside a limit
	Definition  NoticeKind = "definition"  // what a word of a rate means, beyond what is computed
	Practice    NoticeKind = "practice"    // advice of the sources
)

// Notice is a dated fact in words.
type Notice struct {
	Entry  `yaml:",inline"`
	Kind   NoticeKind `yaml:"kind" json:"kind"`
	Metric Metric     `yaml:"metric" json:"metric,omitzero"`
	Text   string     `yaml:"text" json:"text"`
}
