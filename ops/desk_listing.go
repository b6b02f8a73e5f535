package ops

import (
	"cmp"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/ops/view"
)

// listings are an item's listings with what they were told and why.
func (d *Desk) listings(s supposition, report allocation.Report, item string, ch channels) []view.Listing {
	lines := map[string]allocation.ListingLine{}
	for _, l := range report.Listings {
		lines[l.Listing] = l
	}
	risk := map[string]int64{}
	for _, l := range report.Items {
		if l.Mode == allocation.Shared {
			risk[l.Item] = int64(l.Oversell.Units)
		}
	}
	var out []view.Listing
	for _, id := range s.cat.byItem[item] {
		l := s.cat.listings[id]
		line, known := lines[id]
		v := view.Listing{ID: id, ConnectionID: l.ConnectionID, Channel: ch.of(l.ConnectionID), ExternalSKU: l.ExternalSKU, Title: l.Title,
			Mode: string(cmp.Or(line.Mode, allocation.Guarded)), Rules: rulesView(l.Rules), Risk: risk[item]}
		if known {
			b := s.books[id]
			told := int64(b.Told)
			v.Told, v.ToldAt, v.Exposure, v.Desired = &told, b.Since, int64(line.Exposure), int64(desired(b))
			v.Why = whyListing(line, b) + d.whyCapped(l.ConnectionID)
		} else {
			v.Why = "Its number has not been read from the channel yet; nothing is told before that."
		}
		v.State, v.Level = d.listingState(s, l, line, known)
		out = append(out, v)
	}
	return out
}

// listingState is what a listing is waiting for, in our words.
func (d *Desk) listingState(s supposition, l catalog.Listing, line allocation.ListingLine, known bool) (string, view.Level) {
	switch {
	case !l.Active:
		return "inactive", view.Quiet
	case l.Mode == "platform":
		return "kept by the platform", view.Quiet
	case s.wires.paused(l.ConnectionID):
		return "paused", view.Watch
	case !known:
		return "not read yet", view.Watch
	case line.Status == "push in doubt":
		return line.Status, view.Watch
	case line.Status == "push on its way":
		return line.Status, view.Quiet
	}
	return wireRight, view.Good
}

// whyCapped says that a shop's orders are capped; empty: they are not.
func (d *Desk) whyCapped(connection string) string {
	c, left, capped := d.x.wires.orderCap(connection)
	switch {
	case !capped:
		return ""
	case left == 0:
		return " Its shop takes no more orders today: it is capped at " + number(c.PerDay) + " a day."
	}
	return " Its shop is capped at " + number(c.PerDay) + " orders a day, so it shows at most " + number(left) + " now."
}

// whyListing says how a listing's number came about.
func whyListing(l allocation.ListingLine, b allocation.Book) string {
	n := numbersOf(l.TargetWhy)
	text := map[string]string{
		"held":                     "A hold keeps " + unitsOf(n["hold"]) + " for it.",
		"fixed":                    "You fixed its number.",
		"shared":                   "It is shared: every channel shows the whole stock.",
		"share of stock by demand": "Its share by demand (" + number(n["demand"]) + " a day) would be " + unitsOf(n["target"]) + " of " + number(n["promisable"]) + ".",
	}[l.TargetWhy.Code]
	if promisable, known := n["promisable"]; known && promisable <= 0 && l.TargetWhy.Code == "share of stock by demand" {
		text = "There is no unit to share."
	}
	switch {
	case b.InFlight != nil:
		text += " It is being told " + number(b.InFlight.Push.Quantity) + ": " + b.InFlight.Push.Why.Code + "."
	case len(b.Ghosts) > 0:
		text += " A push got no answer; its number is read again."
	case l.Exposure < b.Told:
		text += " It has sold " + unitsOf(b.Told-l.Exposure) + " since it was told, so it may still sell " + number(l.Exposure) + "; it is refilled when it runs low."
	case l.Exposure > b.Told:
		text += " Up to " + unitsOf(l.Exposure-b.Told) + " more may still be sold until its sales are known."
	}
	return text
}

func numbersOf(w allocation.Why) map[string]int {
	out := map[string]int{}
	for _, n := range w.Numbers {
		if _, seen := out[n.Name]; !seen {
			out[n.Name] = n.Value
		}
	}
	return out
}
