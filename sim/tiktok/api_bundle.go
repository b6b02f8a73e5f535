package tiktok

import (
	"fmt"
	"net/http"
	"slices"
)

// bundle is a bag of parcels that are handed over together on their first mile.
type bundle struct {
	id, handover string
	orders       []*order
}

// maxBundle bounds a bundle here; no bound is documented.
const maxBundle = 500

// bundleFirstMile puts the parcels of orders into one bag, with a document to stick on it. An order is in one bag at most; those that cannot be are
// named, and the others go. No code is documented for the call.
func (s *Sim) bundleFirstMile(c *call) (any, *failure) {
	var in struct {
		Orders   []string `json:"order_ids"`
		Handover string   `json:"handover_method"`
		Provider string   `json:"shipping_provider_id"`
		Tracking string   `json:"tracking_number"`
		Tail     string   `json:"phone_tail_number"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if len(in.Orders) == 0 || len(in.Orders) > maxBundle || in.Handover != "PICKUP" && in.Handover != "DROP_OFF" {
		return nil, fail(codeFulfilInput, "Name 1 to %d orders, and PICKUP or DROP_OFF.", maxBundle)
	}
	b := &bundle{handover: in.Handover}
	problems := []fields{}
	for _, id := range in.Orders {
		o, why := s.orders[id], ""
		switch {
		case o == nil || o.shop != c.shop:
			why = "The order belongs to another shop."
		case o.ship != "TIKTOK" || o.shop.region == "US" || o.status != awaitingCollection:
			why = "The order is not arranged on a label of the platform, or it is on its way."
		case o.bundle != "" || slices.Contains(b.orders, o):
			why = "The order is in a bundle already."
		}
		if why != "" {
			problems = append(problems, fields{"code": codeFulfilInput, "message": why, "detail": fields{"order_id": id}})
			continue
		}
		b.orders = append(b.orders, o)
	}
	out := fields{}
	if len(problems) > 0 {
		out["errors"] = problems
	}
	if len(b.orders) > 0 {
		b.id = s.ids.of("package")
		for _, o := range b.orders {
			o.bundle = b.id
		}
		c.shop.bundles[b.id] = b
		out["first_mile_bundle_id"], out["url"] = b.id, "http://"+c.Host+"/_sandbox/bundles/"+b.id
	}
	return out, nil
}

// bundleDocument prints what is stuck on a bag.
func (s *Sim) bundleDocument(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shops {
		if b := sh.bundles[r.PathValue("id")]; b != nil {
			w.Header().Set("Content-Type", "application/pdf")
			_, _ = w.Write(pdf([]string{"SANDBOX BUNDLE", b.id, fmt.Sprintf("%d orders", len(b.orders)), b.handover}))
			return
		}
	}
	http.NotFound(w, r)
}

// Bundle is the bag of an order, with all orders in it; empty: it is in none.
func (s *Sim) Bundle(orderID string) (id string, orders []string, err error) {
	err = s.withOrder(orderID, func(o *order) error {
		if id = o.bundle; id != "" {
			orders = idsOf(o.shop.bundles[id].orders)
		}
		return nil
	})
	return id, orders, err
}
