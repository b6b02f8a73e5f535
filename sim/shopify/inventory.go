package shopify

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// Limits of quantities.
const (
	maxUnits  = 1_000_000_000 // of a quantity that is set
	maxAdjust = 2_000_000_000 // of a quantity that is adjusted, before and after
)

// reasons are the documented ones for changing stock.
var reasons = []string{"correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received",
	"movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created", "reservation_deleted",
	"reservation_updated", "restock", "safety_stock", "shrinkage"}

// stockChange is one checked step of a mutation.
type stockChange struct {
	level  *level
	name   quantity
	delta  int
	ledger string
}

// complaints collects the user errors of one mutation.
type complaints struct{ list []any }

func (c *complaints) add(code, message string, field ...string) {
	path := make([]any, len(field))
	for i, f := range field {
		path[i] = f
	}
	c.list = append(c.list, graphql.Map{"code": code, "message": message, "field": path})
}

// stockMutation is what the inventory mutations share: check everything, then apply everything or nothing.
type stockMutation struct {
	sim     *Sim
	version *version
	args    graphql.Args // of the mutation
	c       complaints
	changes []stockChange
	items   []*item
}

func (s *Sim) stockMutation(x *graphql.Exec, args graphql.Args) *stockMutation {
	return &stockMutation{sim: s, version: x.Context.(*request).version, args: args}
}

// run executes check under the idempotency rules and applies its changes.
func (m *stockMutation) run(x *graphql.Exec, check func(in graphql.Args)) any {
	in := m.args.Object("input")
	refuse := func(code, message string) graphql.Map {
		m.c.add(code, message)
		return m.payload(nil)
	}
	return m.sim.once(x, m.args, refuse, func() (graphql.Map, bool) {
		m.document(in)
		check(in)
		for _, it := range m.items {
			if len(m.c.list) > 0 {
				it.stats.Refused++
			} else {
				it.stats.Mutations++
			}
		}
		if len(m.c.list) > 0 {
			return m.payload(nil), true
		}
		return m.payload(m.sim.apply(m.changes, in.Str("reason"), in.Str("referenceDocumentUri"))), false
	})
}

func (m *stockMutation) payload(g *adjustment) graphql.Map {
	errs := m.c.list
	if errs == nil {
		errs = []any{}
	}
	out := graphql.Map{"inventoryAdjustmentGroup": nil, "userErrors": errs}
	if g != nil {
		out["inventoryAdjustmentGroup"] = g
	}
	return out
}

