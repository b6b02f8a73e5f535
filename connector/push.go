package connector

import (
	"context"
	"errors"
	"slices"

	"github.com/spillway/spillway/connector/driver"
)

// Batches sorts pushes into calls: each batch is of one Group and no longer than the vendor's limit. The order of first
// appearance is kept, so the most urgent push decides where its batch stands.
func (s *Session) Batches(pushes []driver.Push) [][]driver.Push {
	byGroup := map[string]int{} // group: index of its latest batch
	var out [][]driver.Push
	for _, p := range pushes {
		g := s.channel.Group(p.Ref)
		i, ok := byGroup[g]
		if !ok || len(out[i]) >= s.vendor.Limits.SetQuantities {
			i = len(out)
			byGroup[g] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}

// SetQuantities implements driver.Channel with a stronger promise: there is exactly one Result per push, in order, and
// the error is always nil, since every failure stands in the results. A push is repeated only while it is sure that the
// channel did not apply it; whatever may have been applied is Unknown.
func (s *Session) SetQuantities(ctx context.Context, pushes []driver.Push) ([]driver.Result, error) {
	results := make([]driver.Result, len(pushes))
	at := make(map[string]int, len(pushes)) // push id: index
	named := map[[3]string]bool{}           // listings that have a push already
	var rest []driver.Push
	for i, p := range pushes {
		results[i] = driver.Result{PushID: p.ID, After: -1}
		if why := s.wrong(pushes, p, at, named); why != "" {
			results[i].Outcome = driver.Refused
			results[i].Err = &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Message: why}
			continue
		}
		at[p.ID], named[listing(p.Ref)] = i, true
		rest = append(rest, p)
	}
	var err error
	if len(rest) > 0 {
		err = s.do(ctx, driver.OpSet, surelyNotApplied, func(ctx context.Context) error {
			got, err := s.channel.SetQuantities(ctx, rest)
			for _, r := range got {
				i, ok := at[r.PushID]
				if !ok || results[i].Outcome != "" {
					continue
				}
				if r.Err != nil {
					r.Err = clean(r.Err, s.secrets...)
				}
				results[i] = r
			}
			rest = slices.DeleteFunc(rest, func(p driver.Push) bool { return results[at[p.ID]].Outcome != "" })
			return err
		})
	}
	for _, p := range rest {
		results[at[p.ID]] = withoutAnswer(p, err)
	}
	for _, r := range results {
		s.hooks.pushed(s.vendor.Vendor, r.Outcome)
	}
	return results, nil
}

// withoutAnswer is the result of a push that the channel said nothing about.
func withoutAnswer(p driver.Push, err error) driver.Result {
	r := driver.Result{PushID: p.ID, After: -1, Outcome: driver.Unknown}
	switch e, ok := errors.AsType[*driver.Error](err); {
	case err == nil:
		r.Err = &driver.Error{Class: driver.Retry, Op: driver.OpSet, Applied: true, Message: "the answer does not speak of this push"}
	case ok:
		r.Err = e
		if !e.Applied {
			r.Outcome = driver.Refused
		}
	}
	return r
}

// wrong says why a push cannot be sent at all; empty if it can.
func (s *Session) wrong(all []driver.Push, p driver.Push, earlier map[string]int, named map[[3]string]bool) string {
	_, repeated := earlier[p.ID]
	limit := s.vendor.Limits.MaxQuantity
	switch {
	case p.ID == "":
		return "the push has no id"
	case repeated:
		return "the push id occurs twice in one call"
	case named[listing(p.Ref)]:
		return "the listing occurs twice in one call"
	case len(all) > s.vendor.Limits.SetQuantities:
		return "more pushes than one call may carry"
	case s.channel.Group(p.Ref) != s.channel.Group(all[0].Ref):
		return "the pushes of one call must be of one group"
	case p.Kind != driver.Absolute && p.Kind != driver.CompareAndSet && p.Kind != driver.DeltaWrite:
		return "the push is of an unknown kind"
	case p.Kind != driver.DeltaWrite && p.Quantity < 0:
		return "a quantity cannot be negative"
	case limit > 0 && (p.Quantity > limit || p.Quantity < -limit):
		return "the quantity is beyond what the channel takes"
	}
	return wrongSplit(p)
}

func wrongSplit(p driver.Push) string {
	if len(p.Split) == 0 {
		return ""
	}
	var sum int64
	for location, n := range p.Split {
		if n < 0 && p.Kind != driver.DeltaWrite {
			return "a quantity cannot be negative"
		}
		if len(p.Ref.Locations) > 0 && !slices.Contains(p.Ref.Locations, location) {
			return "the split names a location the listing does not have"
		}
		sum += n
	}
	if sum != p.Quantity {
		return "the split does not sum to the quantity"
	}
	return ""
}

// listing is what makes two refs the same listing.
func listing(r driver.ListingRef) [3]string { return [3]string{r.ProductID, r.SKUID, r.ItemRef} }
