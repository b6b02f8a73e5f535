package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// DeskOptions is what the pages show that no table knows.
type DeskOptions struct {
	// Shop is the operator's name for this installation.
	Shop string
	// Zones are the clocks of the top bar; the first one is the zone of business times. None means UTC.
	Zones []view.Zone
	// Demo says what is simulated here; empty: nothing.
	Demo string
	// PublicURL is where people and vendors reach us, such as https://ops.example.com; it is shown to be entered at vendors.
	PublicURL string
}

// Desk answers the pages: it reads what they show, works out what an action would do, and does it. It keeps nothing but the last
// answers of costly questions, each with its time. All methods may be called at once.
type Desk struct {
	x    *Ops
	o    DeskOptions
	home *time.Location

	surveyed kept[survey]
	traded   kept[trade]
	told     kept[map[string]int64] // pushes in the last hour by connection
	counted  kept[map[string]int64] // orders by state, for the tabs of the list
	proved   kept[Proof]
	capable  kept[capacityNow]
	health   healthDesk
	reading  atomic.Int32 // uploads being read

	freshUntil atomic.Int64 // Unix nanoseconds until which kept figures leave the replica out: somebody has changed something
}

// NewDesk makes a desk over running use-cases. Errors: Invalid (a zone that is not known).
func NewDesk(x *Ops, o DeskOptions) (*Desk, error) {
	if len(o.Zones) == 0 {
		o.Zones = []view.Zone{{Label: "UTC", Location: "UTC"}}
	}
	if o.Shop == "" {
		o.Shop = "Spillway"
	}
	if o.PublicURL == "" {
		o.PublicURL = x.o.PublicURL
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	var home *time.Location
	for i, z := range o.Zones {
		loc, err := time.LoadLocation(z.Location)
		if err != nil {
			return nil, errs.New(errs.Invalid, "ops.NewDesk", z.Location, "is not a time zone that is known here")
		}
		if i == 0 {
			home = loc
		}
	}
	return &Desk{x: x, o: o, home: home}, nil
}

// read runs f on a snapshot.
func (d *Desk) read(ctx context.Context, op, item string, f func(tx *store.Tx) error) error {
	return errs.Wrap(op, item, d.x.st.View(ctx, f))
}

// liveTick is how long after a change the cached figures are taken to have followed it.
const liveTick = time.Second

// Live tells what changed until ctx ends. Figures that are computed in the background follow a change by about a second, so a
// notice of every change is followed by one that measurements are new.
func (d *Desk) Live(ctx context.Context) (<-chan string, error) {
	in, err := d.x.Live(ctx)
	if err != nil {
		return nil, err
	}
	in = d.caughtUp(ctx, in)
	out := make(chan string)
	go func() {
		defer close(out)
		var tick <-chan time.Time
		for {
			var topic string
			select {
			case t, ok := <-in:
				if !ok {
					return
				}
				if topic = t; tick == nil {
					tick = time.After(liveTick)
				}
			case <-tick:
				topic, tick = view.TopicMeasurement, nil
			}
			select {
			case out <- topic:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// itemOf finds an item by id, or by the SKU people know.
func (d *Desk) itemOf(op, name string) (catalog.Item, *catalogue, error) {
	cat := d.x.catalog.Load()
	name = strings.TrimSpace(name)
	if it, ok := cat.items[name]; ok {
		return it, cat, nil
	}
	if id, ok := cat.bySKU[name]; ok {
		return cat.items[id], cat, nil
	}
	return catalog.Item{}, cat, errs.New(errs.NotFound, op, name, "There is no item %s.", name)
}

// locationName is what people call a location.
func (c *catalogue) locationName(id string) string {
	if l, ok := c.location(id); ok && l.Name != "" {
		return l.Name
	}
	return id
}

// channels are the connections with what people call them.
type channels struct {
	rows []store.Connection
	name map[string]string
}

func readChannels(tx *store.Tx) (channels, error) {
	rows, err := tx.ConnectionList()
	if err != nil {
		return channels{}, err
	}
	slices.SortFunc(rows, func(a, b store.Connection) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	c := channels{rows: rows, name: make(map[string]string, len(rows))}
	for _, r := range rows {
		c.name[r.ID] = cmp.Or(r.Name, r.ID)
	}
	return c, nil
}

// of is the name of a connection.
func (c channels) of(id string) string { return cmp.Or(c.name[id], id) }

// options are the connections as choices of a form.
func (c channels) options() []view.Option {
	out := make([]view.Option, len(c.rows))
	for i, r := range c.rows {
		out[i] = view.Option{ID: r.ID, Label: c.of(r.ID)}
	}
	return out
}