func (m *stockMutation) document(in graphql.Args) {
	if !slices.Contains(reasons, in.Str("reason")) {
		m.c.add("INVALID_REASON", "The specified reason is invalid.", "input", "reason")
	}
	if doc := in.Str("referenceDocumentUri"); doc != "" && !isURI(doc) || in.Has("referenceDocumentUri") && doc == "" && in["referenceDocumentUri"] != nil {
		m.c.add("INVALID_REFERENCE_DOCUMENT", "The specified reference document is invalid.", "input", "referenceDocumentUri")
	}
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

// target finds the level an input line speaks of.
func (m *stockMutation) target(itemID, locationID string, itemField, locationField []string) *level {
	it := m.sim.itemByID[idOf(itemID, "InventoryItem")]
	loc := m.sim.location(idOf(locationID, "Location"))
	if it != nil && !slices.Contains(m.items, it) {
		m.items = append(m.items, it)
	}
	switch {
	case it == nil:
		m.c.add("INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", itemField...)
	case loc == nil || !loc.active:
		m.c.add("INVALID_LOCATION", "The specified location could not be found.", locationField...)
	case it.bundle:
		m.c.add("NON_MUTABLE_INVENTORY_ITEM", "The specified inventory item is not allowed to be adjusted via API.", itemField...)
	default:
		if l := it.levelAt(loc.id); l != nil && l.active {
			return l
		}
		m.c.add("ITEM_NOT_STOCKED_AT_LOCATION", "The specified inventory item is not stocked at the location.", locationField...)
	}
	return nil
}

// missing is the top-level error for a line without changeFromQuantity in the versions that need it.
func (m *stockMutation) missing(kind string, lines ...graphql.Args) *graphql.Error {
	if !m.version.changeFromNeeded {
		return nil
	}
	for _, l := range lines {
		if !l.Has("changeFromQuantity") {
			return graphql.Errorf("INVALID_FIELD_ARGUMENTS", "%s must include the following argument: changeFromQuantity", kind)
		}
	}
	return nil
}

// compare checks the quantity the client believes in.
func (m *stockMutation) compare(line graphql.Args, l *level, q quantity, field ...string) {
	if want, ok := line.Int("changeFromQuantity"); ok && want != l.get(q) {
		m.c.add("CHANGE_FROM_QUANTITY_STALE", "The changeFromQuantity argument no longer matches the persisted quantity.", append(field, "changeFromQuantity")...)
	}
}

func objects(list []any) []graphql.Args {
	out := make([]graphql.Args, len(list))
	for i, v := range list {
		out[i], _ = v.(graphql.Args)
	}
	return out
}

// setQuantities is inventorySetQuantities.
func (s *Sim) setQuantities(x *graphql.Exec, _ any, args graphql.Args) any {
	m := s.stockMutation(x, args)
	lines := objects(args.Object("input").List("quantities"))
	if err := m.missing("InventoryQuantityInput", lines...); err != nil {
		return err
	}
	return m.run(x, func(in graphql.Args) {
		q, ok := quantityOf(in.Str("name"))
		if !ok || q != available && q != onHand {
			m.c.add("INVALID_NAME", "The quantity name must be either 'available' or 'on_hand'.", "input", "name")
			return
		}
		m.setLines(in, lines, q, "quantities", func(line graphql.Args, l *level, field ...string) {
			m.compareOld(in, line, l, q, field...)
		})
	})
}

// compareOld is the comparison of the versions up to 2026-01: compareQuantity, unless it is waived or replaced.
func (m *stockMutation) compareOld(in, line graphql.Args, l *level, q quantity, field ...string) {
	if !m.version.compareQuantity || line.Has("changeFromQuantity") {
		m.compare(line, l, q, field...)
		return
	}
	if in.Bool("ignoreCompareQuantity") {
		return
	}
	field = append(field, "compareQuantity")
	want, ok := line.Int("compareQuantity")
	switch {
	case !ok:
		m.c.add("COMPARE_QUANTITY_REQUIRED", "The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity.", field...)
	case want != l.get(q):
		m.c.add("COMPARE_QUANTITY_STALE", "The compareQuantity value does not match persisted value.", field...)
	}
}

// setOnHand is inventorySetOnHandQuantities.
func (s *Sim) setOnHand(x *graphql.Exec, _ any, args graphql.Args) any {
	m := s.stockMutation(x, args)
	lines := objects(args.Object("input").List("setQuantities"))
	if err := m.missing("InventorySetQuantityInput", lines...); err != nil {
		return err
	}
	return m.run(x, func(in graphql.Args) {
		m.setLines(in, lines, onHand, "setQuantities", func(line graphql.Args, l *level, field ...string) {
			m.compare(line, l, onHand, field...)
		})
	})
}

// setLines checks absolute quantities. on_hand is reached through available.
func (m *stockMutation) setLines(in graphql.Args, lines []graphql.Args, q quantity, list string, compare func(graphql.Args, *level, ...string)) {
	seen := map[[2]string]bool{}
	for i, line := range lines {
		field := func(name string) []string { return []string{"input", list, strconv.Itoa(i), name} }
		n, _ := line.Int("quantity")
		switch {
		case n < 0 && q == onHand:
			m.c.add("INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", field("quantity")...)
		case n > maxUnits:
			m.c.add("INVALID_QUANTITY_TOO_HIGH", "The total quantity can't be higher than 1,000,000,000.", field("quantity")...)
		case n < -maxUnits:
			m.c.add("INVALID_QUANTITY_TOO_LOW", "The total quantity can't be lower than -1,000,000,000.", field("quantity")...)
		}
		pair := [2]string{line.Str("inventoryItemId"), line.Str("locationId")}
		if seen[pair] {
			m.c.add("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "The combination of inventoryItemId and locationId must be unique.", field("locationId")...)
			continue
		}
		seen[pair] = true
		l := m.target(pair[0], pair[1], field("inventoryItemId"), field("locationId"))
		if l == nil {
			continue
		}
		compare(line, l, "input", list, strconv.Itoa(i))
		m.changes = append(m.changes, stockChange{level: l, name: available, delta: n - l.get(q)})
	}
}

// adjustable are the quantities a client may move by a delta. committed follows orders, on_hand follows the others.
var adjustable = []quantity{available, damaged, incoming, qualityControl, reserved, safetyStock}

// adjustQuantities is inventoryAdjustQuantities.
func (s *Sim) adjustQuantities(x *graphql.Exec, _ any, args graphql.Args) any {
	m := s.stockMutation(x, args)
	lines := objects(args.Object("input").List("changes"))
	if err := m.missing("InventoryChangeInput", lines...); err != nil {
		return err
	}
	return m.run(x, func(in graphql.Args) {
		q, ok := quantityOf(in.Str("name"))
		if !ok || !slices.Contains(adjustable, q) {
			m.c.add("INVALID_QUANTITY_NAME", "The specified quantity name is invalid.", "input", "name")
			return
		}
		ledgers := map[string]bool{}
		totals := map[*level]int{}
		for i, line := range lines {
			field := func(name string) []string { return []string{"input", "changes", strconv.Itoa(i), name} }
			m.ledger(q, line, field("ledgerDocumentUri"))
			ledgers[line.Str("ledgerDocumentUri")] = true
			l := m.target(line.Str("inventoryItemId"), line.Str("locationId"), field("inventoryItemId"), field("locationId"))
			if l == nil {
				continue
			}
			d, _ := line.Int("delta")
			m.compare(line, l, q, "input", "changes", strconv.Itoa(i))
			totals[l] += d
			m.within(l.get(q)+totals[l], maxAdjust, field("delta"))
			m.changes = append(m.changes, stockChange{level: l, name: q, delta: d, ledger: line.Str("ledgerDocumentUri")})
		}
		if len(ledgers) > 1 {
			m.c.add("MAX_ONE_LEDGER_DOCUMENT", "All changes must have the same ledger document URI or, in the case of adjusting available, no ledger document URI.", "input", "changes")
		}
	})
}

func (m *stockMutation) within(n, limit int, field []string) {
	switch {
	case n > limit:
		m.c.add("INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 2,000,000,000.", field...)
	case n < -limit:
		m.c.add("INVALID_QUANTITY_TOO_LOW", "The quantity can't be lower than -2,000,000,000.", field...)
	}
}

// ledger checks the ledger document: forbidden for available, needed for every other quantity, never one of the vendor's own.
func (m *stockMutation) ledger(q quantity, line graphql.Args, field []string) {
	doc := line.Str("ledgerDocumentUri")
	switch {
	case q == available && doc != "":
		m.c.add("INVALID_AVAILABLE_DOCUMENT", "A ledger document URI is not allowed when adjusting available.", field...)
	case q == available:
	case doc == "":
		m.c.add("INVALID_QUANTITY_DOCUMENT", "A ledger document URI is required except when adjusting available.", field...)
	case strings.HasPrefix(doc, "gid://shopify/"):
		m.c.add("INTERNAL_LEDGER_DOCUMENT", "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.", field...)
	case !isURI(doc):
		m.c.add("INVALID_LEDGER_DOCUMENT", "The ledger document URI is invalid.", field...)
	}
}

// moveQuantities is inventoryMoveQuantities: from one quantity to another at the same location.
func (s *Sim) moveQuantities(x *graphql.Exec, _ any, args graphql.Args) any {
	m := s.stockMutation(x, args)
	lines := objects(args.Object("input").List("changes"))
	for _, l := range lines {
		if err := m.missing("InventoryMoveQuantityTerminalInput", l.Object("from"), l.Object("to")); err != nil {
			return err
		}
	}
	return m.run(x, func(graphql.Args) {
		totals := map[*level]*[quantityCount]int{}
		for i, line := range lines {
			m.move(i, line, totals)
		}
	})
}

func (m *stockMutation) move(i int, line graphql.Args, totals map[*level]*[quantityCount]int) {
	field := func(names ...string) []string { return append([]string{"input", "changes", strconv.Itoa(i)}, names...) }
	n, _ := line.Int("quantity")
	m.within(n, maxAdjust, field("quantity"))
	if n < 0 {
		m.c.add("INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", field("quantity")...)
	}
	from, to := line.Object("from"), line.Object("to")
	if from.Str("locationId") != to.Str("locationId") {
		m.c.add("DIFFERENT_LOCATIONS", "The quantities can't be moved between different locations.", field()...)
		return
	}
	if from.Str("name") == to.Str("name") {
		m.c.add("SAME_QUANTITY_NAME", "The quantity names for each change can't be the same.", field()...)
		return
	}
	l := m.target(line.Str("inventoryItemId"), from.Str("locationId"), field("inventoryItemId"), field("from", "locationId"))
	for k, end := range []graphql.Args{from, to} {
		side := []string{"from", "to"}[k]
		q, ok := quantityOf(end.Str("name"))
		if !ok || !slices.Contains(adjustable, q) {
			m.c.add("INVALID_QUANTITY_NAME", "The specified quantity name is invalid.", field(side, "name")...)
			continue
		}
		m.ledger(q, end, field(side, "ledgerDocumentUri"))
		if l == nil {
			continue
		}
		m.compare(end, l, q, field(side)...)
		if totals[l] == nil {
			totals[l] = &[quantityCount]int{}
		}
		d := n * (2*k - 1)
		totals[l][q] += d
		m.within(l.get(q)+totals[l][q], maxAdjust, field("quantity"))
		m.changes = append(m.changes, stockChange{level: l, name: q, delta: d, ledger: end.Str("ledgerDocumentUri")})
	}
}

// activate is inventoryActivate: stock an item at a location, with a quantity if it was not stocked there before.
func (s *Sim) activate(x *graphql.Exec, _ any, args graphql.Args) any {
	refuse := func(_, message string) graphql.Map {
		return graphql.Map{"inventoryLevel": nil, "userErrors": []any{graphql.Map{"message": message, "field": nil}}}
	}
	return s.once(x, args, refuse, func() (graphql.Map, bool) {
		it := s.itemByID[idOf(args.Str("inventoryItemId"), "InventoryItem")]
		loc := s.location(idOf(args.Str("locationId"), "Location"))
		units, hasAvailable := args.Int("available")
		shelf, hasOnHand := args.Int("onHand")
		switch {
		case it == nil:
			return refuse("", "The product couldn't be stocked because the inventory item wasn't found."), true
		case loc == nil || !loc.active:
			return refuse("", "The product couldn't be stocked because the location wasn't found."), true
		case hasAvailable && hasOnHand:
			return refuse("", "Only one of available and onHand can be given."), true
		case max(units, shelf) > maxUnits || min(units, shelf) < -maxUnits:
			return refuse("", "The quantity is out of range."), true
		}
		l := it.levelAt(loc.id)
		if l != nil && l.active && (hasAvailable || hasOnHand) {
			return refuse("", "Not allowed to set available quantity when the item is already active at the location."), true
		}
		known := l != nil && l.active
		l = s.stockAt(it, loc)
		if !known {
			s.emit("INVENTORY_LEVELS_CONNECT", s.uuid(), func() any { return levelBody(l) })
		}
		if hasAvailable || hasOnHand {
			was := l.get(available)
			if hasOnHand {
				units, was = shelf, l.get(onHand)
			}
			l.add(available, units-was, s.now())
		}
		s.emitLevel(l)
		return graphql.Map{"inventoryLevel": l, "userErrors": []any{}}, false
	})
}

// apply makes the changes and tells the subscribers of every level whose available changed.
func (s *Sim) apply(changes []stockChange, reason, document string) *adjustment {
	at := s.now()
	g := &adjustment{id: s.newID("InventoryAdjustmentGroup"), reason: reason, document: document, createdAt: at}
	var told []*level
	for _, c := range changes {
		before := c.level.get(onHand)
		c.level.add(c.name, c.delta, at)
		g.changes = append(g.changes, &adjustmentChange{level: c.level, name: c.name.String(), delta: c.delta, after: c.level.get(c.name), ledger: c.ledger})
		if d := c.level.get(onHand) - before; d != 0 {
			g.changes = append(g.changes, &adjustmentChange{level: c.level, name: "on_hand", delta: d, after: c.level.get(onHand)})
		}
		if c.name == available && c.delta != 0 && !slices.Contains(told, c.level) {
			told = append(told, c.level)
		}
	}
	for _, l := range told {
		s.emitLevel(l)
	}
	if s.groups = append(s.groups, g); len(s.groups) > 2*maxGroups {
		s.groups = append([]*adjustment(nil), s.groups[len(s.groups)-maxGroups:]...)
	}
	return g
}
