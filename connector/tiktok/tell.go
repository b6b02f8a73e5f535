package tiktok

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/spillway/spillway/connector/driver"
)

// Tell implements driver.Dispatcher. What the platform knows of just these units already is the answer, whoever told it.
func (c *channel) Tell(ctx context.Context, d driver.Dispatch) (driver.Told, error) {
	o, err := c.ordersOf(ctx, driver.OpTell, parcelOf(d))
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	lines, _ := o.wanted(dispatched(d))
	if pk, ok := o.holding(lines); ok && pk.arranged {
		return c.told(pk), nil
	}
	if err := o.may(driver.OpTell, false); err != nil {
		return driver.Told{}, err
	}
	provider, err := c.provider(ctx, &o.wireShipping, d)
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	var id, warning string
	if markRegions[cmp.Or(c.conn.Shop.Region, d.Region)] {
		id, warning, err = c.mark(ctx, o, d, provider)
	} else {
		id, err = c.shipSelf(ctx, o, lines, wireShipNumber{Tracking: d.Tracking, ProviderID: provider.ID})
	}
	if coded(err, doneAlready...) {
		return c.retold(ctx, d, err)
	}
	if err != nil {
		return driver.Told{}, err
	}
	return driver.Told{PackageID: id, Tracking: d.Tracking, Provider: provider.Name, Lines: lines, Warning: warning, Corrections: 1, At: c.api.stamp(), Until: c.correctUntil(c.api.stamp())}, nil
}

// mark says of each order of a parcel under which number its units travel. One that is marked already is left.
func (c *channel) mark(ctx context.Context, o *parcelOrders, d driver.Dispatch, p driver.Provider) (id, warning string, err error) {
	if len(o.with) == 0 {
		return c.markOne(ctx, &o.wireShipping, d, p)
	}
	for _, order := range append([]string{d.OrderID}, d.With...) {
		one, err := c.shipping(ctx, driver.OpTell, order)
		if err != nil {
			return id, warning, driver.BeforeCall(err)
		}
		lines, _ := one.wanted(dispatched(d))
		if pk, ok := one.holding(lines); ok && pk.arranged {
			continue
		}
		got, said, err := c.markOne(ctx, one, d, p)
		if err != nil {
			return id, warning, err
		}
		id, warning = cmp.Or(id, got), cmp.Or(warning, said)
	}
	return id, warning, nil
}

func (c *channel) markOne(ctx context.Context, o *wireShipping, d driver.Dispatch, p driver.Provider) (id, warning string, err error) {
	lines, whole := o.wanted(dispatched(d))
	body := wireMark{Lines: parts(lines, whole), Tracking: d.Tracking, ProviderID: p.ID}
	data, _, err := call[wireMarked](ctx, c, driver.OpTell, markShipped, pathOf(markShipped, "order_id", o.ID), nil, body)
	return data.PackageID, data.Warning.Message, err
}

// parcelOf is a dispatch as a parcel of its orders.
func parcelOf(d driver.Dispatch) driver.Parcel {
	return driver.Parcel{OrderIDs: append([]string{d.OrderID}, d.With...), Region: d.Region}
}

// dispatched are the lines of a dispatch.
func dispatched(d driver.Dispatch) []driver.ParcelLine {
	if len(d.ExternalLineIDs) > 0 {
		return []driver.ParcelLine{{ExternalLineIDs: d.ExternalLineIDs}}
	}
	return d.Lines
}

// shipSelf ships the package that waits with the seller's own number, where packages are made by the platform.
func (c *channel) shipSelf(ctx context.Context, o *parcelOrders, lines []string, n wireShipNumber) (string, error) {
	pk, err := c.waiting(ctx, driver.OpTell, o, lines)
	if err != nil {
		return "", err
	}
	_, _, err = call[struct{}](ctx, c, driver.OpTell, shipPackage, pathOf(shipPackage, "package_id", pk.id), nil, wireShip{Self: &n})
	return pk.id, err
}

// retold reads what somebody else has told meanwhile.
func (c *channel) retold(ctx context.Context, d driver.Dispatch, refusal error) (driver.Told, error) {
	o, err := c.ordersOf(ctx, driver.OpTell, parcelOf(d))
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	lines, _ := o.wanted(dispatched(d))
	if pk, ok := o.holding(lines); ok && pk.arranged {
		return c.told(pk), nil
	}
	return driver.Told{}, refusal
}

// correctable is how long after it was shipped a number may be corrected (facts, section 9.1); where the bound does not hold the platform allows more.
const correctable = 72 * time.Hour

// bounded are the markets in which that bound is documented: the United States, the United Kingdom and South East Asia.
var bounded = map[string]bool{"US": true, "GB": true, "SG": true, "MY": true, "PH": true, "TH": true, "VN": true, "ID": true}

// correctUntil is until when the number of a package shipped at a time may be corrected; zero: no bound is documented.
func (c *channel) correctUntil(shipped time.Time) time.Time {
	if shipped.IsZero() || !bounded[c.conn.Shop.Region] {
		return time.Time{}
	}
	return shipped.Add(correctable)
}

