package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/store"
)

const (
	// heardStream is the stream of an account's watermark: when its latest webhook came.
	heardStream = "heard"
	// heardEvery is how often that is written down, however many come.
	heardEvery = time.Minute
	// unheardAfter is how long an account must have told nothing for that to be said. A list may be long in reading; what is decided at its end waits for it.
	unheardAfter = 6 * time.Hour
)

// heardLately is when it was written down last that an account's webhook came, so that not every one is a write.
type heardLately struct {
	mu sync.Mutex
	at map[string]time.Time
}

// heardOf remembers that an account's webhook came. It is a matter of days: that it cannot be written now and then does no harm.
func (x *Ops) heardOf(ctx context.Context, account string) {
	now := x.now()
	h := &x.hooked
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.at[account]) < heardEvery {
		return
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error { return tx.WatermarkSet(account, heardStream, store.Watermark{At: now}) })
	if err != nil {
		x.complain(err, "it is not written down when a carrier was heard last")
		return
	}
	if h.at == nil {
		h.at = map[string]time.Time{}
	}
	h.at[account] = now
}

// hearing is when accounts that tell of parcels were heard last: a webhook came, or their news was read to its end, even where there was none. Accounts
// that are in use and were never heard are in it with the zero time; those that were removed, or tell of nothing, are not.
type hearing map[string]heardAccount

type heardAccount struct {
	store.CarrierAccount
	last time.Time
}

func (x *Ops) hearing(tx *store.Tx) (hearing, error) {
	all, err := tx.CarrierAccounts()
	if err != nil {
		return nil, err
	}
	out := hearing{}
	for _, a := range all {
		c, ok := x.carriers[a.Carrier]
		if !ok || !slices.Contains(c.Describe().Can, driver.CanFollow) {
			continue
		}
		h := heardAccount{CarrierAccount: a}
		for _, stream := range []string{parcelStream, heardStream} {
			mark, err := tx.WatermarkGet(a.ID, stream)
			if err != nil {
				return nil, err
			}
			if mark.At.After(h.last) {
				h.last = mark.At
			}
		}
		out[a.ID] = h
	}
	return out, nil
}

// watch is what is waited for of a parcel, in the light of when its account was heard last.
func (h hearing) watch(s *store.Shipment, at time.Time) (tracking.Finding, bool) {
	f, waits := s.Watch(at)
	if a, tells := h[s.Account]; waits && tells {
		f = f.Heard(a.last, at)
	}
	return f, waits
}

// WatchParcels is what is waited for of parcels on their way, by id: parcels of which nothing is waited for are left out.
func (x *Ops) WatchParcels(ctx context.Context, all []store.Shipment, at time.Time) (map[string]tracking.Finding, error) {
	out := map[string]tracking.Finding{}
	err := x.st.View(ctx, func(tx *store.Tx) error {
		h, err := x.hearing(tx)
		for i := range all {
			if f, waits := h.watch(&all[i], at); waits {
				out[all[i].ID] = f
			}
		}
		return err
	})
	return out, err
}

// unheardSignals say of accounts that they tell nothing, by how many of their parcels nobody can say whether they are stuck.
func (h hearing) unheardSignals(parcels map[string]int64, at time.Time) (out []alert.Signal) {
	for id, n := range parcels {
		a := h[id]
		if at.Sub(a.last) <= unheardAfter {
			continue
		}
		since := "has told nothing of any parcel yet"
		if !a.last.IsZero() {
			since = "has told nothing of any parcel since " + utcTime(a.last) + " UTC"
		}
		out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.CarrierUnheard, Subject: id},
			Text:    fmt.Sprintf("The carrier account %s %s: of %s nobody can say whether they are stuck.", a.Name, since, plural(n, "parcel", "parcels")),
			Next:    "Look at its calls on the page of carriers, and whether its webhooks come; ask the carrier itself about parcels that are urgent.",
			Figures: []alert.Figure{{Name: "parcels", Value: n}}})
	}
	slices.SortFunc(out, func(a, b alert.Signal) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}
