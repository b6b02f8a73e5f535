package health

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/spillway/spillway/domain/policy"
)

// evaluator is the version of this package's reading of the rules. Raise it when the same order and rule come to count differently, so that
// figures are counted anew and never mixed.
const evaluator = 2

// Key is the name under which a rate's figures are kept: its ID and a short hash of all that decides how orders count in it, so that the
// figures of a rule that changed never mix with older ones. Where a limit lies and where a number comes from do not matter to it; business days
// and the rules for deadlines matter to the rates that judge by them.
func Key(rs *policy.RuleSet, r policy.Rate) string {
	r.Cited = policy.Cited{}
	basis := basis{Evaluator: evaluator, Zone: rs.Location().String(), Rate: r}
	switch r.Test {
	case policy.ReadyLate, policy.HandedOverLate, policy.DeliveredOnTime, policy.DeliveredWithin:
		basis.judgeTimes(rs)
	}
	if r.Anchor == policy.AtDeliverBy {
		basis.judgeTimes(rs)
	}
	text, err := json.Marshal(basis)
	if err != nil {
		panic("health: a rate has no JSON form: " + err.Error()) // it is made of strings and numbers
	}
	sum := sha256.Sum256(text)
	return r.ID + "@" + hex.EncodeToString(sum[:4])
}

// basis is all that decides how orders count in a rate.
type basis struct {
	Evaluator int
	Zone      string
	Rate      policy.Rate
	Business  policy.Business
	Closures  []policy.Closure
	Deadlines []policy.DeadlineRule
}

func (b *basis) judgeTimes(rs *policy.RuleSet) {
	b.Business, b.Closures, b.Deadlines = rs.Business, nil, nil
	b.Business.Cited = policy.Cited{}
	for _, c := range rs.Closures {
		if !c.Announced {
			c.Cited = policy.Cited{}
			b.Closures = append(b.Closures, c)
		}
	}
	for _, d := range rs.DeadlineRules {
		if !d.Announced {
			d.Cited = policy.Cited{}
			b.Deadlines = append(b.Deadlines, d)
		}
	}
}
