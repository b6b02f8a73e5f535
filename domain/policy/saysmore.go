package policy

import (
	"fmt"
	"strings"
)

func (l OrderLimit) topic() string {
	if l.Cause == "" {
		return about("Order limit", l.For)
	}
	return about("Order limit for "+l.Cause.Words(), l.For)
}

func (l OrderLimit) says() string {
	var parts []string
	add := func(when bool, format string, args ...any) {
		if when {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	for _, t := range l.Tiers {
		add(true, "from %s: %s of the base", t.From, t.Share)
	}
	for _, s := range l.Shares {
		add(true, "%s of the base", s)
	}
	add(l.Days > 0, "base: %s of %s", map[Base]string{AverageDay: "the average day", HighestAverage: "the highest daily average"}[l.Base], count(l.Days, "day"))
	add(l.Product > 0, "a product is switched off from %s of its own when the shop has %s", l.Product, l.Shop)
	add(l.Window > 0, "counted over %s", count(l.Window, "day"))
	add(l.Before > 0 || l.Past > 0, "from %s before a campaign to %s after it", count(l.Before, "day"), count(l.Past, "day"))
	add(l.LiftsAt > 0, "lifted at %s", l.LiftsAt)
	add(l.Starts != "", "%s", l.Starts)
	add(l.Lasts.Unit != "", "for %s", l.Lasts)
	add(l.Text != "", "%s", l.Text)
	return strings.Join(parts, "; ")
}

func (p Probation) topic() string { return "Probation, " + p.Tier }
func (p Probation) says() string {
	var parts []string
	if p.NoCap {
		parts = append(parts, "no cap")
	}
	if p.Orders > 0 {
		least := ""
		if p.From > 0 {
			least = fmt.Sprintf("%d to ", p.From)
		}
		parts = append(parts, least+count(p.Orders, "order")+" a day")
	}
	if p.Products > 0 {
		parts = append(parts, count(p.Products, "product"))
	}
	if p.AfterDays > 0 {
		parts = append(parts, fmt.Sprintf("over after %s and %s", count(p.AfterDays, "day"), count(p.AfterSold, "order")))
	}
	return strings.Join(parts, ", ")
}

func (r Regime) topic() string { return about(r.Option, r.For) }
func (r Regime) says() string {
	text := string(r.State)
	if r.Carrier != "" {
		text += ", " + r.Carrier + " picks the carrier"
	}
	if len(r.Exempt) > 0 {
		text += ", exempt from " + strings.Join(r.Exempt, ", ")
	}
	if r.HandOver.Unit != "" {
		text += ", if handed over within " + r.HandOver.String()
	}
	return text
}

func (s Score) topic() string { return "Shop score" }
func (s Score) says() string {
	return fmt.Sprintf("%s to %s, good from %s, breach below %s, from %s in %s on", s.Min, s.Max, s.Good, s.Floor, count(s.Orders, "delivered order"), count(s.Days, "day"))
}

func (m ScoreMetric) topic() string { return "Shop score, " + m.Code }
func (m ScoreMetric) says() string {
	text := m.Text
	if m.Window > 0 {
		text += ", " + count(m.Window, "day")
	}
	if m.Gives > 0 {
		text += fmt.Sprintf(", at most %s for %s", m.Limit, m.Gives)
	}
	return text
}

func (u ScoreUse) topic() string { return "What the shop score is used for" }
func (u ScoreUse) says() string {
	switch {
	case u.From > 0:
		return fmt.Sprintf("from %s: %s", u.From, u.Text)
	case u.Below > 0:
		return fmt.Sprintf("below %s: %s", u.Below, u.Text)
	}
	return u.Text
}

func (f Fee) topic() string { return about("Fee: "+f.Kind, f.For) }
func (f Fee) says() string {
	if f.Free {
		return "none"
	}
	var text string
	switch {
	case f.To > 0:
		text = f.Rate.String() + " to " + f.To.String()
	case f.Rate > 0:
		text = f.Rate.String()
	default:
		text = f.Each.String() + " each"
	}
	if f.Of != "" {
		text += " of " + f.Of
	}
	if f.Most.Currency != "" {
		text += ", at most " + f.Most.String()
	}
	return text
}

func (s Settlement) topic() string { return "Settlement, " + s.When }
func (s Settlement) says() string {
	switch {
	case s.Minimum.Currency != "":
		return "from " + s.Minimum.String()
	case s.Period.Unit != "":
		return "after " + s.Period.String()
	}
	return s.Note
}

func (s ServiceLevel) topic() string { return "Customer service, " + s.Measure }
func (s ServiceLevel) says() string {
	text := "measured"
	if s.Within.Unit != "" {
		text += " within " + s.Within.String()
	}
	if s.AtLeast > 0 {
		return text + ", at least " + s.AtLeast.String()
	}
	return text + "; no source tells a limit"
}

func (n Notice) topic() string {
	return about(map[NoticeKind]string{Happened: "Event", Consequence: "Consequence", Definition: "Definition", Practice: "Advice"}[n.Kind], n.Metric.Words())
}
func (n Notice) says() string { return n.Text }
