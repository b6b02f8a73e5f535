package dummy

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// corrections is how often the platform lets a number be changed.
const corrections = 1

func (w wireParcel) told() driver.Told {
	left := corrections
	if w.Corrected || w.Label != "" { // the number of the platform's own label is its own
		left = 0
	}
	return driver.Told{PackageID: w.ID, Tracking: w.Tracking, Provider: w.Carrier, Lines: []string{w.ID}, Corrections: left}
}

// Tell implements driver.Dispatcher. The number is part of the address that is put to, so telling again changes nothing.
func (c *channel) Tell(ctx context.Context, d driver.Dispatch) (driver.Told, error) {
	carrier, err := c.provider(ctx, d)
	if err != nil {
		return driver.Told{}, err
	}
	in := struct {
		Carrier string `json:"carrier"`
		Qty     int64  `json:"qty"`
	}{carrier, units(d.Lines)}
	var out wireParcel
	if _, err := c.call(ctx, driver.OpTell, http.MethodPut, parcelPath(d.OrderID, d.Tracking), nil, in, &out); err != nil {
		return driver.Told{}, err
	}
	return out.told(), nil
}

// provider finds the platform's word for a carrier. One it does not have is for a person: a guess would be told to the buyer.
func (c *channel) provider(ctx context.Context, d driver.Dispatch) (string, error) {
	all, err := c.Providers(ctx, d.OrderID)
	if err != nil {
		return "", driver.BeforeCall(err)
	}
	for _, p := range all {
		if p.ID == d.ProviderID || strings.EqualFold(p.Name, strings.TrimSpace(d.Carrier)) {
			return p.Name, nil
		}
	}
	return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the platform knows no carrier " + d.Carrier}
}

// Correct implements driver.Dispatcher.
func (c *channel) Correct(ctx context.Context, d driver.Dispatch, told driver.Told) (driver.Told, error) {
	var out wireParcel
	if _, err := c.call(ctx, driver.OpTell, http.MethodPost, parcelPath(d.OrderID, told.Tracking)+"/correct", nil, map[string]string{"tracking": d.Tracking}, &out); err != nil {
		return driver.Told{}, err
	}
	return out.told(), nil
}

// Told implements driver.Dispatcher.
func (c *channel) Told(ctx context.Context, orderID string) ([]driver.Told, error) {
	var out struct{ Parcels []wireParcel }
	if _, err := c.call(ctx, driver.OpTell, http.MethodGet, "orders/"+url.PathEscape(orderID)+"/parcels", nil, nil, &out); err != nil {
		return nil, err
	}
	var all []driver.Told
	for _, p := range out.Parcels {
		all = append(all, p.told())
	}
	return all, nil
}

// Providers implements driver.Dispatcher.
func (c *channel) Providers(ctx context.Context, _ string) ([]driver.Provider, error) {
	var out struct{ Carriers []string }
	if _, err := c.call(ctx, driver.OpTell, http.MethodGet, "carriers", nil, nil, &out); err != nil {
		return nil, err
	}
	var all []driver.Provider
	for _, name := range out.Carriers {
		all = append(all, driver.Provider{ID: name, Name: name})
	}
	return all, nil
}

// Recipient implements driver.Recipients. Nothing of it is kept here.
func (c *channel) Recipient(ctx context.Context, orderID string) (driver.Address, error) {
	var out struct{ Name, Street, City, State, Postal, Country, Phone string }
	if _, err := c.call(ctx, driver.OpOrder, http.MethodGet, "orders/"+url.PathEscape(orderID)+"/address", nil, nil, &out); err != nil {
		return driver.Address{}, err
	}
	return driver.Address{Name: out.Name, Line1: out.Street, City: out.City, State: out.State, Post: out.Postal, Country: out.Country, Phone: out.Phone, Residential: true}, nil
}

func parcelPath(orderID, tracking string) string {
	return "orders/" + url.PathEscape(orderID) + "/parcels/" + url.PathEscape(tracking)
}
