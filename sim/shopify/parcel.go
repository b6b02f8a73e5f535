package shopify

import "github.com/spillway/spillway/kit/errs"

// Parcel is a fulfilment of an order.
type Parcel struct {
	ID      int64
	Company string
	Numbers []string
	Units   int
}

// Parcels are an order's fulfilments.
func (s *Sim) Parcels(id int64) ([]Parcel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return nil, errs.New(errs.NotFound, "shopify.Parcels", gid("Order", id), "There is no such order.")
	}
	var out []Parcel
	for _, f := range o.fulfillments {
		p := Parcel{ID: f.id, Company: f.company, Numbers: append([]string(nil), f.numbers...)}
		for _, l := range f.lines {
			p.Units += l.quantity
		}
		out = append(out, p)
	}
	return out, nil
}

// Address is where an order goes.
type Address struct{ Name, Street, City, Province, Zip, Country, Phone string }

// AddressOf is where an order goes.
func (s *Sim) AddressOf(id int64) (Address, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return Address{}, errs.New(errs.NotFound, "shopify.AddressOf", gid("Order", id), "There is no such order.")
	}
	a := o.address
	return Address{a.firstName + " " + a.lastName, a.address1, a.city, a.provinceCode, a.zip, a.countryCode, a.phone}, nil
}

// LineIDs are the numbers of an order's lines.
func (s *Sim) LineIDs(id int64) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return nil, errs.New(errs.NotFound, "shopify.LineIDs", gid("Order", id), "There is no such order.")
	}
	var out []int64
	for _, l := range o.lines {
		out = append(out, l.id)
	}
	return out, nil
}
