package sqlcore

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// CarrierManifest is a carrier's own list of the parcels that a van fetches.
type CarrierManifest struct {
	ID       string    `json:"-"` // made by who asked
	Account  string    `json:"-"` // with which the labels were bought
	Node     string    `json:"-"`
	At       time.Time `json:"-"`
	Carrier  string    `json:"carrier"`
	N        int64     `json:"n"`    // parcels it was asked for
	Fate     string    `json:"fate"` // of the call, in shipping's words
	Ref      string    `json:"ref,omitzero"`
	Document string    `json:"document,omitzero"`
	Why      string    `json:"why,omitzero"`
	By       string    `json:"by"`
	Said     string    `json:"said,omitzero"` // who said what became of it, where no answer came
	Struck   int64     `json:"-"`             // of its parcels whose labels were taken back since; read, not stored
}

// ManifestParcel is a label that may be on a manifest.
type ManifestParcel struct{ Shipment, Ref string }

// Label names it: one is on one manifest.
func (p ManifestParcel) Label() string { return p.Shipment + "/" + p.Ref }

var (
	manifestCols = []col{{"id", text}, {"account", text}, {"node", text}, {"at", bigint}, {"body", text}}
	manifestList = "SELECT " + names(manifestCols, plain, ", ") +
		", (SELECT count(*) FROM manifest_parcel p WHERE p.manifest_id = m.id AND p.manifest_id <> '' AND p.struck = 1) FROM carrier_manifest m"
	manifestAdd  = insertNew("store.ManifestAdd", "carrier_manifest", manifestCols)
	manifestPut  = insert("store.ManifestSave", "carrier_manifest", manifestCols, upsert("id", manifestCols[4:]))
	manifestGet  = def("store.ManifestGet", manifestList+" WHERE id = $1")
	manifestTake = def("store.ManifestForUpdate", manifestList+" WHERE id = $1 @lock(FOR NO KEY UPDATE)")
	manifestsAt  = def("store.ManifestsAt", manifestList+" WHERE node = $1 ORDER BY at DESC, id LIMIT $2")
	manifestOld  = def("store.ManifestsPrune", "DELETE FROM carrier_manifest WHERE id IN (SELECT id FROM carrier_manifest WHERE at < $1 ORDER BY at LIMIT $2)")

	listedCols = []col{{"label", text}, {"shipment_id", text}, {"node", text}, {"manifest_id", text}, {"at", bigint}, {"struck", bigint}}
	listedPut  = insert("store.ManifestParcelsPut", "manifest_parcel", listedCols,
		"ON CONFLICT (label) DO UPDATE SET manifest_id = excluded.manifest_id, at = excluded.at WHERE manifest_parcel.manifest_id = ''")
	listedOf     = def("store.ManifestParcels", "SELECT shipment_id FROM manifest_parcel WHERE manifest_id = $1 AND manifest_id <> '' ORDER BY shipment_id LIMIT $2")
	listedLeft   = def("store.ManifestParcelsLeft", "SELECT shipment_id FROM manifest_parcel WHERE node = $1 AND at >= $2 AND manifest_id = '' ORDER BY at, shipment_id LIMIT $3")
	listedTaken  = def("store.ManifestParcelsListed", "SELECT label FROM manifest_parcel WHERE @in(label, $1) AND manifest_id <> ''")
	listedFree   = def("store.ManifestParcelsFree", "UPDATE manifest_parcel SET manifest_id = '' WHERE manifest_id = $1 AND manifest_id <> ''")
	listedStrike = def("store.ManifestParcelStrike", "UPDATE manifest_parcel SET struck = 1 WHERE label = $1")
	listedOld    = def("store.ManifestParcelsPrune", "DELETE FROM manifest_parcel WHERE label IN (SELECT label FROM manifest_parcel WHERE at < $1 ORDER BY at LIMIT $2)")
)

func manifestRow(op string, m CarrierManifest) ([][]any, error) {
	body, err := encode(op, m)
	return [][]any{{m.ID, m.Account, m.Node, us(m.At), body}}, err
}

