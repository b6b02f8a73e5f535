package policy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/money"
)

// PPM is a share in millionths: 4 % is 40,000. Whole numbers, so that a rate exactly on its limit is judged exactly.
type PPM int64

const (
	million        = 1_000_000
	percent    PPM = million / 100
	ppmDecimal     = 4 // decimals of a percentage that a PPM can hold
)

// ParsePPM reads a share written "4 %" or "2.5 %", from 0 % to 100 %.
func ParsePPM(text string) (PPM, error) {
	bad := fmt.Errorf("%q is no percentage: write it like 4 %% or 2.5 %%, from 0 %% to 100 %%", text)
	num, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, bad
	}
	whole, frac, dot := strings.Cut(strings.TrimSuffix(num, " "), ".")
	if whole == "" || len(whole) > 3 || len(frac) > ppmDecimal || (dot && frac == "") || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", ppmDecimal-len(frac)), 10, 64)
	if err != nil || n > million {
		return 0, bad
	}
	return PPM(n), nil
}

// String writes the share as "4 %" or "2.5 %".
func (p PPM) String() string {
	sign := ""
	if p < 0 {
		sign, p = "-", -p
	}
	text := fmt.Sprintf("%s%d", sign, p/percent)
	if rest := p % percent; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%04d", rest), "0")
	}
	return text + " %"
}

// UnmarshalYAML reads what ParsePPM does.
func (p *PPM) UnmarshalYAML(n *yaml.Node) (err error) {
	*p, err = ParsePPM(n.Value)
	return calendar.InLine(n, err)
}

// PeriodUnit is what a period is counted in.
type PeriodUnit string

const (
	Hours        PeriodUnit = "hour"
	CalendarDays PeriodUnit = "day"
	BusinessDays PeriodUnit = "business day"
)

// maxPeriod bounds a period of any unit: a year of hours.
const maxPeriod = 366 * 24

// Period is a number of hours, calendar days or business days. The zero Period is none; "0 business days" is a period.
type Period struct {
	N    int
	Unit PeriodUnit
}

// ParsePeriod reads "48 hours", "30 days" or "2 business days".
func ParsePeriod(text string) (Period, error) {
	num, unit, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(num)
	p := Period{N: n, Unit: PeriodUnit(strings.TrimSuffix(unit, "s"))}
	if err != nil || n < 0 || n > maxPeriod || (p.Unit != Hours && p.Unit != CalendarDays && p.Unit != BusinessDays) || (p.Unit == BusinessDays && n > calendar.MaxDays) {
		return Period{}, fmt.Errorf("%q is no period: write it like 48 hours, 30 days or 2 business days", text)
	}
	return p, nil
}

// String writes the period as ParsePeriod reads it; none as "".
func (p Period) String() string {
	switch {
	case p.Unit == "":
		return ""
	case p.N == 1:
		return "1 " + string(p.Unit)
	}
	return fmt.Sprintf("%d %ss", p.N, p.Unit)
}

// MarshalText writes the period as String does.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Period) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*p = Period{}
		return nil
	}
	*p, err = ParsePeriod(string(text))
	return err
}

// UnmarshalYAML is UnmarshalText with the line in the error.
func (p *Period) UnmarshalYAML(n *yaml.Node) error {
	return calendar.InLine(n, p.UnmarshalText([]byte(n.Value)))
}

// Price is an amount of money, written "5 USD" in YAML.
type Price struct{ money.Amount }

// ParsePrice reads "5 USD" or "2.86 USD".
func ParsePrice(text string) (Price, error) {
	num, currency, _ := strings.Cut(text, " ")
	if len(currency) == 3 && strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && !strings.HasPrefix(num, "-") {
		if a, err := money.Parse(num, currency); err == nil {
			return Price{a}, nil
		}
	}
	return Price{}, fmt.Errorf("%q is no amount of money: write it like 5 USD", text)
}

// UnmarshalYAML reads what ParsePrice does.
func (p *Price) UnmarshalYAML(n *yaml.Node) (err error) {
	*p, err = ParsePrice(n.Value)
	return calendar.InLine(n, err)
}

// Tenths is a number with one decimal, such as a score of 2.5, in whole tenths.
type Tenths int

// ParseTenths reads "4" or "2.5", from 0 to 100.
func ParseTenths(text string) (Tenths, error) {
	whole, frac, dot := strings.Cut(text, ".")
	if !dot {
		frac = "0"
	}
	n, err := strconv.Atoi(whole + frac)
	if err != nil || len(frac) != 1 || whole == "" || n < 0 || n > 1000 || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no score: write it like 4 or 2.5", text)
	}
	return Tenths(n), nil
}

// String writes the number as "2.5".
func (t Tenths) String() string { return fmt.Sprintf("%d.%d", t/10, t%10) }

// MarshalJSON writes the number as a JSON number with one decimal.
func (t Tenths) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Tenths) UnmarshalJSON(b []byte) (err error) {
	var n json.Number
	if err = json.Unmarshal(b, &n); err == nil {
		*t, err = ParseTenths(n.String())
	}
	return err
}

// UnmarshalYAML reads what ParseTenths does.
func (t *Tenths) UnmarshalYAML(n *yaml.Node) (err error) {
	*t, err = ParseTenths(n.Value)
	return calendar.InLine(n, err)
}
