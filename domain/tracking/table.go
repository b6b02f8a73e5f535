package tracking

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed table/formats.tsv
var embedded string

// carrier is one line of the table.
type carrier struct {
	code, name, page string
	aliases          []alias
}

// alias is a name a carrier goes by, in words.
type alias struct {
	words []string
	codes []string // its own carrier's, and those of carriers whose numbers it uses besides
}

// format is a family of numbers with one way of computing the check digit.
type format struct {
	id, carrier, name string
	check             *check // nil: there is none
	forms             []form
	services          map[string]string
}

type tables struct {
	carriers  []carrier
	named     map[string][]alias  // by their first word, in the order of the table
	exact     map[string][]string // codes of names as the table writes them and of its codes in capitals, which most numbers come with
	formats   []*format
	byLength  [MaxNumber + 1][]*format // formats with a form of so many characters, in the order of the table
	countries map[string]string        // of the S10 standard; the carrier its postal service is here, or ""
}

// known is the table in the program. Every line of it is read in the tests, so that a defect in it cannot reach a release.
var known = func() *tables {
	t, err := readTables(embedded)
	if err != nil {
		panic("tracking: formats.tsv: " + err.Error())
	}
	return t
}()

func readTables(text string) (*tables, error) {
	t := &tables{named: map[string][]alias{}, countries: map[string]string{}}
	line := 0
	for row := range strings.Lines(text) {
		line++
		row = strings.TrimRight(row, "\n")
		if row == "" || row[0] == '#' {
			continue
		}
		if err := t.add(strings.Split(row, "\t")); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	t.exact = map[string][]string{}
	for _, c := range t.carriers {
		for _, name := range []string{c.name, c.code, strings.ToUpper(c.code)} {
			t.exact[name] = t.codes(words(name))
		}
	}
	for _, f := range t.formats {
		for _, x := range f.forms {
			for n := x.shortest; n <= x.longest; n++ {
				if n > MaxNumber {
					return nil, fmt.Errorf("%s has a form of more than %d characters", f.id, MaxNumber)
				}
				if !slices.Contains(t.byLength[n], f) {
					t.byLength[n] = append(t.byLength[n], f)
				}
			}
		}
	}
	return t, nil
}

func (t *tables) add(row []string) error {
	switch {
	case row[0] == "carrier" && len(row) == 5:
		c := readCarrier(row)
		t.carriers = append(t.carriers, c)
		for _, a := range c.aliases {
			if len(a.words) == 0 {
				return fmt.Errorf("a name of %s has no word", c.code)
			}
			t.named[a.words[0]] = append(t.named[a.words[0]], a)
		}
	case row[0] == "country" && len(row) == 3:
		t.countries[row[1]] = strings.Trim(row[2], "-")
	case row[0] == "format" && len(row) == 5:
		c, err := readCheck(row[4])
		if err != nil {
			return err
		}
		t.formats = append(t.formats, &format{id: row[1], carrier: row[2], name: row[3], check: c, services: map[string]string{}})
	case row[0] == "form" && len(row) == 2 && len(t.formats) > 0:
		x, err := readForm(row[1])
		if err != nil {
			return err
		}
		last := t.formats[len(t.formats)-1]
		last.forms = append(last.forms, x)
	case row[0] == "service" && len(row) == 4:
		for _, f := range t.formats {
			if f.id == row[1] {
				f.services[row[2]] = row[3]
				return nil
			}
		}
		return fmt.Errorf("a service of %q, which is no format", row[1])
	default:
		return fmt.Errorf("%q is no line of the table", row)
	}
	return nil
}

func readCarrier(row []string) carrier {
	c := carrier{code: row[1], name: row[2], page: strings.Trim(row[3], "-")}
	names := []string{row[1], row[2]}
	if row[4] != "-" {
		names = append(names, strings.Split(row[4], ",")...)
	}
	for _, n := range names {
		name, also, found := strings.Cut(n, ">")
		a := alias{words: words(name), codes: []string{c.code}}
		if found {
			a.codes = append(a.codes, words(also)...)
		}
		c.aliases = append(c.aliases, a)
	}
	return c
}

// service names the service of a value of the part of that name; a pattern ends in ? for any letter.
func (f *format) service(code string) string {
	if name, ok := f.services[code]; ok || len(code) != 2 {
		return name
	}
	return f.services[code[:1]+"?"]
}
