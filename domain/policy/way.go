package policy

import (
	"slices"
	"strings"
)

// byChannel reports whether the channel picks the carrier and sells the label; bySeller, whether the seller does. A rule that closes a way seldom
// repeats who picks: then neither holds.
func (r Regime) byChannel() bool { return r.Carrier != "" && !r.bySeller() }
func (r Regime) bySeller() bool  { return strings.Contains(r.Carrier, "seller") }

// meant reports whether a rule speaks of shops of a kind; a rule that names none speaks of all.
func (r Regime) meant(kind string) bool { return r.For == "" || r.For == kind }

// OwnLabels says whether a shop may label its parcels itself on a day: forbidden, and by which rule. kind is the shop's, in the words that rules
// use in For; empty: none of them. A rule for shops of the kind goes before one for all, and of the others the one that began last is named.
// What was only announced, or taken back, forbids nothing, and where no rule speaks of the seller's own labels they are not forbidden.
func (rs *RuleSet) OwnLabels(kind string, d Day) (rule Regime, forbidden bool) {
	var own []string
	for _, r := range rs.Regimes {
		if r.bySeller() {
			own = append(own, r.Option)
		}
	}
	for _, r := range rs.Regimes {
		if !r.In(d) || !r.meant(kind) {
			continue
		}
		mine := slices.Contains(own, r.Option)
		switch {
		case mine && r.State != Closed && r.For != "":
			return r, false
		case mine && r.State == Closed, !mine && r.State == Required && r.byChannel():
			if !forbidden || r.For != "" && rule.For == "" || r.For == rule.For && r.From > rule.From {
				rule, forbidden = r, true
			}
		}
	}
	return rule, forbidden
}

// ChannelLabels is the way in which parcels with the channel's label ship on a day: of those that are open to every such shop, without areas and
// a least number of orders, the one that began last. False: the rules do not say.
func (rs *RuleSet) ChannelLabels(kind string, d Day) (way Regime, ok bool) {
	for _, r := range rs.Regimes {
		if !r.In(d) || !r.meant(kind) || !r.byChannel() || r.State == Closed || len(r.Areas) > 0 || r.PerDay > 0 {
			continue
		}
		if !ok || r.From > way.From {
			way, ok = r, true
		}
	}
	return way, ok
}

// NextWay is the first day after d on which a rule of shipping for shops of a kind begins or ends; 0: none is known to.
func (rs *RuleSet) NextWay(kind string, d Day) (next Day) {
	for _, r := range rs.Regimes {
		for _, day := range []Day{r.From, r.Until} {
			if !r.Announced && r.meant(kind) && day > d && (next == 0 || day < next) {
				next = day
			}
		}
	}
	return next
}

// Words is a rule of shipping in a sentence, with its day and where it comes from.
func (r Regime) Words() string {
	text := r.Option + " is " + string(r.State)
	if r.For != "" {
		text += " for " + r.For
	}
	if r.From != 0 {
		text += " from " + r.From.String()
	}
	if r.Until != 0 {
		text += " until " + r.Until.String()
	}
	return text + " (rule " + r.ID + ", source " + r.Source + ", " + string(r.Confidence) + ")"
}
