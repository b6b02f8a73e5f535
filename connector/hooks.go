package connector

import (
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Hooks are told what happens on a connection, for metrics. Any field may be nil. Labels to make of them: vendor,
// operation, class; never a shop, an order or a person.
type Hooks struct {
	Exchange func(vendor string, x driver.Exchange)                              // one HTTP request was answered or failed
	Waited   func(vendor string, op driver.Operation, d time.Duration)           // a call waited for its rate slot
	Retried  func(vendor string, op driver.Operation, c driver.Class)            // an attempt failed and is repeated
	Renewed  func(vendor string, ok bool)                                        // a login was renewed
	Circuit  func(vendor string, connection string, op driver.Operation, o bool) // an operation was cut off (true) or works again
	Pushed   func(vendor string, o driver.Outcome)                               // one push got its result
}

func (h Hooks) exchange(vendor string, x driver.Exchange) {
	if h.Exchange != nil {
		h.Exchange(vendor, x)
	}
}

func (h Hooks) waited(vendor string, op driver.Operation, d time.Duration) {
	if h.Waited != nil {
		h.Waited(vendor, op, d)
	}
}

func (h Hooks) retried(vendor string, op driver.Operation, c driver.Class) {
	if h.Retried != nil {
		h.Retried(vendor, op, c)
	}
}

func (h Hooks) renewed(vendor string, ok bool) {
	if h.Renewed != nil {
		h.Renewed(vendor, ok)
	}
}

func (h Hooks) circuit(vendor, connection string, op driver.Operation, open bool) {
	if h.Circuit != nil {
		h.Circuit(vendor, connection, op, open)
	}
}

func (h Hooks) pushed(vendor string, o driver.Outcome) {
	if h.Pushed != nil {
		h.Pushed(vendor, o)
	}
}
