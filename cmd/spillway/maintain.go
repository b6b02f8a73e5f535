package main

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

// eventsKept is how long the event log stays.
type eventsKept struct {
	EventsKept time.Duration `help:"How long the history of orders is kept, such as 8760h for a year; 0: for ever. Orders, stock and the journal always stay." env:"SPILLWAY_EVENTS_KEPT"`
}

func (k eventsKept) check() error {
	if k.EventsKept != 0 && k.EventsKept < ops.MinEventsKept {
		return errs.New(errs.Invalid, "events-kept", "", "events are kept for a day at least")
	}
	return nil
}

type maintainCmd struct {
	home
	eventsKept
}

func (c *maintainCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	did, err := ops.KeepUp(e.ctx, st, c.EventsKept)
	if err == nil {
		fmt.Println(did)
	}
	return err
}
