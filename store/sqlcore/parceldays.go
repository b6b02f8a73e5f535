package sqlcore

import (
	"sync"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/domain/transit"
)

// parcelDays are kept because each takes as long to make as it has days. There are two, the post's and that of the others, for each zone a node is in.
var parcelDays sync.Map // parcelDaysKey to *calendar.Calendar

type parcelDaysKey struct {
	post bool
	zone string
}

// daysOf is the days on which a carrier moves parcels that left from a zone; nil where the zone is not known.
func daysOf(carrier, zone string) *calendar.Calendar {
	k := parcelDaysKey{carrier == transit.USPS, zone}
	if c, ok := parcelDays.Load(k); ok {
		return c.(*calendar.Calendar)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil
	}
	c, err := transit.Calendar(carrier, loc)
	if err != nil {
		return nil
	}
	parcelDays.Store(k, c)
	return c
}

// Watch is [shipping.Shipment.Watch] by the carriers' calendars.
func (s *Shipment) Watch(at time.Time) (tracking.Finding, bool) { return s.Shipment.Watch(daysOf, at) }

// Settle is [shipping.Shipment.Settle] by the carriers' calendars.
func (s *Shipment) Settle(at time.Time, by, why string) error {
	return s.Shipment.Settle(daysOf, at, by, why)
}
