package policy

import (
	"strings"
	"testing"
)

const wayRules = `
market: US
version: test-1
zone: America/Los_Angeles
sources:
  T: {title: "Made for tests"}
business: {week: monday to friday, source: T, confidence: unverified}
regimes:
  - {id: own, option: Seller label, from: 2024-01-01, until: 2027-03-31, state: allowed, carrier: the seller, source: T, confidence: official}
  - {id: own-abroad, option: Seller label, for: cross-border shops, from: 2025-12-01, state: closed, source: T, confidence: reported}
  - {id: own-ends, option: Seller label, from: 2027-03-31, state: closed, source: T, confidence: official}
  - {id: own-big, option: Seller label, for: big shops, from: 2027-01-01, state: allowed, carrier: the seller, source: T, confidence: official}
  - {id: mandate, option: Seller label, from: 2026-03-31, state: closed, withdrawn: 2026-02-17, announced: true, source: T, confidence: reported}
  - {id: channel-1, option: Channel label, from: 2024-01-01, until: 2026-02-05, state: allowed, carrier: the channel, source: T, confidence: official}
  - {id: channel-2, option: Better label, from: 2026-02-05, state: allowed, carrier: the channel, exempt: [on-time delivery], saving: "20 %", source: T, confidence: official}
  - {id: fetched, option: Fetched, from: 2026-06-01, state: allowed, carrier: the channel, areas: [Texas], source: T, confidence: official}
`

// Each rule is tried on the day before it, on its day, and after.
func TestWhoMayLabelByTheDay(t *testing.T) {
	rs, err := Decode(strings.NewReader(wayRules))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ day, kind, own, label string }{
		{"2023-12-31", "", "", ""},
		{"2024-01-01", "", "", "channel-1"},
		{"2025-11-30", "cross-border shops", "", "channel-1"},
		{"2025-12-01", "cross-border shops", "own-abroad", "channel-1"},
		{"2025-12-01", "", "", "channel-1"},
		{"2026-02-04", "", "", "channel-1"},
		{"2026-02-05", "", "", "channel-2"},
		{"2026-03-31", "", "", "channel-2"}, // the mandate was taken back
		{"2026-06-02", "", "", "channel-2"}, // what is only collected in one state is not for all
		{"2027-03-30", "", "", "channel-2"},
		{"2027-03-31", "", "own-ends", "channel-2"},
		{"2027-03-31", "cross-border shops", "own-abroad", "channel-2"}, // the rule for its kind is named
		{"2027-04-01", "big shops", "", "channel-2"},
	} {
		d, err := ParseDay(c.day)
		if err != nil {
			t.Fatal(err)
		}
		rule, forbidden := rs.OwnLabels(c.kind, d)
		if forbidden != (c.own != "") || forbidden && rule.ID != c.own {
			t.Errorf("%s, %s: %v by %q, not by %q", c.day, c.kind, forbidden, rule.ID, c.own)
		}
		if forbidden && !strings.Contains(rule.Words(), rule.From.String()) {
			t.Errorf("%q does not say since when", rule.Words())
		}
		if next := rs.NextWay(c.kind, d); next != 0 && next <= d {
			t.Errorf("%s: the next change is %s", c.day, next)
		}
		if way, _ := rs.ChannelLabels(c.kind, d); way.ID != c.label {
			t.Errorf("%s, %s: %q, not %q", c.day, c.kind, way.ID, c.label)
		}
	}
}

// What is required leaves no other way.
func TestARequiredWayClosesTheOthers(t *testing.T) {
	rs, err := Decode(strings.NewReader(strings.Replace(wayRules, "id: channel-2, option: Better label, from: 2026-02-05, state: allowed", "id: channel-2, option: Better label, from: 2026-02-05, state: required", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"2026-02-04": false, "2026-02-05": true} {
		d, _ := ParseDay(text)
		if rule, forbidden := rs.OwnLabels("", d); forbidden != want || want && rule.ID != "channel-2" {
			t.Errorf("%s: %v by %q", text, forbidden, rule.ID)
		}
	}
}
