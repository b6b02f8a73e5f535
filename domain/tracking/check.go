package tracking

import (
	"fmt"
	"slices"
	"strings"
)

// check is how a check digit is computed.
type check struct {
	method    string // mod10, weights, luhn, mod7, mod37, s10
	even, odd int    // mod10: what characters at even and odd places count, the first being at place 0
	reverse   bool   // mod10: places are counted from the end
	unless    string // put before what is checked, unless it begins with it already
	weights   []int
	modulo    [2]int
}

// readCheck reads the column of the table; "-" is none.
func readCheck(text string) (*check, error) {
	words := strings.Fields(text)
	if text == "-" {
		return nil, nil
	}
	c := &check{}
	var weights string
	var err error
	switch {
	case len(words) == 4 && words[0] == "weights":
		_, err = fmt.Sscanf(text, "weights %s %d %d", &weights, &c.modulo[0], &c.modulo[1])
		for _, w := range weights {
			c.weights = append(c.weights, int(w-'0'))
		}
	case len(words) >= 3 && words[0] == "mod10":
		_, err = fmt.Sscanf(text, "mod10 %d %d", &c.even, &c.odd)
		c.reverse = slices.Contains(words[3:], "reverse")
		if len(words) == 5 && words[3] == "unless" {
			c.unless = words[4]
		}
	case text == "luhn", text == "mod7", text == "mod37", text == "s10 in countries":
	default:
		err = fmt.Errorf("%q is no way to compute a check digit", text)
	}
	if err != nil {
		return nil, err
	}
	c.method = words[0]
	if c.method == "weights" && (c.modulo[0] < 2 || c.modulo[1] < 2) {
		return nil, fmt.Errorf("%q divides by less than 2", text)
	}
	return c, nil
}

// proves reports whether the digit is that of the serial, which has digits and letters as the form allows.
func (c *check) proves(serial, digit string) bool {
	if !strings.HasPrefix(serial, c.unless) {
		serial = c.unless + serial
	}
	if c.method == "mod37" {
		return mod37(serial) == digit
	}
	want := -1
	switch c.method {
	case "mod10":
		want = c.mod10(serial)
	case "weights":
		want = dot(serial, c.weights) % c.modulo[0] % c.modulo[1]
	case "luhn":
		want = luhn(serial)
	case "mod7":
		want = remainder(serial, 7)
	case "s10":
		want = s10(serial)
	}
	return len(digit) == 1 && int(digit[0])-'0' == want
}

func (c *check) mod10(serial string) int {
	sum := 0
	for i := range len(serial) {
		place := i
		if c.reverse {
			place = len(serial) - 1 - i
		}
		value := int(serial[i]) - '0'
		if value > 9 {
			value = (int(serial[i]) - 3) % 10 // letters count by their place in ASCII
		}
		if place%2 == 0 {
			sum += value * c.even
		} else {
			sum += value * c.odd
		}
	}
	return (10 - sum%10) % 10
}

func dot(serial string, weights []int) int {
	sum := 0
	for i, w := range weights[:min(len(weights), len(serial))] {
		sum += w * (int(serial[i]) - '0')
	}
	return sum
}

// luhn doubles every second digit from the last on and adds the digits of what comes out.
func luhn(serial string) int {
	sum := 0
	for i := range len(serial) {
		v := int(serial[len(serial)-1-i]) - '0'
		if i%2 == 0 {
			v *= 2
		}
		sum += v/10 + v%10
	}
	return (10 - sum%10) % 10
}

func remainder(serial string, by int) int {
	r := 0
	for i := range len(serial) {
		r = (10*r + int(serial[i]) - '0') % by
	}
	return r
}

// s10 is that of the Universal Postal Union's standard.
func s10(serial string) int {
	switch r := 11 - dot(serial, []int{8, 6, 4, 2, 3, 5, 9, 7})%11; r {
	case 10:
		return 0
	case 11:
		return 5
	default:
		return r
	}
}

// mod37 is ISO 7064, MOD 37,36.
func mod37(serial string) string {
	const alphabet = digits + letters
	p := 36
	for i := range len(serial) {
		p += strings.IndexByte(alphabet, serial[i])
		if p > 36 {
			p -= 36
		}
		p = p * 2 % 37
	}
	return string(alphabet[(37-p)%36])
}
