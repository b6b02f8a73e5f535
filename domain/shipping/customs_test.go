package shipping

import (
	"testing"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

func TestWhatIsDeclared(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{{"US", "US", false}, {"US", "CA", true}, {"US", "PR", false}, {"PR", "US", false}, {"DE", "FR", false}, {"DE", "CH", true}, {"GB", "DE", true}, {"IE", "GB", true},
		{"GB", "IM", false}, {"NO", "SE", true}, {"", "DE", false}, {"DE", "", false}} {
		if got := Declares(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %v", c.from, c.to, got)
		}
	}
}

func TestTheLegendOfAnExport(t *testing.T) {
	usd := func(code string, minor int64) Declared {
		return Declared{code, money.Amount{Minor: minor, Currency: "USD"}}
	}
	for name, c := range map[string]struct {
		from, to string
		lines    []Declared
		want     string
		refused  bool
	}{
		"cheap":                         {"US", "DE", []Declared{usd("691110", 2_500_00)}, "NOEEI 30.37(a)", false},
		"a cent more":                   {"US", "DE", []Declared{usd("691110", 2_500_01)}, "", true},
		"two lines of one code":         {"US", "DE", []Declared{usd("691110", 2_000_00), usd("691110", 600_00)}, "", true},
		"two codes":                     {"US", "DE", []Declared{usd("691110", 2_000_00), usd("940521", 2_000_00)}, "NOEEI 30.37(a)", false},
		"dear, to Canada":               {"US", "CA", []Declared{usd("691110", 9_000_00)}, "NOEEI 30.36", false},
		"out of Puerto Rico":            {"PR", "DE", []Declared{usd("691110", 1)}, "NOEEI 30.37(a)", false},
		"out of Germany":                {"DE", "US", []Declared{{"691110", money.Amount{Minor: 9_000_00, Currency: "EUR"}}}, "", false},
		"out of the US, in other money": {"US", "GB", []Declared{{"691110", money.Amount{Minor: 10_00, Currency: "GBP"}}}, "", true},
	} {
		got, err := ExportLegend(c.from, c.to, c.lines)
		if got != c.want || (err != nil) != c.refused || err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
