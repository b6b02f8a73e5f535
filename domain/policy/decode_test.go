package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// small is a rule set with one of most things; tests change it line by line.
const small = `market: US
version: test-1
zone: America/Los_Angeles
sources:
  page: {title: "The channel's page", seen: 2026-03-02}
  blog: {title: "A blog"}
business: {week: monday to friday, holidays: us_federal, source: page, confidence: official}
closures:
  - {name: extension, from: 2026-11-27, until: 2026-11-28, source: page, confidence: official}
rates:
  - {id: ldr-old, metric: ldr, until: 2026-01-01, counts: order, anchor: ready, test: ready_late, spare: [platform_fulfilled], days: 7, source: page, confidence: official}
  - {id: ldr-new, metric: ldr, from: 2026-01-01, counts: order, anchor: handed_over, test: handed_over_late, days: 7, source: page, confidence: official}
  - {id: ldr-next, metric: ldr, from: 2026-06-15, counts: order, anchor: ready, test: ready_late, days: 7, announced: true, source: blog, confidence: unverified}
  - {id: otdr, metric: otdr, counts: order, anchor: deliver_by, test: delivered_on_time, days: 7, lag: 1, source: page, confidence: official}
bands:
  - {metric: ldr, kind: enforcement, limit: "4 %", until: 2026-03-02, source: page, confidence: official}
  - {metric: ldr, kind: target, limit: "4 %", from: 2026-03-02, source: page, confidence: official}
  - {metric: ldr, kind: enforcement, limit: "10 %", from: 2026-03-02, source: page, confidence: official}
  - {metric: otdr, kind: enforcement, limit: "80 %", source: page, confidence: official}
deadlines:
  - {id: ship-by, field: ship_by, for: [regular, back_order], after: placed, period: 2 business days, source: page, confidence: official}
  - {id: ship-by-next, field: ship_by, for: [regular], from: 2026-06-15, after: placed, period: 5 business days, announced: true, source: blog, confidence: unverified}
  - {id: hand-over, field: hand_over_by, for: [regular], from: 2026-01-01, after: placed, cutoff: "14:00", period: 0 business days, source: page, confidence: official}
  - {id: cancel, field: auto_cancel_ship_by, for: [made_to_order], after: ship_by, period: 4 business days, source: page, confidence: official}
  - {id: deliver, field: deliver_by, for: [regular], after: placed, delay: 1 hour, period: 6 days, source: page, confidence: official}
regimes:
  - {id: own, option: own labels, state: allowed, source: page, confidence: official}
  - {id: mandate, option: own labels, from: 2026-03-31, state: closed, told_on: 2026-01-21, withdrawn: 2026-02-17, announced: true, source: page, confidence: official}
notices:
  - {id: told, kind: event, from: 2026-02-17, text: It was withdrawn., source: blog, confidence: reported}
`

