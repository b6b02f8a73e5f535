package sqlcore

import "github.com/spillway/spillway/domain/order"

// Further ids people know an order by: of its parcels, cancellations and returns, and of the order it replaces. They follow from the
// order, so no backup holds them. A ref stays when an order stops naming it: whoever has the old parcel's label still finds the order.
var (
	refCols   = []col{{"ref", text}, {"order_id", text}}
	refInsert = insert("store.OrdersSave", "order_ref", refCols, "ON CONFLICT DO NOTHING")
	refsMake  = both("store.Restore",
		`INSERT OR IGNORE INTO order_ref (ref, order_id)
		SELECT o.body ->> '$.related_order', o.id FROM orders o WHERE o.body ->> '$.related_order' <> ''
		UNION SELECT c.value ->> '$.id', o.id FROM orders o, json_each(o.body, '$.cancellations') c WHERE c.value ->> '$.id' <> ''
		UNION SELECT r.value ->> '$.id', o.id FROM orders o, json_each(o.body, '$.returns') r WHERE r.value ->> '$.id' <> ''
		UNION SELECT u.value ->> '$.package_ref', o.id FROM orders o, json_each(o.body, '$.lines') l, json_each(l.value, '$.units') u
			WHERE u.value ->> '$.package_ref' <> ''`,
		`INSERT INTO order_ref (ref, order_id) SELECT ref, id FROM (
			SELECT o.body::jsonb ->> 'related_order' AS ref, o.id FROM orders o
			UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.cancellations[*].id') AS p(v)
			UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.returns[*].id') AS p(v)
			UNION SELECT p.v #>> '{}', o.id FROM orders o, jsonb_path_query(o.body::jsonb, '$.lines[*].units[*].package_ref') AS p(v)
		) AS refs WHERE ref <> '' ON CONFLICT DO NOTHING`)
)

// addRefs appends the rows of an order's refs to rows, each ref once.
func addRefs(rows [][]any, o *order.Order) [][]any {
	first := len(rows)
	add := func(ref string) {
		if ref == "" {
			return
		}
		for _, r := range rows[first:] {
			if r[0] == ref {
				return
			}
		}
		rows = append(rows, []any{ref, o.ID})
	}
	add(o.RelatedOrder)
	for i := range o.Cancellations {
		add(o.Cancellations[i].ID)
	}
	for i := range o.Returns {
		add(o.Returns[i].ID)
	}
	for i := range o.Lines {
		for j := range o.Lines[i].Units {
			add(o.Lines[i].Units[j].PackageRef)
		}
	}
	return rows
}
