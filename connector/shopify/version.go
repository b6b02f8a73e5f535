package shopify

import (
	"encoding/json"
	"regexp"
	"strconv"
)

const (
	// DefaultVersion is the API version used where the operator names none.
	DefaultVersion = "2026-10"
	oldestVersion  = "2025-10" // first one whose documents were checked; Shopify serves a version for at least a year
)

// Versions are the API versions whose rules were checked against the vendor's schema or recorded answers.
var Versions = []string{"2025-10", "2026-01", "2026-04", "2026-07", "2026-10"}

// version is an API version, a quarter such as "2026-10". They sort as text.
type version string

var versionForm = regexp.MustCompile(`^20[2-9][0-9]-(01|04|07|10)$`)

// valid reports whether v is a version this package can speak. Later ones are taken to follow the latest rules.
func (v version) valid() bool { return versionForm.MatchString(string(v)) && v >= oldestVersion }

// keyed: mutations take @idempotent(key:). Before 2026-01 the directive does not exist and is an error.
func (v version) keyed() bool { return v >= "2026-01" }

// changeFrom: the compared number is called changeFromQuantity; before it was compareQuantity, on set only. 2026-01 knows both.
func (v version) changeFrom() bool { return v >= "2026-01" }

// setEntry is one quantity of inventorySetQuantities. The two names of the compared number exclude each other.
type setEntry struct {
	Item     string     `json:"inventoryItemId"`
	Location string     `json:"locationId"`
	Quantity int64      `json:"quantity"`
	Compare  *int64     `json:"compareQuantity,omitempty"`
	From     maybeInt64 `json:"changeFromQuantity,omitzero"`
}

// adjustEntry is one change of inventoryAdjustQuantities.
type adjustEntry struct {
	Item     string     `json:"inventoryItemId"`
	Location string     `json:"locationId"`
	Delta    int64      `json:"delta"`
	From     maybeInt64 `json:"changeFromQuantity,omitzero"`
}

type setInput struct {
	Name      string     `json:"name"`
	Reason    string     `json:"reason"`
	Reference string     `json:"referenceDocumentUri,omitempty"`
	Ignore    bool       `json:"ignoreCompareQuantity,omitempty"`
	Entries   []setEntry `json:"quantities"`
}

type adjustInput struct {
	Name      string        `json:"name"`
	Reason    string        `json:"reason"`
	Reference string        `json:"referenceDocumentUri,omitempty"`
	Entries   []adjustEntry `json:"changes"`
}

// compared makes an entry that applies only if the present number is from.
func (v version) compared(e setEntry, from int64) setEntry {
	if v.changeFrom() {
		e.From = maybeInt64{Present: true, Known: true, N: from}
	} else {
		e.Compare = &from
	}
	return e
}

// unchecked makes an entry that applies whatever the present number is.
func (v version) unchecked(e setEntry) setEntry {
	if v.changeFrom() {
		e.From = maybeInt64{Present: true}
	}
	return e
}

// maybeInt64 is a number, an explicit null or an absent field. From 2026-04 on "absent" is an error and "null" means "do not
// compare"; before 2026-01 the mere presence of the field is an error. Serialisers that drop nulls cannot say this.
type maybeInt64 struct {
	Present bool
	Known   bool
	N       int64
}

// MarshalJSON implements json.Marshaler. An absent value is left out by omitzero before it comes here.
func (m maybeInt64) MarshalJSON() ([]byte, error) {
	if !m.Known {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, m.N, 10), nil
}

var _ json.Marshaler = maybeInt64{}
