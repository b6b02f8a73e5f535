package tiktok

// ParcelView is a package of an order as the control surface shows it.
type ParcelView struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Shipping string   `json:"shipping"` // TIKTOK or SELLER
	Carrier  string   `json:"carrier"`
	Tracking string   `json:"tracking"`
	Lines    []string `json:"lines"`
	Price    int64    `json:"price"` // of a bought label in cents
	Orders   []string `json:"orders"`
}

// Parcels are an order's packages, cancelled ones too.
func (s *Sim) Parcels(orderID string) ([]ParcelView, error) {
	var out []ParcelView
	err := s.withOrder(orderID, func(o *order) error {
		for _, p := range o.parcels {
			out = append(out, ParcelView{p.id, p.status, p.shipping, p.provider.name, p.tracking, lineIDs(p.lines), p.price, p.orderIDs()})
		}
		return nil
	})
	return out, err
}

// LabelsPaid counts the platform's labels that an order has used, each of which the seller pays for: one for each package arranged on a label, by
// whatever call. A label is not given back when its order is cancelled. That of a combined package counts for its first order.
func (s *Sim) LabelsPaid(orderID string) (n int, err error) {
	err = s.withOrder(orderID, func(o *order) error { n = o.labels(); return nil })
	return n, err
}

func (o *order) labels() (n int) {
	for _, p := range o.parcels {
		if p.order == o && p.shipping == "TIKTOK" && p.arranged > 0 && !o.fbt {
			n++
		}
	}
	return n
}

// AddressView is where an order goes, unmasked.
type AddressView struct {
	Name, Phone, Street, City, State, Postal, Country string
}

// Address is where an order goes.
func (s *Sim) Address(orderID string) (v AddressView, err error) {
	err = s.withOrder(orderID, func(o *order) error {
		a := o.address
		v = AddressView{a.first + " " + a.last, a.phone, a.street, a.city, a.state, a.postal, a.country}
		return nil
	})
	return v, err
}

// Lines are the ids of an order's line items.
func (s *Sim) Lines(orderID string) (ids []string, err error) {
	err = s.withOrder(orderID, func(o *order) error { ids = lineIDs(o.lines); return nil })
	return ids, err
}
