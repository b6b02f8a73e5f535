package web

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// calendar shows the LIVE holds and makes new ones.
func (s *Site) calendar(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Calendar(ctx)
	if err != nil {
		return page{}, err
	}
	form := holdForm{draft: id.New(), item: r.URL.Query().Get("item"), channels: v.Channels, from: nextHour(clockOf(ctx))}
	return page{
		Title:  "LIVE",
		Nav:    "/live",
		Topics: []string{view.TopicCalendar, view.TopicItem},
		Parts:  []part{{id: "cal-line", c: calendarLine(v)}, {id: "cal-rows", held: true, c: calendarRows(v)}},
		body:   func(p page) templ.Component { return calendarPage(p, form) },
	}, nil
}

// holdForm is what the form for a new hold begins with.
type holdForm struct {
	draft, item string
	channels    []view.Option
	from        time.Time
}

// nextHour is the next full hour in the reader's zone, a likely start.
func nextHour(c clock) time.Time {
	t := c.now.In(c.loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour()+1, 0, 0, 0, c.loc)
}

// createHold keeps units for a LIVE: first its effect, then the deed.
func (s *Site) createHold(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.HoldDraft{
		ID: f.text("id", "Form", true), Title: f.text("title", "Name", true), Item: f.text("item", "Item", true),
		ConnectionID: f.text("channel", "Channel", true), Qty: f.whole("qty", "Units", 1, maxUnits, true),
		From: f.moment("from", "From"), Until: f.moment("until", "Until"), Actor: s.user(ctx),
	}
	if f.err == nil && !d.Until.After(d.From) {
		f.bad("until", "The end must be after the beginning.")
	}
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.CreateHold(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/live#"+domID("hold", d.ID))
	}
	v, err := s.b.PreviewHold(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{
		title: "Keep units for a LIVE", verb: "Keep " + count(d.Qty, "unit", "units"), back: "/live", action: "/live",
		fields: f.carried("id", "title", "item", "channel", "qty", "from", "until"),
	})
}

// endHold withdraws a hold that has not begun or ends one that runs.
func (s *Site) endHold(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, id := readForm(ctx, r), r.PathValue("id")
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.DeleteHold(ctx, id, s.user(ctx))
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/live")
	}
	v, err := s.b.PreviewHoldEnd(ctx, id)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: "End this hold", verb: "End it", back: "/live", action: "/live/" + id + "/end"})
}

// calendarAxis is the time axis of the calendar's strip: what is on air and what comes, as far as slack is drawn.
func calendarAxis(v view.Calendar) slackAxis {
	var rows []view.OrderRow
	for _, h := range append(append([]view.Hold{}, v.Active...), v.Upcoming...) {
		rows = append(rows, view.OrderRow{Due: &h.From}, view.OrderRow{Due: &h.Until})
	}
	return axisOf(v.At, rows)
}
