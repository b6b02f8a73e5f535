package connector

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// maxPages bounds one walk over pages. 20,000 pages of 100 are two million orders: more is a backfill's work.
const maxPages = 20_000

// ErrPaging stops a walk whose pages do not come to an end.
var ErrPaging = errors.New("the channel's pages do not come to an end")

// Orders implements driver.Channel.
func (s *Session) Orders(ctx context.Context, q driver.OrderQuery) (page driver.OrderPage, err error) {
	most := s.vendor.Limits.OrderPage
	if q.Known != nil && s.vendor.Limits.KnownPage > 0 {
		most = s.vendor.Limits.KnownPage
	}
	if q.Limit <= 0 || q.Limit > most {
		q.Limit = most
	}
	err = s.do(ctx, driver.OpOrders, passing, func(ctx context.Context) (err error) {
		page, err = s.channel.Orders(ctx, q)
		return err
	})
	return page, err
}

// OrderPages walks all orders changed at or after from, page by page, oldest change first. It ends after the first error.
// known is OrderQuery.Known: nil for every order in full.
func (s *Session) OrderPages(ctx context.Context, from time.Time, known func(externalID string) (driver.Seen, bool)) iter.Seq2[driver.OrderPage, error] {
	return pages(ctx, driver.OpOrders, func(cursor string) (driver.OrderPage, string, error) {
		p, err := s.Orders(ctx, driver.OrderQuery{UpdatedFrom: from, Cursor: cursor, Known: known})
		return p, p.Next, err
	})
}

// OrdersByID implements driver.Channel for any number of ids: it asks in portions of the vendor's limit.
func (s *Session) OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error) {
	return portions(ids, s.vendor.Limits.OrderIDs, func(ids []string) (facts []order.Fact, err error) {
		err = s.do(ctx, driver.OpOrder, passing, func(ctx context.Context) (err error) {
			facts, err = s.channel.OrdersByID(ctx, ids)
			return err
		})
		return facts, err
	})
}

// TellsCases reports whether the channel tells until when requests of buyers want an answer.
func (s *Session) TellsCases() bool {
	_, ok := s.channel.(driver.CaseReader)
	return ok
}

// CasePages walks the requests of buyers changed at or after from (zero: all). It ends after the first error; a channel that tells of none has
// no pages.
func (s *Session) CasePages(ctx context.Context, from time.Time) iter.Seq2[driver.CasePage, error] {
	r, ok := s.channel.(driver.CaseReader)
	if !ok {
		return func(func(driver.CasePage, error) bool) {}
	}
	return pages(ctx, driver.OpCases, func(cursor string) (p driver.CasePage, next string, err error) {
		err = s.do(ctx, driver.OpCases, passing, func(ctx context.Context) (err error) {
			p, err = r.Cases(ctx, from, cursor)
			return err
		})
		return p, p.Next, err
	})
}

// Locations implements driver.Channel.
func (s *Session) Locations(ctx context.Context) (locations []driver.Location, err error) {
	err = s.do(ctx, driver.OpLocations, passing, func(ctx context.Context) (err error) {
		locations, err = s.channel.Locations(ctx)
		return err
	})
	return locations, err
}

// Listings implements driver.Channel.
func (s *Session) Listings(ctx context.Context, cursor string) (page driver.ListingPage, err error) {
	err = s.do(ctx, driver.OpListings, passing, func(ctx context.Context) (err error) {
		page, err = s.channel.Listings(ctx, cursor)
		return err
	})
	return page, err
}

// ListingPages walks all listings of the shop. It ends after the first error.
func (s *Session) ListingPages(ctx context.Context) iter.Seq2[driver.ListingPage, error] {
	return pages(ctx, driver.OpListings, func(cursor string) (driver.ListingPage, string, error) {
		p, err := s.Listings(ctx, cursor)
		return p, p.Next, err
	})
}

