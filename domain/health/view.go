package health

import (
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// anchor is a policy.Moment as a number.
type anchor int

const (
	atNever anchor = iota
	atPlaced
	atReady
	atHandedOver
	atDelivered
	atDeliverBy
	anchors
)

func anchorOf(m policy.Moment) anchor {
	switch m {
	case policy.AtPlaced:
		return atPlaced
	case policy.AtReady:
		return atReady
	case policy.AtHandedOver:
		return atHandedOver
	case policy.AtDelivered:
		return atDelivered
	case policy.AtDeliverBy:
		return atDeliverBy
	}
	return atNever
}

// class is a set of policy.Class.
type class uint8

const (
	byPlatform class = 1 << iota
	platformLabel
	sample
	replacement
	preOrder
)

func classes(list []policy.Class) class {
	var c class
	for _, x := range list {
		switch x {
		case policy.ByPlatform:
			c |= byPlatform
		case policy.PlatformLabel:
			c |= platformLabel
		case policy.Sample:
			c |= sample
		case policy.Replacement:
			c |= replacement
		case policy.PreOrder:
			c |= preOrder
		}
	}
	return c
}

func classOf(o *order.Order) class {
	var c class
	if o.Fulfilment == order.ByPlatform {
		c |= byPlatform
	}
	if o.Flags.PlatformLabel {
		c |= platformLabel
	}
	if o.Flags.Sample {
		c |= sample
	}
	if o.Flags.Replacement {
		c |= replacement
	}
	if o.Flags.PreOrder {
		c |= preOrder
	}
	return c
}

// view is an order while it is judged: each of its days and its deadlines are found out at most once.
type view struct {
	j        *Judge
	o        *order.Order
	numbers  *numbers
	days     [anchors]policy.Day
	known    [anchors]int8 // 0: not asked yet, 1: has the day, -1: has none
	rules    order.Deadlines
	computed bool
}

// at is when the order passed the anchor; zero: it has not.
func (v *view) at(a anchor) time.Time {
	o, m := v.o, &v.o.Moments
	switch a {
	case atPlaced:
		return o.OwedSince()
	case atReady:
		return first(m.ReadyAt, m.HandedOverAt, m.DeliveredAt)
	case atHandedOver:
		return first(m.HandedOverAt, m.DeliveredAt)
	case atDelivered:
		return m.DeliveredAt
	case atDeliverBy:
		return v.dueForDelivery()
	}
	return time.Time{}
}

// first is the first of the times that is set.
func first(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func (v *view) day(a anchor) (policy.Day, bool) {
	if v.known[a] == 0 {
		v.known[a] = -1
		if t := v.at(a); !t.IsZero() {
			v.known[a], v.days[a] = 1, v.j.zone.day(t)
		}
	}
	return v.days[a], v.known[a] > 0
}

// dueForDelivery is by when the order is due to be delivered; zero: it is not.
func (v *view) dueForDelivery() time.Time {
	o := v.o
	if o.Status == order.Unpaid || o.Status == order.OnHold {
		return time.Time{}
	}
	due := v.deliverBy()
	if o.Status == order.Cancelled && o.Moments.DeliveredAt.IsZero() && !first(o.Moments.CancelledAt, o.StatusAt).After(due) {
		return time.Time{}
	}
	return due
}

// The deadlines: the channel's own where it told them, else by the rules.

func (v *view) shipBy() time.Time {
	if t := v.o.Deadlines.ShipBy; !t.IsZero() {
		return t
	}
	return v.byRules().ShipBy
}

func (v *view) handOverBy() time.Time {
	if t := v.o.Deadlines.HandOverBy; !t.IsZero() {
		return t
	}
	return v.byRules().HandOverBy
}

func (v *view) deliverBy() time.Time {
	if t := v.o.Deadlines.DeliverBy; !t.IsZero() {
		return t
	}
	return v.byRules().DeliverBy
}

func (v *view) byRules() *order.Deadlines {
	if !v.computed {
		v.rules, v.computed = v.j.rs.Deadlines(v.o), true
	}
	return &v.rules
}
