package packing_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/packing"
	"github.com/spillway/spillway/kit/errs"
)

// FuzzPack feeds orders as they come from outside: whatever Check lets through is packed validly, and the rest is refused as invalid.
func FuzzPack(f *testing.F) {
	for _, seed := range []string{
		`{"Items":[{"ID":"a","Units":3,"Size":{"L":10,"W":20,"H":30},"Grams":5}],"Cartons":[{"ID":"A","Inner":{"L":30,"W":30,"H":30},"Outer":{"L":31,"W":31,"H":31}}]}`,
		`{"Items":[{"ID":"a","Units":2,"Size":{"L":9,"W":9,"H":9},"Upright":4,"Fragile":true,"MaxOnTop":7,"Grams":8}],"Cartons":[{"ID":"A","Inner":{"L":20,"W":20,"H":20},"Outer":{"L":20,"W":20,"H":20},"Padding":10,"Stock":1,"MaxGrams":4}]}`,
		`{"Items":[{"ID":"a","Units":1001,"Size":{"L":1,"W":1,"H":1}}],"Cartons":null}`,
		`{"Items":[{"ID":"x","Units":1,"Size":{"L":20000,"W":1,"H":20000},"Alone":true}],"Rules":{"Support":51,"Effort":1,"MaxGrams":9223372036854775807}}`,
		`{}`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var o struct {
			Items   []packing.Item
			Cartons []packing.Carton
			Rules   struct {
				MaxGrams        int64
				Support, Effort int
			}
		}
		if json.Unmarshal(in, &o) != nil {
			return
		}
		order := packing.Order{Items: o.Items, Cartons: o.Cartons, Rules: packing.Rules{MaxGrams: o.Rules.MaxGrams, Support: o.Rules.Support, Effort: min(o.Rules.Effort, 1000)}}
		p, err := packing.Pack(order)
		if (err == nil) != (order.Check() == nil) || err != nil && !errs.Is(err, errs.Invalid) {
			t.Fatal(err)
		}
		if err == nil {
			if faults := check(order, p); len(faults) > 0 {
				t.Fatal(strings.Join(faults, "\n"))
			}
		}
	})
}