func decode(t testing.TB, text string) *RuleSet {
	t.Helper()
	rs, err := Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func day(t testing.TB, text string) Day {
	t.Helper()
	d, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// line is the number of the first line of small that holds part.
func line(t *testing.T, part string) string {
	t.Helper()
	n := slices.IndexFunc(strings.Split(small, "\n"), func(l string) bool { return strings.Contains(l, part) })
	if n < 0 {
		t.Fatalf("the small rule set has no line with %q", part)
	}
	return fmt.Sprintf("line %d: ", n+1)
}

func TestDecodeRefusesByLineAndField(t *testing.T) {
	for name, c := range map[string]struct{ old, new, field, way string }{
		"unknown field":         {"counts: order, anchor: ready, test: ready_late, spare", "count: order, anchor: ready, test: ready_late, spare", "count: no such field", "counts"},
		"twice":                 {"zone: America/Los_Angeles", "zone: America/Los_Angeles\nmarket: US", "market: is there twice", "first in line 1"},
		"no day":                {"until: 2026-01-01, counts", "until: 2026-13-01, counts", "rates[0]", "write it like 2026-03-02"},
		"no percentage":         {`limit: "80 %"`, `limit: 0.8`, "bands[3]", "write it like 4 %"},
		"over 100 %":            {`limit: "80 %"`, `limit: "100.1 %"`, "bands[3]", "from 0 % to 100 %"},
		"no limit":              {`limit: "80 %", `, ``, "bands[3].limit", "must be set"},
		"no value":              {"version: test-1", "version:", "version: has no value", "give one"},
		"no number":             {"test: ready_late, spare: [platform_fulfilled], days: 7", "test: ready_late, spare: [platform_fulfilled], days: seven", `"seven" does not fit`, "a whole number is wanted"},
		"window of none":        {"test: ready_late, spare: [platform_fulfilled], days: 7", "test: ready_late, spare: [platform_fulfilled], days: 0", "rates[0].days", "must be from 1 to 400"},
		"unknown metric":        {"{id: otdr, metric: otdr", "{id: otdr, metric: otd", "rates[3].metric", "write one of ldr, vtr, sfcr, otdr"},
		"wrong way round":       {"test: delivered_on_time", "test: ready_late", "rates[3].test", "does not go with otdr"},
		"judged too early":      {"days: 7, lag: 1", "days: 7", "rates[3].lag", "must be at least 1"},
		"unknown source":        {"2026-06-15, counts: order, anchor: ready, test: ready_late, days: 7, announced: true, source: blog", "2026-06-15, counts: order, anchor: ready, test: ready_late, days: 7, announced: true, source: blurb", "rates[2].source", "name it there"},
		"operator in a file":    {"limit: \"80 %\", source: page, confidence: official", "limit: \"80 %\", source: page, confidence: operator", "bands[3].confidence", "official, reported, unverified"},
		"id taken":              {"id: ldr-new", "id: ldr-old", "rates[1].id", "taken by rates[0]"},
		"two on one day":        {"id: ldr-new, metric: ldr, from: 2026-01-01", "id: ldr-new, metric: ldr, from: 2025-12-31", "rates[1]: a second definition of ldr on 2025-12-31", "end the other with until"},
		"span backwards":        {"id: ldr-new, metric: ldr, from: 2026-01-01", "id: ldr-new, metric: ldr, until: 2025-01-01, from: 2026-01-01", "rates[1].until", "must come after from"},
		"target outside":        {`kind: target, limit: "4 %"`, `kind: target, limit: "11 %"`, "bands[2].limit", "must not be looser"},
		"two of one band":       {`kind: enforcement, limit: "10 %", from: 2026-03-02`, `kind: enforcement, limit: "10 %", from: 2026-03-01`, "bands[2]: a second enforcement of ldr on 2026-03-01", "begin this one later"},
		"two deadlines":         {"{id: hand-over, field: hand_over_by", "{id: hand-over, field: ship_by", "deadlines[2]: a second ship_by of regular orders", "end the other"},
		"deadline after itself": {"field: auto_cancel_ship_by, for: [made_to_order], after: ship_by", "field: ship_by, for: [made_to_order], after: ship_by", "deadlines[3].after", "not counted from itself"},
		"no period":             {"after: placed, period: 2 business days", "after: placed, period: two days", "deadlines[0]", "write it like 48 hours"},
		"no clock":              {`cutoff: "14:00"`, `cutoff: "2 pm"`, "deadlines[2]", "write it like 14:00"},
		"withdrawn, in force":   {"withdrawn: 2026-02-17, announced: true", "withdrawn: 2026-02-17", "regimes[1].withdrawn", "goes with announced: true"},
		"no zone":               {"zone: America/Los_Angeles", "zone: Pacific", "zone", "write an IANA name"},
		"no week":               {"week: monday to friday", "week: weekdays", "business", "monday to saturday"},
		"alias":                 {"page: {title", "page: &x {title", "sources.page", "write the value out"},
		"closure without end":   {"from: 2026-11-27, until: 2026-11-28", "from: 2026-11-27", "closures[0]", "the first day that counts again"},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		if text == small {
			t.Errorf("%s: nothing to replace", name)
			continue
		}
		_, err := Decode(strings.NewReader(text))
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, want a refusal", name, err)
			continue
		}
		first, _, _ := strings.Cut(c.old, "\n")
		at := line(t, first)
		switch name {
		case "twice":
			at = "line 4: "
		case "target outside": // told of the later of the two
			at = line(t, `limit: "10 %"`)
		}
		for _, want := range []string{at, c.field, c.way} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", name, err, want)
			}
		}
	}
}

