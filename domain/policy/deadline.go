package policy

import (
	"slices"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// Handling is a kind of order by how long the seller may take for it.
type Handling string

const (
	Regular       Handling = "regular"
	MadeToOrder   Handling = "made_to_order"
	BackOrdered   Handling = "back_order"
	PreOrdered    Handling = "pre_order"
	OwnTime       Handling = "own_time" // a handling time of the seller's own; orders do not tell it
	CustomProduct Handling = "custom"   // customised products; orders do not tell them apart from made to order
)

// After is what a deadline is counted from.
type After string

const (
	AfterPlaced      After = "placed"       // paid, or created where the channel does not say when it was paid
	AfterShipBy      After = "ship_by"      // the deadline for arranging shipment, the channel's or ours
	AfterHandOverBy  After = "hand_over_by" // the deadline for the carrier's first scan, the channel's or ours
	AfterHandlingEnd After = "handling_end" // the end of the handling time the seller set; orders do not tell it, so nothing is computed
	AfterClosing     After = "closing"      // the closing date of a pre-order; orders do not tell it, so nothing is computed
)

// DeadlineRule is how a deadline follows from an order, where the channel's own field is missing.
type DeadlineRule struct {
	Entry  `yaml:",inline"`
	Field  order.DeadlineKind `yaml:"field" json:"field"`
	For    []Handling         `yaml:"for" json:"for"`
	After  After              `yaml:"after" json:"after"`
	Delay  Period             `yaml:"delay" json:"delay,omitzero"`   // in hours, added before counting: the hold of an order
	Period Period             `yaml:"period" json:"period"`          // in days: until 23:59:59 of the last one, the first one not counted
	Cutoff calendar.Clock     `yaml:"cutoff" json:"cutoff,omitzero"` // from this time of day on, it counts as come in on the next business day
}

// computed are the fields a rule may fill, those first that others are counted from.
var computed = [fields]order.DeadlineKind{order.ShipBy, order.HandOverBy, order.AutoCancelShipBy, order.AutoCancelHandOverBy,
	order.AutoCancelDeliverBy, order.DeliverBy}

const fields = 6

// HandlingOf is which rules for deadlines an order falls under, as far as the order tells.
func HandlingOf(o *order.Order) Handling {
	switch {
	case o.Flags.PreOrder:
		return PreOrdered
	case o.Flags.MadeToOrder:
		return MadeToOrder
	case o.Flags.BackOrder:
		return BackOrdered
	}
	return Regular
}

// Placed is when an order was confirmed: paid, or made where it is paid on delivery. Zero: it is not confirmed.
func Placed(o *order.Order) time.Time {
	switch {
	case !o.PaidAt.IsZero() && !o.Flags.COD: // what is paid on delivery is owed from the start
		return o.PaidAt
	case o.Status == order.Unpaid && !o.Flags.COD:
		return time.Time{}
	}
	return o.CreatedAt
}

// Deadlines are an order's deadlines: the channel's own fields where it gives them, the others by the rules of the day on which the order was
// placed. What no rule tells stays zero, and so do all fields of an order that the channel ships itself or that is not confirmed.
func (rs *RuleSet) Deadlines(o *order.Order) order.Deadlines {
	out := o.Deadlines
	at := Placed(o)
	if o.Fulfilment == order.ByPlatform || at.IsZero() || rs.calendar == nil {
		return out
	}
	day, handling := DayOf(at, rs.zone), HandlingOf(o)
	for i, kind := range computed {
		field := fieldOf(&out, kind)
		if !field.IsZero() {
			continue
		}
		for _, rule := range rs.byField[i] {
			if rule.In(day) && slices.Contains(rule.For, handling) {
				*field = rs.due(rule, at, day, out)
				break
			}
		}
	}
	return out
}

// byField sorts the rules for deadlines by the field they fill: a shop's whole history is judged by them.
func byField(list []DeadlineRule) [fields][]*DeadlineRule {
	var out [fields][]*DeadlineRule
	for i := range list {
		if k := slices.Index(computed[:], list[i].Field); k >= 0 {
			out[k] = append(out[k], &list[i])
		}
	}
	return out
}

// due is the deadline by one rule for an order placed at that moment of that day; zero where what it counts from is not known.
func (rs *RuleSet) due(r *DeadlineRule, placed time.Time, day Day, known order.Deadlines) time.Time {
	from := placed
	switch r.After {
	case AfterPlaced:
	case AfterShipBy:
		from = known.ShipBy
	case AfterHandOverBy:
		from = known.HandOverBy
	default:
		return time.Time{}
	}
	if from.IsZero() {
		return time.Time{}
	}
	from = from.Add(time.Duration(r.Delay.N) * time.Hour)
	if r.Period.Unit == Hours {
		return from.Add(time.Duration(r.Period.N) * time.Hour).UTC()
	}
	if !from.Equal(placed) {
		day = DayOf(from, rs.zone)
	}
	if r.Cutoff != 0 {
		var ok bool
		if day, ok = rs.calendar.WorkDay(from, r.Cutoff); !ok {
			return time.Time{}
		}
	}
	if r.Period.Unit == CalendarDays {
		return (day + Day(r.Period.N)).End(rs.zone).UTC()
	}
	last, ok := rs.calendar.Add(day, r.Period.N)
	if !ok {
		return time.Time{}
	}
	return last.End(rs.zone).UTC()
}

func fieldOf(d *order.Deadlines, kind order.DeadlineKind) *time.Time {
	switch kind {
	case order.ShipBy:
		return &d.ShipBy
	case order.HandOverBy:
		return &d.HandOverBy
	case order.AutoCancelShipBy:
		return &d.AutoCancelShipBy
	case order.AutoCancelHandOverBy:
		return &d.AutoCancelHandOverBy
	case order.AutoCancelDeliverBy:
		return &d.AutoCancelDeliverBy
	case order.DeliverBy:
		return &d.DeliverBy
	}
	return nil
}
