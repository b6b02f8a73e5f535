package ops

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// routingHistory is the setting with who said what of routing, the newest first; routingKept versions of it are kept.
	routingHistory, routingKept = "routing.history", 50
)

// RoutingSaid is one version of the rules.
type RoutingSaid struct {
	Version int64          `json:"version"`
	At      time.Time      `json:"at"`
	Actor   string         `json:"actor"`
	Rules   *routing.Rules `json:"rules"` // nil: back to the usual ones
}

// RoutingRules are the rules orders are routed by, and their history, the newest first.
func (x *Ops) RoutingRules(ctx context.Context) (rules routing.Rules, history []RoutingSaid, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		rules, history, err = routingSaid(tx)
		return err
	})
	return rules, history, errs.Wrap("ops.RoutingRules", "", err)
}

func routingSaid(tx *store.Tx) (rules routing.Rules, history []RoutingSaid, err error) {
	nodes, err := tx.Nodes()
	if err != nil {
		return rules, nil, err
	}
	if rules, err = routeRules(tx, nodes); err != nil {
		return rules, nil, err
	}
	text, found, err := tx.SettingGet(routingHistory)
	if err != nil || !found {
		return rules, nil, err
	}
	return rules, history, errs.Wrap("ops.RoutingRules", routingHistory, json.Unmarshal([]byte(text), &history))
}

// SaveRouting says what the seller wants of routing; nil rules are the usual ones. Orders are routed by them from within routeFresh on.
// Errors: Invalid; Conflict (somebody else has said something since version).
func (x *Ops) SaveRouting(ctx context.Context, rules *routing.Rules, version int64, actor string) error {
	const op = "ops.SaveRouting"
	if rules != nil {
		if err := rules.Check(); err != nil {
			return err
		}
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		_, history, err := routingSaid(tx)
		if err != nil {
			return err
		}
		var last int64
		if len(history) > 0 {
			last = history[0].Version
		}
		if last != version {
			return errs.New(errs.Conflict, op, "", "%s has changed the rules meanwhile: open them again", history[0].Actor)
		}
		said := RoutingSaid{Version: last + 1, At: tx.Now(), Actor: actor, Rules: rules}
		history = slices.Insert(history, 0, said)
		if err := tx.SettingSet(routingHistory, string(jsonOf(history[:min(len(history), routingKept)]))); err != nil {
			return err
		}
		if rules == nil {
			nodes, err := tx.Nodes()
			if err != nil {
				return err
			}
			usual := defaultRouting(routeCurrency(nodes))
			rules = &usual
		}
		if err := tx.SettingSet(routingSetting, string(jsonOf(rules))); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: "routing.saved", Subject: "routing", Data: jsonOf(map[string]any{"by": actor, "version": said.Version})}})
	})
	if err != nil {
		return errs.Wrap(op, "", err)
	}
	x.network.stale()
	x.live.notify(RoutingTopic)
	return nil
}

// RoutingTopic is the live notice of routing rules, of a wave, and of what was done about capacity.
const RoutingTopic = "routing"

// stale has the network worked out anew for the next order.
func (n *routeNet) stale() {
	n.mu.Lock()
	n.made = time.Time{}
	n.mu.Unlock()
}
