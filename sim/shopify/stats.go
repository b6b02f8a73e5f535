package shopify

import "github.com/spillway/spillway/kit/errs"

// SKUStats is what happened to one SKU since the store opened.
type SKUStats struct {
	SKU            string `json:"sku"`
	Orders         int    `json:"orders"`          // order lines placed
	UnitsSold      int    `json:"units_sold"`      // placed, cancelled ones too
	UnitsCancelled int    `json:"units_cancelled"` // of those, cancelled
	UnitsFulfilled int    `json:"units_fulfilled"` // of those, sent
	UnitsLost      int    `json:"units_lost"`      // asked for and not available
	Active         int    `json:"active"`          // sold and not cancelled
	Mutations      int    `json:"mutations"`       // stock changes accepted through the API
	Refused        int    `json:"refused"`         // stock changes refused, stale comparisons among them
	ExternalEdits  int    `json:"external_edits"`  // stock changes made behind the app's back
}

// Counts is what happened in the whole store.
type Counts struct {
	Orders        int            `json:"orders"`
	OrdersRefused int            `json:"orders_refused"`
	Cancelled     int            `json:"cancelled"`
	Fulfilled     int            `json:"fulfilled"` // fulfilments made
	Requests      int            `json:"requests"`  // GraphQL requests that were executed
	Throttled     int            `json:"throttled"`
	Mutations     map[string]int `json:"mutations"` // executed, by name
}

// Stats is what happened to one SKU.
func (s *Sim) Stats(sku string) (SKUStats, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := s.bySKU[sku]
	if len(list) == 0 {
		return SKUStats{}, errs.New(errs.NotFound, "shopify.Stats", sku, "is not a SKU of this store")
	}
	sum := SKUStats{SKU: sku}
	for _, it := range list {
		st := it.stats
		sum.Orders += st.Orders
		sum.UnitsSold += st.UnitsSold
		sum.UnitsCancelled += st.UnitsCancelled
		sum.UnitsFulfilled += st.UnitsFulfilled
		sum.UnitsLost += st.UnitsLost
		sum.Mutations += st.Mutations
		sum.Refused += st.Refused
		sum.ExternalEdits += st.ExternalEdits
	}
	sum.Active = sum.UnitsSold - sum.UnitsCancelled
	return sum, nil
}

// Counts is what happened in the whole store.
func (s *Sim) Counts() Counts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.counts
	c.Requests = int(s.requests.Load())
	c.Mutations = make(map[string]int, len(s.counts.Mutations))
	for k, v := range s.counts.Mutations {
		c.Mutations[k] = v
	}
	return c
}
