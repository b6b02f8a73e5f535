package ops

import (
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

const (
	// untoldShown bounds the parcels looked at for numbers that were not told, by node and step.
	untoldShown = 1_000
	// whyShown bounds the channel's words in an alert; the order's page has all of them.
	whyShown = 160
)

// tellSteps are the steps in which a parcel may have a number that its channel does not know. Fetching the label may stand in front of it, and a
// refusal waits for a person.
var tellSteps = []shipping.StepKind{shipping.Tell, shipping.Correct, shipping.Fetch, shipping.Ask}

// untoldOrders are the orders of parcels whose label has a number that could not be told to the channel, with what stands in the way. A number that is
// only a moment old is among them: whether it is too late is a matter of the order's deadline.
func untoldOrders(tx *store.Tx) (map[string]string, error) {
	counts, err := tx.ShipmentCounts()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, c := range counts { // by node and step
		if !slices.Contains(tellSteps, c.Step) {
			continue
		}
		rows, err := tx.ShipmentsAt(c.Node, c.Step, store.ShipmentPlace{}, untoldShown)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			why, untold := untoldWhy(&rows[i].Shipment)
			for _, o := range rows[i].Orders {
				if _, has := out[o]; untold && (!has || rows[i].Tell.Stuck) { // of several parcels the refused one is named
					out[o] = why
				}
			}
		}
	}
	return out, nil
}

// untoldWhy says why the channel does not know a parcel's number; false: it knows it, or knows it by itself.
func untoldWhy(s *shipping.Shipment) (why string, untold bool) {
	t := &s.Tell
	said := t.Message
	if len(said) > whyShown {
		said = strings.ToValidUTF8(said[:whyShown], "") + "…"
	}
	switch {
	case s.Way == shipping.ByPlatform || s.Label.Fate != shipping.Done || s.Label.Tracking == "" || t.Tracking == s.Label.Tracking || !s.Stopped.IsZero() && !s.Shipped():
		return "", false
	case t.Stuck:
		return "refused: " + said, true
	case t.Failures > 0 && said != "":
		return "it fails and is tried again: " + said, true
	case t.Failures > 0 || t.Fate == shipping.Open:
		return "the channel does not answer", true
	case t.Tracking != "":
		return "the channel knows the number it had before", true
	}
	return "not told yet", true
}
