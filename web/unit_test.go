package web

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/ops/view"
)

// fetchedLate are the scripts that no page loads: a station does when its camera is opened.
var fetchedLate = regexp.MustCompile(`/(camera|zxing\.min)-[0-9a-f]+\.js$`)

// budget is what script and style may weigh in all, uncompressed.
const budget = 100 << 10

func TestScriptAndStyleStayWithinBudget(t *testing.T) {
	total, zipped := 0, 0
	for path, a := range newAssets().byPath {
		if fetchedLate.MatchString(path) {
			continue
		}
		if strings.HasSuffix(path, ".js") || strings.HasSuffix(path, ".css") {
			t.Logf("%6d bytes, %6d compressed  %s", len(a.plain()), len(a.gzip()), path)
			total, zipped = total+len(a.plain()), zipped+len(a.gzip())
		}
	}
	t.Logf("%6d bytes, %6d compressed  in all", total, zipped)
	if total == 0 || total > budget {
		t.Errorf("script and style are %d bytes, want at most %d", total, budget)
	}
}

func TestNumbersAndTimes(t *testing.T) {
	for got, want := range map[string]string{
		num(0): "0", num(999): "999", num(1000): "1,000", num(-1234567): "−1,234,567", delta(5): "+5", delta(-5): "−5", delta(0): "",
		count(1, "unit", "units"): "1 unit", count(1000, "unit", "units"): "1,000 units", told(nil): "–",
		dur(0): "0 ms", dur(900 * time.Microsecond): "<1 ms", dur(142 * time.Millisecond): "142 ms", dur(3240 * time.Millisecond): "3.2 s", dur(75 * time.Second): "1 min",
		span(48 * time.Second): "48 s", span(125 * time.Minute): "2 h 05 min", span(-76 * time.Hour): "3 d 4 h", domID("x", "a:b/ö"): "x-a_3ab_2f_c3_b6",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	ctx := withClock(context.Background(), clock{now: time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), loc: berlin}) // half past midnight there
	for in, want := range map[time.Time]string{
		time.Date(2026, 11, 21, 23, 10, 5, 0, time.UTC): "00:10:05",
		time.Date(2026, 11, 21, 22, 10, 5, 0, time.UTC): "21 Nov 23:10:05", // yesterday in Berlin, today in UTC
		time.Date(2025, 11, 21, 23, 30, 0, 0, time.UTC): "22 Nov 2025 00:30:00",
		{}: "–",
	} {
		if got := stamp(ctx, in); got != want {
			t.Errorf("stamp(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestFormTimesAreInTheReadersZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_600_000_000, 2_000_000_000).Draw(t, "at")/60*60, 0).UTC()
		ctx := withClock(context.Background(), clock{loc: berlin})
		back, err := parseLocal(localInput(ctx, at), berlin)
		if err != nil {
			t.Fatal(err)
		}
		if d := back.Sub(at).Abs(); d != 0 && d != time.Hour { // an hour that the clock repeats is read as one of the two
			t.Fatalf("%v came back as %v", at, back)
		}
	})
}

func TestAPromiseBarNeverLies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(0, 5000)
		p := view.Promise{Available: units.Draw(t, "available"), Buffer: units.Draw(t, "buffer")}
		p.Free = p.Available - p.Buffer
		for range rapid.IntRange(0, 6).Draw(t, "channels") {
			n := units.Draw(t, "exposure")
			p.Parts = append(p.Parts, view.Part{Exposure: n, Told: &n})
			p.Free -= n
		}
		end := 0.0
		for _, s := range segmentsOf(p) {
			x, w := pct(t, s.x), pct(t, s.w)
			if x < end-0.02 || w <= 0 {
				t.Fatalf("segment %+v overlaps or is empty after %f", s, end)
			}
			end = x + w
		}
		if end > 100.1 {
			t.Fatalf("the bar is %f %% wide", end)
		}
		if over := promised(p) > p.Available; over != (limitOf(p) != "") {
			t.Fatalf("promised %d of %d and the limit is drawn: %v", promised(p), p.Available, !over)
		}
	})
}

func pct(t *rapid.T, s string) float64 {
	d, err := time.ParseDuration(strings.TrimSuffix(s, "%") + "s") // a float parser with a unit
	if err != nil {
		t.Fatal(err)
	}
	return d.Seconds()
}

func TestSlackBarsShareOneAxis(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var rows []view.OrderRow
		for range rapid.IntRange(0, 8).Draw(t, "orders") {
			due := now.Add(time.Duration(rapid.Int64Range(-100*3600, 100*3600).Draw(t, "due")) * time.Second)
			rows = append(rows, view.OrderRow{Due: &due})
		}
		a := axisOf(now, rows)
		if len(a.ticks) == 0 || len(a.ticks) > maxTicks+2 {
			t.Fatalf("%d ticks", len(a.ticks))
		}
		for _, r := range rows {
			from, wide := pct(t, a.from(*r.Due)), pct(t, a.wide(*r.Due))
			if from < 0 || from+wide > 100.5 || wide <= 0 {
				t.Fatalf("a bar from %f, %f wide", from, wide)
			}
			if late := r.Due.Before(now); late && from > 100*a.share(now)+0.01 || !late && from < 100*a.share(now)-0.01 {
				t.Fatalf("late %v, but the bar begins at %f with now at %f", late, from, 100*a.share(now))
			}
		}
	})
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/", "/items?q=a", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "///x", "/%2f/evil", ""} {
		f.Add(s)
	}
	base, _ := url.Parse("https://ops.example/login")
	f.Fuzz(func(t *testing.T, s string) {
		got := localPath(s)
		u, err := base.Parse(got)
		if err != nil || u.Host != "ops.example" || u.Scheme != "https" || strings.ContainsAny(got, "\r\n\\") || strings.HasPrefix(got, "//") {
			t.Errorf("localPath(%q) = %q leads to %v", s, got, u)
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	f.Add(absentHash)
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAA$AAAA")
	f.Add("$2y$10$abcdefghijklmnopqrstuv")
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := parsePHC(s)
		if ok && (p.memory == 0 || p.memory > 16*hashMemory || p.rounds == 0 || p.rounds > 16 || p.threads == 0 || len(p.key) != hashKey) {
			t.Errorf("parsePHC(%q) accepts %+v", s, p)
		}
	})
}

func TestNoticesOfATopic(t *testing.T) {
	for _, c := range []struct {
		topics []string
		notice string
		want   bool
	}{
		{[]string{"item"}, "item:A", true}, {[]string{"item:A"}, "item:A", true}, {[]string{"item:A"}, "item:AB", false}, {[]string{"item:A"}, "item", false},
		{[]string{"order"}, "orders", false}, {nil, "item:A", false},
	} {
		if got := concerns(c.topics, c.notice); got != c.want {
			t.Errorf("concerns(%v, %q) = %v", c.topics, c.notice, got)
		}
	}
}

func TestTheUploadLimitIsToldAsItIs(t *testing.T) {
	if got := fmt.Sprintf("%d MiB", view.MaxUpload>>20); got != uploadText {
		t.Errorf("pages say %s, the limit is %s", uploadText, got)
	}
}
