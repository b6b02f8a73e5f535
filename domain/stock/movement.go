package stock

import (
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// MaxUnits bounds every quantity, each balance and each change of it: a billion units of one item in one place is beyond any
// warehouse, small enough that sums over a million rows stay within int64, and exact in the floats of JSON readers.
const MaxUnits = 1_000_000_000

// Balance is the state of one item at one location: the sum of its movements, in whole units.
type Balance struct {
	ItemID, LocationID string
	OnHand             int64 // physically there, damaged ones included
	Reserved           int64 // of OnHand: promised to orders and not yet shipped
	Damaged            int64 // of OnHand: cannot be sold
	Version            int64 // how many movements made this balance
	Prior              int64 // Version as it was loaded; a store refuses to save over any other
}

// ATP is what is available to promise: OnHand − Reserved − Damaged, never negative.
func (b Balance) ATP() int64 { return max(b.OnHand-b.Reserved-b.Damaged, 0) }

// Kind says why stock moved.
type Kind string

const (
	Receive     Kind = "receive"
	Adjust      Kind = "adjust" // a correction with a reason, scrapping included
	Count       Kind = "count"  // somebody counted; a count that found no difference is recorded too
	TransferOut Kind = "transfer-out"
	TransferIn  Kind = "transfer-in"
	Reserve     Kind = "reserve"
	Release     Kind = "release"
	Expire      Kind = "expire"
	Ship        Kind = "ship"
	Cancel      Kind = "cancel"
	Return      Kind = "return" // units came back; those not sellable are Damaged at once
	Damage      Kind = "damage"
	Repair      Kind = "repair"
	FBTSync     Kind = "fbt-sync" // the platform's own count of its warehouse
	Displace    Kind = "displace" // a hold taken back because the units are gone
)

// sign is what a delta may be.
type sign uint8

const (
	zero sign = iota
	plus
	minus
	anySign
	plusOrZero
	minusOrZero
)

func (s sign) allows(n int64) bool {
	switch s {
	case zero:
		return n == 0
	case plus:
		return n > 0
	case minus:
		return n < 0
	case plusOrZero:
		return n >= 0
	case minusOrZero:
		return n <= 0
	}
	return true
}

// rule is which deltas a kind of movement may have.
type rule struct {
	onHand, reserved, damaged sign
	physical                  bool // a person or a warehouse says so; the other kinds follow from orders and are the Book's alone
}

var rules = map[Kind]rule{
	Receive:     {plus, zero, zero, true},
	Adjust:      {anySign, zero, anySign, true},
	Count:       {anySign, zero, anySign, true},
	TransferOut: {minus, zero, minusOrZero, true},
	TransferIn:  {plus, zero, plusOrZero, true},
	Return:      {plus, zero, plusOrZero, true},
	Damage:      {zero, zero, plus, true},
	Repair:      {zero, zero, minus, true},
	FBTSync:     {anySign, zero, anySign, true},
	Reserve:     {zero, plus, zero, false},
	Release:     {zero, minus, zero, false},
	Expire:      {zero, minus, zero, false},
	Cancel:      {zero, minus, zero, false},
	Displace:    {zero, minus, zero, false},
	Ship:        {minus, minusOrZero, zero, false},
}

// Kinds lists every kind of movement.
var Kinds = []Kind{Receive, Adjust, Count, TransferOut, TransferIn, Reserve, Release, Expire, Ship, Cancel, Return, Damage, Repair, FBTSync, Displace}

// Physical reports whether a movement of kind k is entered by people or warehouses (Book.Move) rather than following from an order.
func (k Kind) Physical() bool { return rules[k].physical }

// Movement is one line of the journal. It is never changed; a wrong one is answered by a counter-movement (see Reverse).
type Movement struct {
	ID         string    // made by the caller and the same on every retry
	Seq        int64     // place in the journal, given by the store
	At         time.Time // when it happened
	RecordedAt time.Time // when we learned of it; as-of questions ask by this
	Kind       Kind

	ItemID, LocationID                       string
	OnHand, Reserved, Damaged                int64  // signed changes
	OnHandAfter, ReservedAfter, DamagedAfter int64  // the balance after it
	Ref, Line, Reason, Actor, Reverses       string // Ref: order, transfer or count sheet; Reverses: id of the movement undone
}

// Apply adds m to b and returns the new balance and m with its After fields filled. It refuses, with the balance unchanged:
// deltas that the kind does not allow (Invalid), and whatever would break 0 ≤ reserved, 0 ≤ damaged,
// reserved + damaged ≤ on hand ≤ MaxUnits (Insufficient).
func Apply(b Balance, m Movement) (Balance, Movement, error) {
	if err := m.check(); err != nil {
		return b, m, err
	}
	if m.ItemID != b.ItemID || m.LocationID != b.LocationID {
		return b, m, errs.New(errs.Internal, "stock.Apply", m.ID, "the movement is of %s at %s, the balance of %s at %s",
			m.ItemID, m.LocationID, b.ItemID, b.LocationID)
	}
	n := b
	n.OnHand += m.OnHand
	n.Reserved += m.Reserved
	n.Damaged += m.Damaged
	n.Version++
	if n.Reserved < 0 || n.Damaged < 0 || n.Reserved+n.Damaged > n.OnHand || n.OnHand > MaxUnits {
		return b, m, errs.New(errs.Insufficient, "stock.Apply", m.ItemID,
			"%s at %s would leave %d on hand, %d reserved, %d damaged", m.Kind, m.LocationID, n.OnHand, n.Reserved, n.Damaged)
	}
	m.OnHandAfter, m.ReservedAfter, m.DamagedAfter = n.OnHand, n.Reserved, n.Damaged
	return n, m, nil
}

// check refuses a movement that breaks the rule of its kind.
func (m Movement) check() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "stock.Movement", m.ID, format, args...)
	}
	r, known := rules[m.Kind]
	switch {
	case m.ID == "" || m.ItemID == "" || m.LocationID == "":
		return bad("a movement needs an id, an item and a location")
	case !known:
		return bad("%q is not a kind of movement", m.Kind)
	}
	onHand, reserved, damaged := m.OnHand, m.Reserved, m.Damaged
	if m.Reverses != "" {
		onHand, reserved, damaged = -onHand, -reserved, -damaged
	}
	switch {
	case max(onHand, -onHand) > MaxUnits || max(reserved, -reserved) > MaxUnits || max(damaged, -damaged) > MaxUnits:
		return bad("quantities are bounded by %d", int64(MaxUnits))
	case !r.onHand.allows(onHand) || !r.reserved.allows(reserved) || !r.damaged.allows(damaged):
		return bad("%s cannot change on hand by %d, reserved by %d, damaged by %d", m.Kind, m.OnHand, m.Reserved, m.Damaged)
	case m.Kind == Ship && reserved < onHand:
		return bad("more holds would end than units ship")
	case (m.Kind == TransferIn || m.Kind == Return) && damaged > onHand, m.Kind == TransferOut && damaged < onHand:
		return bad("more damaged units than units")
	case m.Kind == Adjust && onHand == 0 && damaged == 0:
		return bad("an adjustment must change something")
	}
	return nil
}

