package tracking

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A parcel is scanned at hour 0 and stuck from hour 72 on, if its account is heard after that.
func TestSilenceCountsOnlyWhereSomebodyWouldHaveTold(t *testing.T) {
	never := time.Time{}
	silent := []Event{ev(0, Accepted)}
	for _, c := range []struct {
		name           string
		events         []Event
		last           time.Time // when the account was heard
		at             int
		stuck, unheard bool
		why            string
	}{
		{"not due, and the account was never heard", silent, never, 72, false, false, "last scan"},
		{"due, and heard since", silent, hour(73), 74, true, false, "last scan"},
		{"due, and heard a moment before it was", silent, hour(72), 73, false, true, "nothing of any parcel since 26 November 09:00 UTC"},
		{"an outage from the first day on", silent, hour(10), 74, false, true, "nobody can say"},
		{"an outage of three days, judged in its middle", silent, hour(10), 50, false, false, "last scan"},
		{"never heard", silent, never, 100, false, true, "nothing of any parcel yet"},
		{"the outage began after it was stuck", silent, hour(80), 80 + 72, true, false, "last scan"},
		{"and is by now as long as the silence", silent, hour(80), 80 + 73, false, true, "since 26 November 17:00 UTC"},
		{"the outage is over, and nothing came of it", silent, hour(200), 201, true, false, "last scan"},
		{"a van that did not come back", []Event{ev(0, OutForDelivery)}, hour(17), 19, false, true, "out for delivery"},
		{"a van, and heard since", []Event{ev(0, OutForDelivery)}, hour(19), 20, true, false, "out for delivery"},
		{"it was told that it comes back", []Event{ev(0, Accepted), ev(5, Returning)}, hour(5), 500, true, false, "on its way back"},
	} {
		f, ok := Watch(parcel(t, c.events...), hour(0), Lane{}, UsualPatience, hour(c.at))
		if !ok {
			t.Fatalf("%s: nothing is waited for", c.name)
		}
		got := f.Heard(c.last, hour(c.at))
		if got.Stuck != c.stuck || got.Unheard != c.unheard || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Trouble != f.Trouble || !got.Due.Equal(f.Due) || !got.Since.Equal(f.Since) {
			t.Errorf("%s: more than the verdict has changed: %+v, was %+v", c.name, got, f)
		}
	}
}

// Whatever is known: hearing nothing never makes a parcel stuck, and a stuck one has an account that was heard within the silence it is judged by.
func TestHearingNothingNeverMakesAParcelStuck(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := parcel(r, rapid.SliceOfN(rapid.Custom(anyEvent), 0, 6).Draw(r, "events")...)
		at, last := hour(rapid.IntRange(0, 800).Draw(r, "at")), hour(rapid.IntRange(-10, 800).Draw(r, "last"))
		f, ok := Watch(p, hour(1), Lane{}, UsualPatience, at)
		if !ok || last.After(at) {
			return
		}
		got := f.Heard(last, at)
		if got.Stuck && !f.Stuck || got.Unheard == got.Stuck && f.Stuck || got.Unheard && !f.Stuck {
			r.Fatalf("%+v became %+v", f, got)
		}
		if silence := f.Due.Sub(f.Since); got.Stuck && silence > 0 && (at.Sub(last) > silence || !last.After(f.Due)) {
			r.Fatalf("stuck at %s, heard %s: %+v", at, last, got)
		}
	})
}

func TestWhenAParcelIsAskedForByItself(t *testing.T) {
	const minute = time.Minute
	due := hour(48)
	for _, c := range []struct {
		name  string
		heard time.Time
		want  time.Time // zero: never
	}{
		{"two days before", hour(0), hour(42)},
		{"ten hours before", hour(38), hour(42)},
		{"six hours before", hour(42), hour(42).Add(90 * minute)},
		{"four hours before", hour(44), hour(45)},
		{"an hour before", hour(47), hour(47).Add(15 * minute)},
		{"ten minutes before", due.Add(-10 * minute), due.Add(-5 * minute)},
		{"at the deadline", due, due.Add(5 * minute)},
		{"a day after", hour(72), hour(78)},
		{"long after", hour(48 + 60), time.Time{}},
		{"not known when", time.Time{}, time.Time{}},
	} {
		at, ever := AskAt(c.heard, due)
		if ever != !c.want.IsZero() || ever && !at.Equal(c.want) {
			t.Errorf("%s: %s, %v, want %s", c.name, at, ever, c.want)
		}
	}
	if _, ever := AskAt(hour(0), time.Time{}); ever {
		t.Error("a parcel without a deadline is asked for")
	}
}

// However early it was booked, a parcel is asked for at least once in the last ten minutes before its deadline, some ten times at all, and in the end no more.
func TestAParcelIsAskedForBeforeItsDeadlineAndNotTooOften(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		due := hour(0)
		heard := due.Add(-time.Duration(rapid.IntRange(15, 7*24*60).Draw(r, "minutes")) * time.Minute)
		before, after, last := 0, 0, heard
		for {
			at, ever := AskAt(last, due)
			if !ever {
				break
			}
			if at.Sub(last) < askLeast {
				r.Fatalf("asked %s after the last time", at.Sub(last))
			}
			if last = at; at.Before(due) {
				before++
			} else if after++; after > 60 {
				r.Fatal("it has no end")
			}
		}
		if before < 1 || before > 16 {
			r.Fatalf("asked %d times before the deadline, %d after it", before, after)
		}
		if at, _ := AskAt(due.Add(-10*time.Minute), due); at.After(due) {
			r.Fatalf("not asked between ten minutes before and the deadline: %s", at)
		}
	})
}
