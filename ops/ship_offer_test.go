package ops

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

func TestAFailureIsSaidInWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&driver.Error{Message: "too heavy"}, "too heavy"}, {&driver.Error{Applied: true, Cause: errors.New("EOF")}, "No answer came."},
		{&driver.Error{Status: 503}, "The answer was HTTP 503, without a word."}, {&driver.Error{Cause: context.Canceled}, "It could not be reached."},
		{errs.New(errs.Invalid, "op", "S1", "enter the street"), "S1: enter the street"},
	} {
		if got := sentence(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// A round that ends before the news does goes on there, with the first page's time as the next watermark.
func TestNewsGoesOnWhereTheLastRoundEnded(t *testing.T) {
	now := time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC)
	if p := newsFrom(store.Watermark{}, now); !p.Since.Equal(now.Add(-newsFirst)) || !p.Began.Equal(now) || p.text() != "" {
		t.Errorf("first: %+v", p)
	}
	mark := now.Add(-time.Hour)
	p := newsFrom(store.Watermark{At: mark}, now)
	if !p.Since.Equal(mark.Add(-newsOverlap)) {
		t.Errorf("from a watermark: %+v", p)
	}
	p.Cursor = "page 201"
	if again := newsFrom(store.Watermark{At: mark, Cursor: p.text()}, now.Add(time.Hour)); again != p {
		t.Errorf("%+v is kept as %+v", p, again)
	}
}