func TestDecodeRefusesWhatIsNoRuleSet(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "the file is empty",
		"- a\n- b\n":                   "must be a map",
		small + "\n---\nmarket: GB\n":  "more than one document",
		"market: [US":                  "line 1",
		"market: {a: &a [*a]}":         "anchors and aliases",
		strings.Repeat("#", MaxFile+1): "longer than 512 KiB",
		"market: " + strings.Repeat("[", 30) + "1":                                            "line 1",
		"market: " + strings.Repeat("[", 30) + strings.Repeat("]", 30):                        "nested more than",
		"bands: [" + strings.Repeat("1, ", maxNodes) + "1]":                                   "more than 40000 values",
		strings.Replace(small, "rates:", "rates: 5\nx:", 1):                                   "no such field",
		strings.Replace(small, "business: {", "business: [", 1):                               "line",
		"market: us\nversion: 1\nzone: UTC\nbusiness: {week: every day}\n":                    "two capital letters",
		strings.Replace(small, "US\n", "US\nnotices: "+strings.Repeat("x", 100)+"\n", 1) + "": "is there twice",
	} {
		_, err := Decode(strings.NewReader(text))
		if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestManyMistakesAreToldAtOnceAndNotWithoutEnd(t *testing.T) {
	text := strings.ReplaceAll(small, "source: page", "source: nowhere")
	_, err := Decode(strings.NewReader(text))
	if n := strings.Count(fmt.Sprint(err), "nowhere"); n < 10 || n > maxShown {
		t.Errorf("%d mistakes told, want many and at most %d: %v", n, maxShown, err)
	}
	two := strings.Replace(strings.Replace(small, "days: 7, lag: 1", "days: seven, lag: 1", 1), `limit: "80 %"`, "limit: eighty", 1)
	if _, err = Decode(strings.NewReader(two)); !strings.Contains(err.Error(), "seven") || !strings.Contains(err.Error(), "eighty") {
		t.Errorf("one of two mistakes is kept back: %v", err)
	}
}

func TestRulesSwitchAtMidnightOfTheMarket(t *testing.T) {
	rs := decode(t, small)
	zone := rs.Location()
	for _, c := range []struct {
		at          string
		rate        string
		target      PPM
		enforcement PPM
	}{
		{"2025-12-31T23:59:59-08:00", "ldr-old", 0, 4 * percent},
		{"2026-01-01T00:00:00-08:00", "ldr-new", 0, 4 * percent},
		{"2026-01-01T07:59:59Z", "ldr-old", 0, 4 * percent}, // the new year in UTC only
		{"2026-03-01T23:59:59-08:00", "ldr-new", 0, 4 * percent},
		{"2026-03-02T00:00:00-08:00", "ldr-new", 4 * percent, 10 * percent},
		{"2026-06-15T00:00:00-07:00", "ldr-new", 4 * percent, 10 * percent}, // announced only
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		d := DayOf(at, zone)
		r, ok := rs.RateOn(LDR, d)
		if !ok || r.ID != c.rate {
			t.Errorf("%s: counted by %q, want %q", c.at, r.ID, c.rate)
		}
		limits := map[BandKind]PPM{}
		for _, b := range rs.BandsOn(LDR, d) {
			limits[b.Kind] = b.Limit
		}
		if limits[Target] != c.target || limits[Enforcement] != c.enforcement {
			t.Errorf("%s: limits %v, want target %s, enforcement %s", c.at, limits, c.target, c.enforcement)
		}
	}
	if _, ok := rs.RateOn(VTR, day(t, "2026-03-02")); ok || len(rs.BandsOn(VTR, day(t, "2026-03-02"))) != 0 {
		t.Error("a metric without rules is judged")
	}
}

func TestBandEdges(t *testing.T) {
	for _, c := range []struct {
		limit    string
		num, den int64
		high     bool
		reached  bool
		worse    bool
	}{
		{"4 %", 4, 100, true, false, false}, {"4 %", 401, 10_000, true, false, true}, {"4 %", 399, 10_000, true, false, false},
		{"10 %", 10, 100, true, false, false}, {"10 %", 1001, 10_000, true, false, true}, {"10 %", 10, 100, true, true, true}, {"10 %", 999, 10_000, true, true, false},
		{"2.5 %", 25, 1000, true, false, false}, {"2.5 %", 26, 1000, true, false, true},
		{"95 %", 95, 100, false, false, false}, {"95 %", 9499, 10_000, false, false, true}, {"80 %", 4, 5, false, false, false}, {"80 %", 4, 5, false, true, true},
		{"4 %", 0, 0, true, true, false}, {"95 %", 0, 0, false, true, false}, // nothing counted is never worse
		{"4 %", 40_000_000_000, 1_000_000_000_000, true, false, false}, // and no sum overflows
	} {
		limit, err := ParsePPM(c.limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Band{Limit: limit, Reached: c.reached}).Worse(c.num, c.den, c.high); got != c.worse {
			t.Errorf("%d of %d against %s (reached %v): worse is %v, want %v", c.num, c.den, c.limit, c.reached, got, c.worse)
		}
	}
}

func TestValuesAreReadAsWritten(t *testing.T) {
	for text, want := range map[string]PPM{"0 %": 0, "4 %": 40_000, "2.5%": 25_000, "100 %": million, "1.0251 %": 10_251} {
		if got, err := ParsePPM(text); err != nil || got != want {
			t.Errorf("%q is read as %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "4", "4.%", ".5 %", "-4 %", "+4 %", "1e1 %", "4  %", "101 %", "1000 %", "4.00001 %", "4 % "} {
		if got, err := ParsePPM(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	for _, text := range []string{"48 hours", "1 hour", "30 days", "2 business days", "1 business day", "0 business days"} {
		if p, err := ParsePeriod(text); err != nil || p.String() != text {
			t.Errorf("%q is read as %q (%v)", text, p, err)
		}
	}
	for _, text := range []string{"", "2", "-1 days", "2 weeks", "367 business days", "9000 hours", "days"} {
		if p, err := ParsePeriod(text); err == nil {
			t.Errorf("%q is read as %s", text, p)
		}
	}
	for text, want := range map[string]string{"5 USD": "5.00 USD", "2.86 USD": "2.86 USD"} {
		if p, err := ParsePrice(text); err != nil || p.String() != want {
			t.Errorf("%q is read as %s (%v)", text, p, err)
		}
	}
	for _, text := range []string{"5", "USD 5", "-5 USD", "5 usd", "2.861 USD"} {
		if p, err := ParsePrice(text); err == nil {
			t.Errorf("%q is read as %s", text, p)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(small)
	for _, s := range []string{"", "market: US", "market: [", "a: &b [*b]", "rates: [{id: 1}]", "bands: [{limit: 4 %}]", "? {a: b}\n: c", "!!binary a: b",
		"market: !!int US", "<<: {a: b}", "zone: ../../etc/passwd", "closures: [{from: 2000-01-01, until: 2100-01-01, name: x}]", "sources: {a: 1}", "\x00", "%YAML 9.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rs, err := Decode(strings.NewReader(text))
		switch {
		case err != nil && !errs.Is(err, errs.Invalid):
			t.Fatalf("%v is no refusal", err)
		case err == nil && (rs.Calendar() == nil || rs.Market == "" || rs.Location().String() != rs.Zone):
			t.Fatalf("half a rule set was let through: %+v", rs)
		}
	})
}

func TestListsThatJudgeNoOrderAreCheckedToo(t *testing.T) {
	const from = ", source: page, confidence: official}\n"
	for text, want := range map[string]string{
		"handling:\n  - {id: a, for: regular, min: 3 days, max: 2 days" + from:                                                         "handling[0].max: must be at least min",
		"terms:\n  - {id: a, kind: answer, period: 2 days" + from:                                                                      "terms[0].kind: \"answer\" is not known",
		"terms:\n  - {id: a, kind: appeal" + from:                                                                                      "terms[0].period: must be set",
		"accounts:\n  - {id: a, min: 0, max: 100, start: 200, look_back: 180, warning: 10, gains: none" + from:                         "accounts[0].start: must lie between",
		"zones:\n  - {id: a, scheme: s, name: x, low: 0, high: 50" + from + "  - {id: b, scheme: s, name: y, low: 50, high: 60" + from: "zones[1].low: lies inside zone x",
		"milestones:\n  - {id: a, points: 150" + from:                                                                                  "milestones[0].blocks: must say",
		"points:\n  - {id: a, life: 0" + from:                                                                                          "points[0].life",
		"point_steps:\n  - {id: a, points: 0" + from:                                                                                   "point_steps[0].points",
		"point_costs:\n  - {id: a, metric: ldr, points: 2, to: 2" + from:                                                               "point_costs[0].points",
		"order_limits:\n  - {id: a, base: average" + from:                                                                              "order_limits[0].base_days: goes with base",
		"order_limits:\n  - {id: a, tiers: [{from: \"30 %\", share: \"70 %\"}, {from: \"10 %\", share: \"90 %\"}]" + from:              "order_limits[0].tiers: must be in the order",
		"probation:\n  - {id: a, tier: x" + from:                                                                                       "probation[0]: must cap something",
		"scores:\n  - {id: a, min: 0, max: 5, good: 2, floor: 2.5, orders: 30, days: 90, tiers: [A]" + from:                            "scores[0]: needs min",
		"score_metrics:\n  - {id: a, code: X, text: x, limit: \"1 %\"" + from:                                                          "score_metrics[0].gives: goes with limit",
		"score_uses:\n  - {id: a, text: x, from_score: 4, below_score: 2" + from:                                                       "score_uses[0]: needs a text",
		"score_uses:\n  - {id: a, text: x, from_score: 2.55" + from:                                                                    "is no score",
		"fees:\n  - {id: a, kind: x" + from:                                                                                            "fees[0]: must charge something",
		"fees:\n  - {id: a, kind: x, each: 5" + from:                                                                                   "write it like 5 USD",
		"settlements:\n  - {id: a, when: x" + from:                                                                                     "settlements[0]: needs when",
		"service:\n  - {id: a, within: 24 hours" + from:                                                                                "service[0].measure",
		"gaps:\n  - {id: a}\n":                            "gaps[0]: needs id and text",
		"fees:\n  - {id: a@b, kind: x, free: true" + from: "without @ and /",
	} {
		_, err := Decode(strings.NewReader(small + text))
		if at := fmt.Sprintf("line %d: ", strings.Count(small, "\n")+strings.Count(text, "\n")); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), at) {
			t.Errorf("%s%v\nwant %s%s", text, err, at, want)
		}
	}
}
