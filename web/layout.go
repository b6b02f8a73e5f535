package web

import (
	"time"

	"github.com/spillway/spillway/ops/view"
)

// frameParts are the live pieces of the frame itself.
func (s *Site) frameParts(f view.Frame) []part {
	return []part{
		{id: "f-health", c: health(f)},
		{id: "f-problems", c: problemCount(f)},
		{id: "f-live", c: liveBanner(f)},
		{id: "f-incidents", c: incidentCount(f)},
	}
}

// clockIn writes the time of day in a zone, as the browser will go on writing it.
func clockIn(now time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return now.In(loc).Format("15:04")
}

func wireState(c chrome) string {
	if c.Fixed {
		return "fixed"
	}
	return "wait"
}

func wireText(c chrome) string {
	if c.Fixed {
		return "Not live"
	}
	return "Connecting"
}
