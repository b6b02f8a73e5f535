package tracking

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// asPublished is a second reading of the published formats, from their regular expressions; it shares nothing with the first but the data.
type asPublished struct {
	form  *regexp.Regexp
	rules struct {
		Checksum struct {
			Name             string
			Even             int `json:"evens_multiplier"`
			Odd              int `json:"odds_multiplier"`
			Reverse          bool
			Weightings       []int64
			Modulo1, Modulo2 int64
		}
		Serial struct {
			Prepend struct {
				Content string
			} `json:"prepend_if"`
		} `json:"serial_number_format"`
	}
	countries []string
}

// published reads a format; nil: its expression looks around, which Go's cannot.
func published(t *testing.T, f sharedFormat) *asPublished {
	t.Helper()
	var expression string
	if f.Regex[0] == '[' {
		var pieces []string
		if err := json.Unmarshal(f.Regex, &pieces); err != nil {
			t.Fatal(err)
		}
		expression = strings.Join(pieces, "")
	} else if err := json.Unmarshal(f.Regex, &expression); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(expression, "(?=") || strings.Contains(expression, "(?!") {
		return nil
	}
	p := &asPublished{form: regexp.MustCompile("^(?:" + expression + ")$")}
	if err := json.Unmarshal(f.Validation, &p.rules); err != nil {
		t.Fatal(err)
	}
	if f.ourID == "s10" {
		for _, a := range f.Additional {
			for _, l := range a.Lookup {
				if a.Name == "Courier" {
					p.countries = append(p.countries, l.Matches)
				}
			}
		}
	}
	return p
}

func (p *asPublished) accepts(number string) bool {
	groups := p.form.FindStringSubmatch(number)
	if groups == nil {
		return false
	}
	group := func(name string) string {
		if i := p.form.SubexpIndex(name); i >= 0 {
			return groups[i]
		}
		return ""
	}
	if p.countries != nil && !slices.Contains(p.countries, group("CountryCode")) {
		return false
	}
	serial, digit := group("SerialNumber"), group("CheckDigit")
	if with := p.rules.Serial.Prepend.Content; !strings.HasPrefix(serial, with) {
		serial = with + serial
	}
	return p.rules.Checksum.Name == "" || digit == p.digit(serial)
}

// digit computes check digits the long way: with big numbers and sums of products, as the data's description has them.
func (p *asPublished) digit(serial string) string {
	c := p.rules.Checksum
	var sum int64
	switch c.Name {
	case "mod7":
		n, _ := new(big.Int).SetString(serial, 10)
		return n.Mod(n, big.NewInt(7)).String()
	case "luhn":
		for i := range serial {
			v := strings.IndexByte("0123456789", serial[len(serial)-1-i])
			sum += int64([]int{v, []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[v]}[(i+1)%2])
		}
		return string("0987654321"[sum%10])
	case "mod10":
		if c.Reverse {
			b := []byte(serial)
			slices.Reverse(b)
			serial = string(b)
		}
		for i, r := range serial {
			v := strings.IndexRune("0123456789", r)
			if v < 0 {
				v = strings.IndexRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ", r) + 2 // A counts 2
			}
			sum += int64(v % 10 * []int{c.Even, c.Odd}[i%2])
		}
		return string("0987654321"[sum%10])
	case "s10", "sum_product_with_weightings_and_modulo":
		for i, w := range c.Weightings {
			sum += w * int64(serial[i]-'0')
		}
		if c.Name == "s10" {
			return string("50987654321"[sum%11]) // 11 less the remainder; of remainder 0 it is 5, of 1 it is 0
		}
		return string("0123456789"[sum%c.Modulo1%c.Modulo2])
	case "mod_37_36":
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		check := 36
		for _, r := range serial {
			s := (check + strings.IndexRune(alphabet, r)) % 36
			if s == 0 {
				s = 36
			}
			check = 2 * s % 37
		}
		return string(alphabet[(37-check)%36])
	}
	return "no such checksum: " + c.Name
}

// Of any number each format says what the published expression and checksum say.
func TestAgreesWithThePublishedExpressions(t *testing.T) {
	second := map[string]*asPublished{}
	var seeds []string
	for _, f := range sharedFormats(t) {
		for _, n := range slices.Concat(f.TestNumbers.Valid, f.TestNumbers.Invalid) {
			seeds = append(seeds, Normalise(n))
		}
		if p := published(t, f); p != nil {
			second[f.ourID] = p
		}
	}
	if len(second) < 20 {
		t.Fatalf("only %d formats are compared", len(second))
	}
	t.Logf("%d formats compared", len(second))
	rapid.Check(t, func(t *rapid.T) {
		n := []byte(rapid.SampledFrom(seeds).Draw(t, "number"))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			i := rapid.IntRange(0, len(n)-1).Draw(t, "place")
			switch rapid.IntRange(0, 4).Draw(t, "change") {
			case 0:
				n = slices.Insert(n, i, '7')
			case 1:
				if len(n) > 1 {
					n = slices.Delete(n, i, i+1)
				}
			case 2:
				n[i] = byte(rapid.IntRange('A', 'Z').Draw(t, "letter"))
			default:
				n[i] = byte(rapid.IntRange('0', '9').Draw(t, "digit"))
			}
		}
		got := map[string]bool{}
		for _, m := range Recognise(string(n)) {
			got[m.Format] = true
		}
		for id, p := range second {
			if want := p.accepts(string(n)); got[id] != want {
				t.Fatalf("%s: %s accepts it %v, as published %v", n, id, got[id], want)
			}
		}
	})
}
