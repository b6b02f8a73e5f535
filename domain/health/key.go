package health

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/spillway/spillway/domain/policy"
)

// evaluator is the version of this package's reading of the rules. Raise it when the same order and rule come to count differently, so that
// figures are counted anew and never mixed.
const evaluator = 1

// Key is the name under which a rate's figures are kept: its ID and a short hash of all that decides how orders count in it, so that the
// figures of a rule that changed never mix with older ones. Where a limit lies and where a number comes from do not matter to it.
func Key(rs *policy.RuleSet, r policy.Rate) string {
	r.Cited = policy.Cited{}
	text, err := json.Marshal(struct {
		Evaluator int
		Zone      string
		Rate      policy.Rate
	}{evaluator, rs.Location().String(), r})
	if err != nil {
		panic("health: a rate has no JSON form: " + err.Error()) // it is made of strings and numbers
	}
	sum := sha256.Sum256(text)
	return r.ID + "@" + hex.EncodeToString(sum[:4])
}
