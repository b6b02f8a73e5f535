package sqlcore

import (
	"database/sql"
	"encoding/json"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

var (
	locationCols = []col{{"id", text}, {"name", text}, {"kind", text}, {"serves", text}, {"external_refs", text}, {"active", boolean}}

	locationPut = insert("store.LocationPut", "location", locationCols, upsert("id", locationCols[1:]))
	locations   = def("store.Locations", "SELECT id, name, kind, serves, external_refs, active FROM location ORDER BY id")
)

// LocationPut creates or changes a location. Errors: Invalid.
func (tx *Tx) LocationPut(l stock.Location) error {
	if l.ID == "" {
		return errs.New(errs.Invalid, "store.LocationPut", "", "a location needs an id")
	}
	serves, err := encode("store.LocationPut", l.Serves)
	if err != nil {
		return err
	}
	refs, err := encode("store.LocationPut", l.ExternalRefs)
	if err != nil {
		return err
	}
	_, err = tx.bulk(locationPut, [][]any{{l.ID, l.Name, string(l.Kind), serves, refs, l.Active}})
	return err
}

// Locations reads all locations in the order of id. There are a handful.
func (tx *Tx) Locations() ([]stock.Location, error) {
	return query(tx, locations, func(r *sql.Rows, l *stock.Location) error {
		var serves, refs string
		if err := r.Scan(&l.ID, &l.Name, &l.Kind, &serves, &refs, &l.Active); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(serves), &l.Serves); err != nil {
			return err
		}
		return json.Unmarshal([]byte(refs), &l.ExternalRefs)
	})
}
