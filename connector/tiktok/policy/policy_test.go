package policy

import (
	"bytes"
	"testing"

	"github.com/spillway/spillway/domain/policy"
)

func TestEveryShippedRuleSetIsWhole(t *testing.T) {
	for _, p := range All() {
		rs, err := policy.Decode(bytes.NewReader(p.YAML))
		if err != nil {
			t.Errorf("%s: %v", p.Market, err)
			continue
		}
		if rs.Market != p.Market {
			t.Errorf("the file of %s is for %s", p.Market, rs.Market)
		}
	}
}
