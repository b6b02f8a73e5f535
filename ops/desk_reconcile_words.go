package ops

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// differingOf is an order on which the two differ, in words.
func differingOf(r store.ReconciledOrder, shop string, zone *time.Location, at time.Time) (view.DifferingOrder, error) {
	var l compare.Line
	if err := json.Unmarshal(r.Data, &l); err != nil {
		return view.DifferingOrder{}, errs.Wrap("ops.differingOf", r.OrderID, err)
	}
	v := view.DifferingOrder{Number: l.OrderID, Ours: sideWords(l.Ours, "not known here"), Theirs: sideWords(l.Theirs, "not in the file"), Cause: reconcile.CauseText(l.Cause),
		Text: differenceText(l, zone, at), Day: dayOf(l.Day)}
	if l.Ours != compare.Unknown {
		v.Ref = view.Ref{Kind: view.KindOrder, ID: order.ID(shop, l.OrderID)}
	}
	if l.Place.Line > 0 {
		v.Place = l.Place.File + ", line " + number(l.Place.Line)
	}
	return v, nil
}

func sideWords(s compare.Side, unknown string) string {
	switch s {
	case compare.Against:
		return "against the shop"
	case compare.Unjudged:
		return "not judged"
	case compare.NotCounted:
		return "not counted"
	case compare.Unknown:
		return unknown
	case compare.Silent:
		return "not told"
	}
	return string(s)
}

// fieldWords say what a field of an order is.
var fieldWords = map[string]string{"handed_over_at": "handed to the carrier", "ready_at": "ready to ship", "delivered_at": "delivered", "hand_over_by": "to be handed over by",
	"ship_by": "to be shipped by", "deliver_by": "to be delivered by", "paid_at": "paid", "created_at": "placed", "status": "state", "fault": "whose fault", "implied": "the deadline it is held against",
	"validity": "what counts as valid tracking", "tracking": "tracking"}

// differenceText says what of an order differs, with both values.
func differenceText(l compare.Line, zone *time.Location, at time.Time) string {
	var parts []string
	if l.Field != "" && l.Cause != compare.OutsidePeriods {
		parts = append(parts, cmp.Or(fieldWords[l.Field], strings.ReplaceAll(l.Field, "_", " ")))
	}
	if l.OursValue+l.TheirsValue != "" {
		ours, theirs := valueWords(l.OursValue, zone, at), valueWords(l.TheirsValue, zone, at)
		parts = append(parts, cmp.Or(ours, "nothing")+" here, "+cmp.Or(theirs, "nothing")+" there")
	}
	text := strings.Join(parts, ": ")
	if n := l.Minutes; n != 0 {
		side := " later there"
		if n < 0 {
			n, side = -n, " earlier there"
		}
		text += ", " + lasting(time.Duration(n)*time.Minute) + side
	}
	if l.TheirsReason != "" {
		if text != "" {
			text += ". "
		}
		text += "They say: " + l.TheirsReason
	}
	if text == "" && l.Reason != "" {
		text = reasonName(l.Reason)
	}
	return text
}

// valueWords writes a time of a report in the market's zone; other values stay.
func valueWords(s string, zone *time.Location, at time.Time) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return strings.ReplaceAll(s, "_", " ")
	}
	t = t.In(zone)
	if t.Year() == at.Year() {
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}