// Quantities implements driver.Channel for any number of listings: it asks in portions of the vendor's limit. Listings
// the channel does not know are left out.
func (s *Session) Quantities(ctx context.Context, refs []driver.ListingRef) ([]driver.Quantity, error) {
	return portions(refs, s.vendor.Limits.ReadQuantities, func(refs []driver.ListingRef) (q []driver.Quantity, err error) {
		err = s.do(ctx, driver.OpQuantities, passing, func(ctx context.Context) (err error) {
			q, err = s.channel.Quantities(ctx, refs)
			return err
		})
		return q, err
	})
}

// Group implements driver.Channel.
func (s *Session) Group(ref driver.ListingRef) string { return s.channel.Group(ref) }

// SubscribeWebhooks implements driver.Channel. Pointing a topic at the same address again changes nothing, so it is
// repeated like a read.
func (s *Session) SubscribeWebhooks(ctx context.Context, address string) (subs []driver.Subscription, err error) {
	err = s.do(ctx, driver.OpWebhooks, passing, func(ctx context.Context) (err error) {
		subs, err = s.channel.SubscribeWebhooks(ctx, address)
		return err
	})
	return subs, err
}

// Backfill streams all orders changed at or after from to emit, by the vendor's export where it has one, else page by
// page. An export that ran into an ended login is begun again once, so emit may see orders twice; after other failures it
// is not repeated here: whoever asked knows what has been seen.
func (s *Session) Backfill(ctx context.Context, from time.Time, emit func(order.Fact) error) error {
	b, ok := s.channel.(driver.Backfiller)
	if !ok {
		return s.backfillByPage(ctx, from, emit)
	}
	var used atomic.Pointer[string]
	export := func(ctx context.Context) error {
		return b.Backfill(context.WithValue(ctx, usedToken{}, &used), from, emit)
	}
	err := export(ctx)
	if err != nil && driver.ClassOf(err) == driver.RefreshLogin {
		renewed := false
		err = s.renew(ctx, used.Load(), &renewed, err, export)
	}
	return s.finish(driver.OpBulk, err)
}

func (s *Session) backfillByPage(ctx context.Context, from time.Time, emit func(order.Fact) error) error {
	for page, err := range s.OrderPages(ctx, from, nil) {
		if err != nil {
			return err
		}
		for _, u := range page.Unreadable {
			s.log.Error("an order cannot be read", "order", u.ID, "why", u.Why)
		}
		for _, f := range page.Orders {
			if err := emit(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// walkPatience is how long a walk under way waits in all for one page that the channel asks to wait for: giving up would throw away the
// pages before it, and a busy shop's sweep would never end.
const walkPatience = 2 * time.Minute

// pages follows cursors to the end, and stops where a channel hands out one it has handed out just before.
func pages[P any](ctx context.Context, op driver.Operation, read func(cursor string) (P, string, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		cursor := ""
		for range maxPages {
			page, next, err := read(cursor)
			for began := time.Now(); err != nil && cursor != "" && time.Since(began) < walkPatience && waited(ctx, err); {
				page, next, err = read(cursor)
			}
			if err != nil {
				yield(page, err)
				return
			}
			if !yield(page, nil) || next == "" {
				return
			}
			if next == cursor {
				break
			}
			cursor = next
		}
		var none P
		yield(none, &driver.Error{Class: driver.GiveUp, Op: op, Cause: ErrPaging})
	}
}

// waited waits for as long as a channel that is alive has asked to. It is false where it has not, or ctx ends first.
func waited(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Class != driver.RetryAfter || e.After > patience || errors.Is(err, circuitbreaker.ErrOpen) {
		return false
	}
	t := time.NewTimer(e.After)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// portions calls ask with at most limit items at a time and joins the answers. It stops at the first error and returns
// what came before it.
func portions[T, R any](items []T, limit int, ask func([]T) ([]R, error)) ([]R, error) {
	var out []R
	for part := range slices.Chunk(items, limit) {
		got, err := ask(part)
		if err != nil {
			return out, err
		}
		out = append(out, got...)
	}
	return out, nil
}
