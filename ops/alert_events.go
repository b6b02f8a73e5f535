package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/store"
)

// eventsEvery is how often timelines are filled with what else happened.
const eventsEvery = time.Minute

// fillTimelines stores in the timelines of open incidents, and of those that ended lately, what else happened meanwhile. A page shows that without it
// too: stored it stays when the logs it is read from are shortened. What is there already is not written again.
func (x *Ops) fillTimelines(ctx context.Context, at time.Time) error {
	var fresh []alert.Entry
	var touched []string
	err := x.st.View(ctx, func(tx *store.Tx) error {
		fresh, touched = nil, nil
		rows, err := tx.IncidentsLive(at.Add(-eventsBefore))
		if err != nil {
			return err
		}
		var told []store.Incident
		for _, i := range rows {
			if !i.OpenedAt.IsZero() {
				told = append(told, i)
			}
		}
		if len(told) == 0 {
			return nil
		}
		m, err := x.readMeanwhile(tx, at, told)
		if err != nil {
			return err
		}
		for _, i := range told {
			have, err := tx.EntriesOf(i.ID, shownEntries)
			if err != nil {
				return err
			}
			known := map[string]bool{}
			for _, e := range have {
				known[e.ID] = true
			}
			all, _ := withStory(have, m.of(x.catalog.Load(), i, at))
			for _, e := range all {
				if !known[e.ID] {
					fresh, touched = append(fresh, e), append(touched, i.ID)
				}
			}
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return err
	}
	if err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.EntriesAppend(fresh) }); err != nil {
		return err
	}
	x.live.notify(incidentTopics(unique(touched))...)
	return nil
}