// Reverse makes the movement that undoes m: the same kind with opposite signs, naming m in Reverses. It says Conflict for
// movements that follow from orders (change the order instead) and for reversals themselves (make the movement anew). That nothing
// is reversed twice is kept by the store, where Reverses is unique.
func Reverse(m Movement, id string, at time.Time, actor, reason string) (Movement, error) {
	switch {
	case !m.Kind.Physical():
		return Movement{}, errs.New(errs.Conflict, "stock.Reverse", m.ID, "a movement of kind %s follows from its order and cannot be reversed by hand", m.Kind)
	case m.Reverses != "":
		return Movement{}, errs.New(errs.Conflict, "stock.Reverse", m.ID, "is a reversal itself; enter the movement again instead")
	}
	return Movement{
		ID: id, At: at, RecordedAt: at, Kind: m.Kind, ItemID: m.ItemID, LocationID: m.LocationID,
		OnHand: -m.OnHand, Reserved: -m.Reserved, Damaged: -m.Damaged,
		Ref: m.Ref, Line: m.Line, Reason: reason, Actor: actor, Reverses: m.ID,
	}, nil
}

// MovementIDs returns the bounds, both excluded, between which lie the ids of all movements that follow from an order, and hardly any others:
// their ids begin with the order's.
func MovementIDs(orderID string) (from, to string) {
	id := escape.Replace(orderID)
	return id + "/", id + "0" // the character after the slash
}

// escape keeps the parts of a made-up movement id apart: without it "a/b"+"c" and "a"+"b/c" would be the same id.
var escape = strings.NewReplacer("%", "%25", "/", "%2F", "#", "%23")
