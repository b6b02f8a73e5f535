package tracking

import (
	"slices"
	"strings"
	"unicode"
)

// Carriers are the codes of the carriers whose numbers a parcel may bear that goes by a carrier of this name, its own code first: the ones that take it
// over for the last mile are among them. A name may have more words behind, such as a service. Empty: the name is of no carrier known here.
func Carriers(name string) []string {
	if codes, ok := known.exact[name]; ok {
		return slices.Clip(codes)
	}
	return known.codes(words(name))
}

// codes are the carriers that a name in words is of.
func (t *tables) codes(said []string) []string {
	var codes []string
	most := 0
	if len(said) == 0 {
		return nil
	}
	for _, a := range t.named[said[0]] {
		if len(a.words) > len(said) || len(a.words) < most || !slices.Equal(a.words, said[:len(a.words)]) {
			continue
		}
		if len(a.words) > most {
			most, codes = len(a.words), nil
		}
		for _, code := range a.codes {
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	return codes
}

// words splits a name into words of letters and digits in small letters. A name as long as no carrier's has none.
func words(name string) []string {
	if len(name) > maxRaw {
		return nil
	}
	return strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' })
}

// about is the name of a carrier and the address of its page, which holds {} where the number goes.
func (t *tables) about(code string) (name, page string) {
	for _, c := range t.carriers {
		if c.code == code {
			return c.name, c.page
		}
	}
	return code, ""
}
