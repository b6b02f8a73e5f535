package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// leastKept is a day: followers of the event log that note no position are seconds behind.
	leastKept = 24 * time.Hour
	// publishedSetting is how far the stream has published the event log.
	publishedSetting = "stream.cursor"
)

type maintainCmd struct {
	home
	EventsKept time.Duration `help:"How long the history of orders is kept, such as 8760h for a year; 0: for ever. Orders, stock and the journal always stay." env:"SPILLWAY_EVENTS_KEPT"`
}

func (c *maintainCmd) Run(e *env) error {
	if c.EventsKept != 0 && c.EventsKept < leastKept {
		return errs.New(errs.Invalid, "maintain", "events-kept", "events are kept for a day at least")
	}
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	var read int64
	if err := st.View(e.ctx, func(tx *store.Tx) error {
		if read, err = tx.EventLast(); err != nil {
			return err
		}
		published, found, err := tx.SettingGet(publishedSetting)
		if err == nil && found {
			read, err = strconv.ParseInt(published, 10, 64)
		}
		return err
	}); err != nil {
		return err
	}
	m, err := st.Maintain(e.ctx, c.EventsKept, read)
	for what, names := range map[string][]string{"made": m.Made, "dropped": m.Dropped} {
		if len(names) > 0 {
			fmt.Fprintln(os.Stdout, what, strings.Join(names, ", "))
		}
	}
	if m.Deleted > 0 {
		fmt.Fprintln(os.Stdout, m.Deleted, "events deleted")
	}
	return err
}
