package shopify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The store's objects as the simulator holds them. All are guarded by Sim.mu; times are whole seconds, as the vendor keeps them.

type location struct {
	id                   int64
	name                 string
	city, country        string
	active, online       bool // online: fulfils online orders
	createdAt, updatedAt time.Time
}

type product struct {
	id                    int64
	title, handle, vendor string
	variants              []*variant
	createdAt, updatedAt  time.Time
}

type variant struct {
	id                   int64
	product              *product
	item                 *item
	title, barcode       string
	price                int64 // minor units of the shop's currency
	position             int
	oversell             bool // inventory policy CONTINUE
	createdAt, updatedAt time.Time
}

func (v *variant) displayName() string {
	if v.title == "Default Title" {
		return v.product.title
	}
	return v.product.title + " - " + v.title
}

type item struct {
	id                   int64
	sku                  string
	tracked              bool
	bundle               bool // its stock follows from components and cannot be written
	variants             []*variant
	levels               []*level
	createdAt, updatedAt time.Time
	stats                SKUStats
}

func (i *item) levelAt(loc int64) *level {
	for _, l := range i.levels {
		if l.loc.id == loc {
			return l
		}
	}
	return nil
}

// sellable is what the shop window counts: available over the active locations that fulfil online orders.
func (i *item) sellable() int {
	n := 0
	for _, l := range i.levels {
		if l.active && l.loc.active && l.loc.online {
			n += l.get(available)
		}
	}
	return n
}

type order struct {
	id                   int64
	number               int
	createdAt, updatedAt time.Time
	cancelledAt          time.Time
	closedAt             time.Time
	cancelReason         string
	financial            string // OrderDisplayFinancialStatus
	edited               bool
	email, note, source  string
	tags                 []string
	address              *address
	shipping             int64 // minor units
	lines                []*line
	fulfillmentOrders    []*fulfillmentOrder
	fulfillments         []*fulfillment
}

func (o *order) name() string { return fmt.Sprintf("#%d", o.number) }

func (o *order) subtotal(units func(*line) int) int64 {
	var sum int64
	for _, l := range o.lines {
		sum += l.price * int64(units(l))
	}
	return sum
}

type line struct {
	id       int64
	order    *order
	variant  *variant
	quantity int
	removed  int // cancelled before it was fulfilled
	shipped  int
	price    int64
}

func (l *line) current() int { return l.quantity - l.removed }
func (l *line) ordered() int { return l.quantity }
func (l *line) open() int    { return l.quantity - l.removed - l.shipped }

type address struct {
	firstName, lastName, address1, city, province, provinceCode, zip, country, countryCode, phone string
}

// fulfillmentOrder is the part of an order one location has to send.
type fulfillmentOrder struct {
	id                   int64
	order                *order
	loc                  *location
	status               string // FulfillmentOrderStatus
	lines                []*fulfillmentOrderLine
	createdAt, updatedAt time.Time
}

type fulfillmentOrderLine struct {
	id               int64
	owner            *fulfillmentOrder
	line             *line
	total, remaining int
}

type fulfillment struct {
	id                   int64
	order                *order
	loc                  *location
	number               int // within the order
	lines                []*fulfillmentLine
	company              string
	numbers, urls        []string
	createdAt, updatedAt time.Time
}

type fulfillmentLine struct {
	id       int64
	line     *line
	quantity int
}

// adjustment is one accepted change of stock, as a mutation's payload shows it.
type adjustment struct {
	id        int64
	reason    string
	document  string
	createdAt time.Time
	changes   []*adjustmentChange
}

type adjustmentChange struct {
	level  *level
	name   string
	delta  int
	after  int
	ledger string
}

// gid is the global identifier of an object of a kind.
func gid(kind string, id int64) string {
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(id, 10)
}

func (l *level) gid() string {
	return gid("InventoryLevel", l.id) + "?inventory_item_id=" + strconv.FormatInt(l.item.id, 10)
}

// splitGID takes a global identifier apart.
func splitGID(s string) (kind string, id int64, ok bool) {
	rest, found := strings.CutPrefix(s, "gid://shopify/")
	if !found {
		return "", 0, false
	}
	kind, digits, found := strings.Cut(rest, "/")
	if !found {
		return "", 0, false
	}
	digits, _, _ = strings.Cut(digits, "?")
	id, err := strconv.ParseInt(digits, 10, 64)
	return kind, id, err == nil && id > 0
}

// idOf is the number in a global identifier of the given kind, 0 when s is not one.
func idOf(s, kind string) int64 {
	if k, id, ok := splitGID(s); ok && k == kind {
		return id
	}
	return 0
}
