package allocation

import (
	"strconv"
	"strings"
)

// Why is a structured explanation: a code a page can translate and the named numbers behind it.
type Why struct {
	Code    string   `json:"code"`
	Numbers []Number `json:"numbers,omitempty"`
}

// Number is one named figure of an explanation.
type Number struct {
	Name  string `json:"name"`
	Value int    `json:"value"`
	Unit  string `json:"unit"` // "units", "percent", "milliseconds", "units/day"
}

func why(code string, numbers ...Number) Why { return Why{Code: code, Numbers: numbers} }

func units(name string, v int) Number { return Number{Name: name, Value: v, Unit: "units"} }

func perDay(name string, perSecond float64) Number {
	const most = 1e15 // keeps the conversion defined whatever the estimate
	return Number{Name: name, Value: int(min(most, perSecond*86400+0.5)), Unit: "units/day"}
}

// String renders the explanation for logs and tests, such as "refill: exposure 3, target 40".
func (w Why) String() string {
	var b strings.Builder
	b.WriteString(w.Code)
	for i, n := range w.Numbers {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(n.Name + " " + strconv.Itoa(n.Value))
		if n.Unit != "units" {
			b.WriteString(" " + n.Unit)
		}
	}
	return b.String()
}