// ManifestAdd stores a new manifest; false: its id is there already, and it stays as it is.
func (tx *Tx) ManifestAdd(m CarrierManifest) (bool, error) {
	rows, err := manifestRow(manifestAdd.op, m)
	if err != nil {
		return false, err
	}
	added, err := tx.bulkNew(manifestAdd, rows)
	return added[m.ID], err
}

// ManifestSave stores what became of a manifest.
func (tx *Tx) ManifestSave(m CarrierManifest) error {
	rows, err := manifestRow(manifestPut.op, m)
	if err != nil {
		return err
	}
	_, err = tx.bulk(manifestPut, rows)
	return err
}

func scanManifest(r *sql.Rows, m *CarrierManifest) error {
	var body []byte
	var at int64
	if err := r.Scan(&m.ID, &m.Account, &m.Node, &at, &body, &m.Struck); err != nil {
		return err
	}
	m.At = when(at)
	return json.Unmarshal(body, m)
}

// ManifestGet reads one; false: there is none.
func (tx *Tx) ManifestGet(id string) (CarrierManifest, bool, error) {
	return one(tx, manifestGet, scanManifest, id)
}

// ManifestForUpdate is ManifestGet that keeps others from changing it until this transaction ends.
func (tx *Tx) ManifestForUpdate(id string) (CarrierManifest, bool, error) {
	return one(tx, manifestTake, scanManifest, id)
}

// ManifestsAt reads those of a node, the newest first.
func (tx *Tx) ManifestsAt(node string, limit int) ([]CarrierManifest, error) {
	return query(tx, manifestsAt, scanManifest, node, page(limit))
}

// ManifestsPrune forgets manifests made before a time, at most limit, and returns how many.
func (tx *Tx) ManifestsPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(manifestOld, us(before), page(limit))
}

// ManifestParcelsPut puts labels of a node on a manifest; those that are on one stay there. manifest "" says that they were put on a van without.
func (tx *Tx) ManifestParcelsPut(node, manifest string, at time.Time, ps []ManifestParcel) error {
	rows := make([][]any, len(ps))
	for i, p := range ps {
		rows[i] = []any{p.Label(), p.Shipment, node, manifest, us(at), int64(0)}
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) }) // two that do it at once wait for each other in one order
	_, err := tx.bulk(listedPut, rows)
	return err
}

// ManifestParcels reads which shipments are on a manifest, in the order of id.
func (tx *Tx) ManifestParcels(manifest string, limit int) ([]string, error) {
	return query(tx, listedOf, scanOne[string], manifest, page(limit))
}

// ManifestParcelsLeft reads which shipments of a node were put on a van since a time and are on no manifest, the longest gone first.
func (tx *Tx) ManifestParcelsLeft(node string, since time.Time, limit int) ([]string, error) {
	return query(tx, listedLeft, scanOne[string], node, us(since), page(limit))
}

// ManifestParcelsListed returns which of some labels are on a manifest.
func (tx *Tx) ManifestParcelsListed(ps []ManifestParcel) (map[string]bool, error) {
	labels := make([]string, len(ps))
	for i, p := range ps {
		labels[i] = p.Label()
	}
	got, err := query(tx, listedTaken, scanOne[string], labels)
	out := make(map[string]bool, len(got))
	for _, l := range got {
		out[l] = true
	}
	return out, err
}

// ManifestParcelsFree takes all labels off a manifest that was not made.
func (tx *Tx) ManifestParcelsFree(manifest string) error {
	_, err := tx.exec(listedFree, manifest)
	return err
}

// ManifestParcelStrike says that a label was taken back, on a manifest or not.
func (tx *Tx) ManifestParcelStrike(p ManifestParcel) error {
	_, err := tx.exec(listedStrike, p.Label())
	return err
}

// ManifestParcelsPrune forgets labels put on a manifest or a van before a time, at most limit, and returns how many.
func (tx *Tx) ManifestParcelsPrune(before time.Time, limit int) (int64, error) {
	return tx.exec(listedOld, us(before), page(limit))
}