// told is a package in our words. Whether it was corrected the platform does not say; that it is too late, its time does.
func (c *channel) told(pk pack) driver.Told {
	out := driver.Told{PackageID: pk.id, Tracking: pk.tracking, Provider: pk.provider, Lines: pk.lines, Corrections: -1, At: at(pk.at)}
	if pk.at > 0 {
		out.Until = c.correctUntil(out.At)
	}
	if !out.Until.IsZero() && c.api.stamp().After(out.Until) {
		out.Corrections = 0
	}
	return out
}

// Correct implements driver.Dispatcher. The platform takes one correction, and counts it.
func (c *channel) Correct(ctx context.Context, d driver.Dispatch, told driver.Told) (driver.Told, error) {
	if !digits(told.PackageID) {
		return driver.Told{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the package whose number is wrong has no id"}
	}
	o, err := c.shipping(ctx, driver.OpTell, d.OrderID)
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	provider, err := c.provider(ctx, o, d)
	if err != nil {
		return driver.Told{}, driver.BeforeCall(err)
	}
	body := wireShipNumber{Tracking: d.Tracking, ProviderID: provider.ID}
	if _, _, err := call[struct{}](ctx, c, driver.OpTell, correctTracking, pathOf(correctTracking, "package_id", told.PackageID), nil, body); err != nil {
		return driver.Told{}, err
	}
	told.Tracking, told.Provider, told.Corrections, told.At = d.Tracking, provider.Name, 0, c.api.stamp()
	return told, nil
}

// Told implements driver.Dispatcher.
func (c *channel) Told(ctx context.Context, orderID string) ([]driver.Told, error) {
	o, err := c.shipping(ctx, driver.OpTell, orderID)
	if err != nil {
		return nil, err
	}
	var out []driver.Told
	for _, pk := range o.packs() {
		if pk.arranged {
			out = append(out, c.told(pk))
		}
	}
	return out, nil
}

// Providers implements driver.Dispatcher.
func (c *channel) Providers(ctx context.Context, orderID string) ([]driver.Provider, error) {
	o, err := c.shipping(ctx, driver.OpTell, orderID)
	if err != nil {
		return nil, err
	}
	return c.providers(ctx, o.DeliveryOptionID)
}

// Bounds of what is remembered of delivery options: a shop has a handful, and their carriers change by the month.
const (
	maxOptions  = 64
	providerAge = time.Hour
)

// providers remembers the carriers of delivery options.
type providers struct {
	mu  sync.Mutex
	all map[string]optionProviders
}

type optionProviders struct {
	list []driver.Provider
	read time.Time
}

func newProviders() *providers { return &providers{all: map[string]optionProviders{}} }

func (p *providers) get(option string, now time.Time) ([]driver.Provider, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.all[option]
	return o.list, ok && now.Sub(o.read) < providerAge
}

func (p *providers) put(option string, list []driver.Provider, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) >= maxOptions {
		clear(p.all)
	}
	p.all[option] = optionProviders{list, now}
}

// providers are the carriers of a delivery option, the only source of their ids.
func (c *channel) providers(ctx context.Context, option string) ([]driver.Provider, error) {
	if !digits(option) {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell, Message: "the order names no delivery option, so no carrier can be told for it"}
	}
	if list, ok := c.known.get(option, c.api.clock()); ok {
		return list, nil
	}
	data, _, err := call[wireProviders](ctx, c, driver.OpTell, getProviders, pathOf(getProviders, "delivery_option_id", option), nil, nil)
	if err != nil {
		return nil, err
	}
	list := make([]driver.Provider, 0, len(data.Providers))
	for _, p := range data.Providers {
		list = append(list, driver.Provider{ID: p.ID, Name: p.Name})
	}
	c.known.put(option, list, c.api.clock())
	return list, nil
}

// provider finds the platform's carrier for ours.
func (c *channel) provider(ctx context.Context, o *wireShipping, d driver.Dispatch) (driver.Provider, error) {
	list, err := c.providers(ctx, o.DeliveryOptionID)
	if err != nil {
		return driver.Provider{}, err
	}
	if i := slices.IndexFunc(list, func(p driver.Provider) bool { return d.ProviderID != "" && p.ID == d.ProviderID }); i >= 0 {
		return list[i], nil
	}
	if p, ok := named(list, d.Carrier); ok {
		return p, nil
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	return driver.Provider{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpTell,
		Message: "the platform has no carrier like " + d.Carrier + " for this order, only " + strings.Join(names[:min(len(names), 20)], ", ")}
}

// named finds a carrier by name: the same words; else the one whose words ours begins with ("USPS Ground Advantage" is USPS), the longest; else the only one
// that begins with ours ("Evri" is Evri (Hermes)). Anything else would be a guess that the buyer is told.
func named(list []driver.Provider, carrier string) (driver.Provider, bool) {
	ours := words(carrier)
	if len(ours) == 0 {
		return driver.Provider{}, false
	}
	var best driver.Provider
	longest, longer := 0, []driver.Provider(nil)
	for _, p := range list {
		theirs := words(p.Name)
		switch n := len(theirs); {
		case slices.Equal(ours, theirs):
			return p, true
		case n > 0 && n < len(ours) && slices.Equal(ours[:n], theirs):
			if n > longest {
				best, longest = p, n
			}
		case n > len(ours) && slices.Equal(theirs[:len(ours)], ours):
			longer = append(longer, p)
		}
	}
	if longest > 0 {
		return best, true
	}
	if len(longer) == 1 {
		return longer[0], true
	}
	return driver.Provider{}, false
}

func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
