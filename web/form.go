package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// maxField bounds one line of text in a form.
const maxField = 200

// form reads fields and remembers the first thing that is wrong, so that handlers read all of them and ask once.
type form struct {
	r   *http.Request
	loc *time.Location
	err error
}

func readForm(ctx context.Context, r *http.Request) *form {
	f := &form{r: r, loc: clockOf(ctx).loc}
	if err := r.ParseForm(); err != nil {
		f.err = err
		if errs.KindOf(err) == errs.Internal && !strings.Contains(err.Error(), "too large") {
			f.err = errs.New(errs.Invalid, "web.form", "", "The form could not be read.")
		}
	}
	return f
}

func (f *form) bad(label, format string, args ...any) {
	if f.err == nil {
		f.err = errs.New(errs.Invalid, "web.form", label, format, args...)
	}
}

// text reads one line, trimmed.
func (f *form) text(name, label string, required bool) string {
	v := strings.TrimSpace(f.r.PostForm.Get(name))
	switch {
	case v == "" && required:
		f.bad(label, "%s is missing.", label)
	case len(v) > maxField:
		f.bad(label, "%s is longer than %d bytes.", label, maxField)
	}
	return v
}

// secret reads a key as it is: only the white space that comes with copying is cut.
func (f *form) secret(name, label string) string {
	v := strings.TrimSpace(f.r.PostForm.Get(name))
	if v == "" {
		f.bad(label, "%s is missing.", label)
	}
	return v
}

// whole reads a whole number between min and max. An empty field is 0 unless required.
func (f *form) whole(name, label string, min, max int64, required bool) int64 {
	v := strings.ReplaceAll(strings.TrimSpace(f.r.PostForm.Get(name)), ",", "")
	if v == "" && !required {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		f.bad(label, "%s must be a whole number.", label)
		return 0
	}
	if n < min || n > max {
		f.bad(label, "%s must be between %s and %s.", label, num(min), num(max))
		return 0
	}
	return n
}

// moment reads a <input type="datetime-local"> in the reader's zone.
func (f *form) moment(name, label string) time.Time {
	t, err := parseLocal(f.r.PostForm.Get(name), f.loc)
	if err != nil {
		f.bad(label, "%s must be a date and a time.", label)
	}
	return t
}

// parseLocal reads the forms browsers send for a local date and time. A time that a clock change skips or repeats is read the
// way time.Date reads it.
func parseLocal(v string, loc *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation("2006-01-02T15:04", v, loc)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04:05", v, loc)
	}
	return t.UTC(), err
}

// confirmed reports whether the form is the second step, after its effect was shown.
func (f *form) confirmed() bool { return f.r.PostForm.Get("step") == "do" }
