package ops

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// rulebook is what each connected shop is judged by: its channel's rules for its market, with the operator's overrides. It is never changed; a
// change makes a new one.
type rulebook struct {
	of map[string]*judged // by connection; none: its channel has no rules for its market
	// kind is what sort of shop a connection is, in the words of the rules.
	kind map[string]string
	// sign changes when any shop's rules do, or a shop comes.
	sign string
}

// judged is the rules of one market of one vendor.
type judged struct {
	rules *policy.RuleSet
	judge *health.Judge
	keys  string // hash of how orders count: a limit that moves does not change it
}

// judge of a connection; nil: nothing is known of how it is judged.
func (b *rulebook) judge(connection string) *health.Judge {
	if j := b.of[connection]; j != nil {
		return j.judge
	}
	return nil
}

// followRules takes over new shops and changed overrides, whoever made them.
func (x *Ops) followRules(ctx context.Context) error {
	var conns []store.Connection
	var overrides []store.PolicyOverride
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if conns, err = tx.ConnectionList(); err != nil {
			return err
		}
		overrides, err = tx.PolicyOverrides()
		return err
	})
	if err != nil {
		return errs.Wrap("ops.followRules", "", err)
	}
	overrides = slices.DeleteFunc(overrides, func(o store.PolicyOverride) bool { return !o.RevokedAt.IsZero() })
	sign := x.rulesSign(conns, overrides)
	if x.rules.Load().sign == sign {
		return nil
	}
	next, err := x.newRulebook(conns, overrides)
	if err != nil {
		return err
	}
	next.sign = sign
	x.rules.Store(next)
	return nil
}

// rulesSign is a hash of all a rulebook is made of.
func (x *Ops) rulesSign(conns []store.Connection, overrides []store.PolicyOverride) string {
	h := sha256.New()
	slices.SortFunc(conns, func(a, b store.Connection) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range conns {
		fmt.Fprintf(h, "%q %q %q %q\n", c.ID, c.Vendor, c.Region, c.ShopSettings[driver.ShopKind])
		if v, ok := x.vendors[c.Vendor]; ok {
			for _, p := range v.Describe().Policies {
				fmt.Fprintf(h, "%q %d\n", p.Market, len(p.YAML))
				h.Write(p.YAML)
			}
		}
	}
	for _, o := range overrides {
		fmt.Fprintf(h, "%q %q %q\n", o.ID, o.Market, o.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func (x *Ops) newRulebook(conns []store.Connection, overrides []store.PolicyOverride) (*rulebook, error) {
	b := &rulebook{of: map[string]*judged{}, kind: map[string]string{}}
	made := map[[2]string]*judged{}
	for _, c := range conns {
		key := [2]string{c.Vendor, c.Region}
		j, known := made[key]
		if !known {
			var err error
			if j, err = x.rulesOf(c.Vendor, c.Region, overrides); err != nil {
				j, err = x.rulesOf(c.Vendor, c.Region, x.fitting(c.Vendor, c.Region, overrides))
			}
			if err != nil {
				return nil, err
			}
			made[key] = j
		}
		if j != nil {
			b.of[c.ID], b.kind[c.ID] = j, c.ShopSettings[driver.ShopKind]
		}
	}
	return b, nil
}

// fitting are the overrides that fit the shipped rules of a market. One that does not any more, after a new version dropped what it speaks of, is
// told and left out: shops must be judged all the same.
func (x *Ops) fitting(vendor, market string, overrides []store.PolicyOverride) (own []store.PolicyOverride) {
	for _, o := range overrides {
		if o.Market != market {
			continue
		}
		if _, err := x.rulesOf(vendor, market, append(own, o)); err != nil {
			x.log.Warn("a rule of the operator's does not fit the shipped rules any more and is left out", "override", o.ID, "market", market, "err", err)
			continue
		}
		own = append(own, o)
	}
	return own
}

// rulesOf is what shops of a vendor in a market are judged by; nil: the vendor ships no rules for it.
func (x *Ops) rulesOf(vendor, market string, overrides []store.PolicyOverride) (*judged, error) {
	v, ok := x.vendors[vendor]
	if !ok {
		return nil, nil
	}
	for _, p := range v.Describe().Policies {
		if p.Market != market {
			continue
		}
		rules, err := policy.Decode(bytes.NewReader(p.YAML))
		if err != nil {
			return nil, errs.Wrap("ops.rulesOf", vendor+" "+market, err)
		}
		var own []policy.Override
		for _, o := range overrides {
			if o.Market != market {
				continue
			}
			var one policy.Override
			if err := json.Unmarshal(o.Data, &one); err != nil {
				return nil, errs.Wrap("ops.rulesOf", o.ID, err)
			}
			own = append(own, one)
		}
		if rules, err = rules.With(own); err != nil {
			return nil, errs.Wrap("ops.rulesOf", market, err)
		}
		j := &judged{rules: rules, judge: health.NewJudge(rules)}
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", j.judge.Keys()))
		j.keys = hex.EncodeToString(sum[:12])
		return j, nil
	}
	return nil, nil
}
