package tracking

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sharedFormat is one format of the shared data, as far as the tests read it.
type sharedFormat struct {
	courier, ourID string
	ID, Name       string
	Regex          json.RawMessage
	Validation     json.RawMessage
	Additional     []struct {
		Name   string
		Lookup []struct{ Matches string }
	}
	TestNumbers struct{ Valid, Invalid []string } `json:"test_numbers"`
}

// renamed are formats the data gives no id.
var renamed = map[string]string{"LaserShip 1LS7 (18)": "lasership_1ls7_18", "Old Dominion": "old_dominion", "Old Dominion Guaranteed Shipment": "old_dominion_guaranteed", "UPS Waybill": "ups_waybill"}

func sharedFormats(t testing.TB) []sharedFormat {
	t.Helper()
	files, err := filepath.Glob("../../../shared/data/tracking_number_data/couriers/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NOT CHECKED: the shared tracking numbers are not at hand")
	}
	var out []sharedFormat
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Courier string         `json:"courier_code"`
			Formats []sharedFormat `json:"tracking_numbers"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range file.Formats {
			f.courier, f.ourID = file.Courier, f.ID
			if f.ID == "" {
				f.ourID = renamed[f.Name]
			}
			out = append(out, f)
		}
	}
	return out
}

// Every number the data calls valid is recognised as its carrier's, every one it calls invalid is none of that format.
func TestEveryPublishedNumber(t *testing.T) {
	valid, invalid, alone, nobodys := 0, 0, 0, 0
	for _, f := range sharedFormats(t) {
		for _, n := range f.TestNumbers.Valid {
			valid++
			all := Recognise(n)
			if !slices.ContainsFunc(all, func(m Match) bool { return m.Carrier == f.courier && m.Format == f.ourID }) {
				t.Errorf("%s: %q is refused; it is read as %+v", f.Name, n, all)
				continue
			}
			if len(all) == 1 {
				alone++
			}
			if v := Valid(n, f.courier); v != NumberProved && v != NumberPlausible {
				t.Errorf("%s: %q is %s", f.Name, n, v)
			}
			if m, ok := Infer(n, f.courier); !ok || m.Carrier != f.courier {
				t.Errorf("%s: %q with its carrier named is read as %+v", f.Name, n, m)
			}
		}
		for _, n := range f.TestNumbers.Invalid {
			invalid++
			all := Recognise(n)
			if i := slices.IndexFunc(all, func(m Match) bool { return m.Format == f.ourID }); i >= 0 {
				t.Errorf("%s: %q is accepted: %+v", f.Name, n, all[i])
			}
			if len(all) == 0 {
				nobodys++
			}
		}
	}
	t.Logf("%d valid numbers, %d of them with one reading; %d invalid, %d of them nobody's", valid, alone, invalid, nobodys)
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		name, raw             string
		carriers              string // of all readings, in order
		number, service, part string // of the first; part is name=value
		proved                bool
		url                   string
	}{
		{"spaces", " 1Z 5R8 939 03 5756 7127 ", "ups", "1Z5R89390357567127", "Ground", "shipper=5R8939", true, "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums=1Z5R89390357567127"},
		{"small letters", "1z5r89390357567127", "ups", "1Z5R89390357567127", "Ground", "service=03", true, ""},
		{"a scanner's FNC1 and name of the barcode", "]C1420787459400111206206406260787", "usps", "9400111206206406260787", "", "zip=78745", true, ""},
		{"FNC1 between the parts", "42078745\x1d9400111206206406260787", "usps", "9400111206206406260787", "", "routing=420", true, "https://tools.usps.com/go/TrackConfirmAction?tLabels=9400111206206406260787"},
		{"as GS1 prints it", "(420) 78745 (94) 00111206206406260787", "usps", "9400111206206406260787", "", "application=94", true, ""},
		{"two carriers, one proved by more", "4201028200009261290113185417468510", "usps fedex", "9261290113185417468510", "Parcel Select", "zip4=0000", true, ""},
		{"two carriers, alike", "287809468872", "fedex purolator", "287809468872", "", "serial=28780946887", true, ""},
		{"only the form", "TBA502887274000", "amazon", "TBA502887274000", "", "serial=502887274000", false, ""},
		{"a barcode around a number", "32971514560102447849175802862014", "fedex", "784917580286", "", "serial=78491758028", true, "https://www.fedex.com/apps/fedextrack/?tracknumbers=784917580286"},
		{"a long barcode", "1001921334250001000300779017972697", "fedex", "779017972697", "", "zip=10003", true, ""},
		{"a country's post", "RB123456785GB", "s10", "RB123456785GB", "Registered letter", "country=GB", true, ""},
		{"the post of a carrier known here", "RB123456785US", "s10", "RB123456785US", "Registered letter", "country=US", true, "https://tools.usps.com/go/TrackConfirmAction?tLabels=RB123456785US"},
		{"no such country", "RB123456785XX", "", "", "", "", false, ""},
		{"the postal code's barcode", "42078745", "", "", "", "", false, ""},
		{"a wrong check digit", "1Z5R89390357567128", "", "", "", "", false, ""},
		{"nothing", "", "", "", "", "", false, ""},
		{"digits of another script", "１２３４５６７８９０１２", "", "", "", "", false, ""},
		{"far too long", strings.Repeat("9", 1<<20), "", "", "", "", false, ""},
	} {
		all := Recognise(c.raw)
		var carriers []string
		for _, m := range all {
			carriers = append(carriers, m.Carrier)
		}
		if strings.Join(carriers, " ") != c.carriers {
			t.Errorf("%s: %v, want %s", c.name, carriers, c.carriers)
			continue
		}
		if len(all) == 0 {
			continue
		}
		m := all[0]
		name, value, _ := strings.Cut(c.part, "=")
		if m.Number != c.number || m.Service != c.service || m.Part(name) != value || m.Proved != c.proved || c.url != "" && m.URL() != c.url || m.Name == "" || m.Kind == "" {
			t.Errorf("%s: %+v, %s", c.name, m, m.URL())
		}
	}
}

func TestValid(t *testing.T) {
	for _, c := range []struct {
		number, carrier string
		want            Verdict
	}{
		{"9400111206206406260787", "USPS", NumberProved},
		{"9400111206206406260787", "USPS Ground Advantage", NumberProved},
		{"9400111206206406260787", "United States Postal Service", NumberProved},
		{"9400111206206406260788", "USPS", NumberWrong},
		{"9400111206206406260787", "UPS", NumberWrong},
		{"9400111206206406260787", "UPS Mail Innovations", NumberProved}, // the post has the last mile
		{"9261290113185417468510", "FedEx SmartPost", NumberProved},
		{"9261290113185417468510", "FedEx", NumberWrong},
		{"RB123456785US", "usps", NumberProved},
		{"RB123456785CA", "Canada Post", NumberProved},
		{"RB123456785GB", "usps", NumberWrong},
		{"TBA502887274000", "Amazon Shipping", NumberPlausible},
		{"1LS724505321754", "OnTrac", NumberPlausible},
		{"ABC", "Some Carrier", CarrierUnknown},
		{"RB123456785GB", "Royal Mail", CarrierUnknown},
		{"9400111206206406260787", "", CarrierUnknown},
		{"9400111206206406260787", "Upstate Couriers", CarrierUnknown},
		{"", "USPS", NumberWrong},
	} {
		if got := Valid(c.number, c.carrier); got != c.want {
			t.Errorf("%q of %q is %s, want %s", c.number, c.carrier, got, c.want)
		}
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct {
		number string
		said   []string
		want   string // "": none
	}{
		{"287809468872", []string{"Purolator"}, "purolator"},
		{"287809468872", []string{"nobody", "FedEx Ground"}, "fedex"},
		{"287809468872", nil, ""}, // both prove it
		{"4201028200009261290113185417468510", nil, "usps"},
		{"4201028200009261290113185417468510", []string{"FedEx"}, "fedex"},
		{"9400111206206406260787", []string{"UPS"}, "usps"}, // what was said cannot be
		{"nonsense", []string{"UPS"}, ""},
	} {
		m, ok := Infer(c.number, c.said...)
		if m.Carrier != c.want || ok != (c.want != "") {
			t.Errorf("%s, said %v: %s", c.number, c.said, m.Carrier)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"9400111206206406260787", " 9400 1112 0620 6406 2607 87", true},
		{"420787459400111206206406260787", "9400111206206406260787", true},
		{"784917580286", "32971514560102447849175802862014", true},
		{"9400111206206406260787", "9400111206206407628746", false},
		{"420787459400111206206406260787", "420100019400111206206406260787", false}, // one of them is a forgery or misread
		{"my own number 7", "MYOWNNUMBER7", true},
		{"", "", false},
	} {
		if Same(c.a, c.b) != c.want || Same(c.b, c.a) != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, !c.want)
		}
	}
}

// Any blanks and small letters change nothing; a changed digit of a number with a check digit over all of it is refused by that format.
func TestNoiseAndMisreadings(t *testing.T) {
	numbers := []string{"9400111206206406260787", "1Z5R89390357567127", "RB123456785US", "986578788855", "320595463938", "0073938000549297", "C11031500001879"}
	// Of the others some errors cannot be found: divided by 11, two remainders share a digit; with even weights so do digits five apart.
	finds := []string{"usps_impb_n", "purolator_numeric", "canada_post"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(numbers).Draw(t, "number")
		noisy := ""
		for _, c := range n {
			noisy += rapid.SampledFrom([]string{"", "", " ", "\t", "\u00a0", "\x1d"}).Draw(t, "blank") + string(c)
		}
		if rapid.Bool().Draw(t, "small") {
			noisy = strings.ToLower(noisy)
		}
		want, got := Recognise(n), Recognise(noisy)
		if len(want) == 0 || len(got) != len(want) || got[0].Number != want[0].Number || got[0].Format != want[0].Format {
			t.Fatalf("%q is read as %+v, without noise %+v", noisy, got, want)
		}
		i := rapid.IntRange(len(n)-8, len(n)-3).Draw(t, "place") // serial digits, whose weights no check loses
		wrong := []byte(n)
		wrong[i] = '0' + (wrong[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "change")))%10
		for _, m := range Recognise(string(wrong)) {
			if m.Format == want[0].Format && slices.Contains(finds, m.Format) {
				t.Fatalf("%s, misread from %s, is still %s", wrong, n, m.Format)
			}
		}
	})
}

// Whatever the bytes: no panic, and every reading is of a known carrier, bears a number that is part of what was read, and reads alike again.
func FuzzRecognise(f *testing.F) {
	for _, s := range []string{"9400111206206406260787", "]C1420787459400111206206406260787", "1Z5R89390357567127", "GM9E44608A27984866BA2D", "RB123456785US", "1LS7119013618127-1", "00 81827 0998 0000 0200 33 350 276 C", "\x1d", "]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		n := Normalise(raw)
		if len(n) > MaxNumber {
			t.Fatalf("%q has %d characters", n, len(n))
		}
		for _, m := range Recognise(raw) {
			if len(Carriers(m.Carrier)) == 0 || m.Name == "" || !strings.Contains(n, m.Number) || m.Number == "" {
				t.Fatalf("%q: %+v", raw, m)
			}
			if Valid(raw, m.Carrier) == NumberWrong {
				t.Fatalf("%q is recognised as %s and wrong", raw, m.Carrier)
			}
		}
	})
}

// A defect in the table is found when it is read.
func TestTableDefects(t *testing.T) {
	for _, text := range []string{
		"carrier\tx", "nonsense\tx", "format\tx\ty\tz\tmod9", "form\t:D1", "format\tx\ty\tz\t-\nform\t:D", "format\tx\ty\tz\t-\nform\tD5", "format\tx\ty\tz\t-\nform\t:'1Z",
		"format\tx\ty\tz\t-\nform\t:[]", "format\tx\ty\tz\t-\nform\t:{A,BC}", "format\tx\ty\tz\t-\nform\t:D2-1", "format\tx\ty\tz\t-\nform\t:D1-3 :D1", "format\tx\ty\tz\t-\nform\t:D99",
		"service\tx\t1\tname", "format\tx\ty\tz\tweights 12 0 0",
	} {
		if _, err := readTables(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	if _, err := os.Stat("table/README.md"); errors.Is(err, os.ErrNotExist) {
		t.Error("the table has lost its credit and licence")
	}
	pages := regexp.MustCompile(`^https?://[a-z0-9.-]+/\S*\{\}\S*$`)
	for _, c := range known.carriers {
		if c.page != "" && !pages.MatchString(c.page) {
			t.Errorf("%s: %s is no address with a place for the number", c.code, c.page)
		}
	}
	for _, f := range known.formats {
		if name, _ := known.about(f.carrier); name == f.carrier || len(f.forms) == 0 {
			t.Errorf("%s has no carrier or no form", f.id)
		}
	}
}
