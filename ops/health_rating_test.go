package ops

import (
	"bytes"
	"strings"
	"testing"
	"time"

	tiktokpolicy "github.com/spillway/spillway/connector/tiktok/policy"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
)

// The lower an account stands the louder it is told, and what is worse never sounds as if it were over.
func TestALowAccountIsTold(t *testing.T) {
	var rules *policy.RuleSet
	for _, p := range tiktokpolicy.All() {
		if p.Market == "US" {
			rs, err := policy.Decode(bytes.NewReader(p.YAML))
			if err != nil {
				t.Fatal(err)
			}
			rules = rs
		}
	}
	day := policy.DayOf(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), time.UTC)
	for _, c := range []struct {
		value, taken int
		told         bool
		severity     alert.Severity
		says         string
	}{
		{1000, 0, false, "", ""}, {200, 0, false, "", ""},
		{199, 0, true, "", "199, below 200"}, {161, 0, true, "", "161, below 200"},
		{160, 0, true, "", "10 points above the milestone of 150"}, {151, 0, true, "", "1 point above the milestone of 150"},
		{150, 0, true, "", "past the milestone of 150"}, {140, 0, true, "", "past the milestone of 150"},
		{105, 0, true, "", "The next, of 100, is 5 points away"}, {100, 0, true, "", "past the milestone of 100"},
		{51, 0, true, "", "The next, of 50, is 1 point away"}, {50, 0, true, alert.Critical, "past the milestone of 50"},
		{9, 0, true, alert.Critical, "The next, of 0, is 9 points away"}, {0, 0, true, alert.Critical, "past the milestone of 0"},
		{205, 10, true, "", "195, below 200"}, {155, 12, true, "", "143, past the milestone of 150"},
	} {
		var taken []health.Deduction
		if c.taken > 0 {
			taken = []health.Deduction{{Day: day, Points: c.taken}}
		}
		a, ok := health.AccountOn(rules, day, []health.Entered{{Day: day - 1, Value: c.value}}, taken, nil)
		if !ok {
			t.Fatal("the market keeps no account")
		}
		s, told := ratingSignal(&a)
		if told != c.told || s.Severity != c.severity || !strings.Contains(s.Text, c.says) {
			t.Errorf("%d less %d: %v %q %q", c.value, c.taken, told, s.Severity, s.Text)
		}
	}
}
