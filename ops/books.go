package ops

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// bookSet is exposure books as they were read, with the rows' revisions to save them over.
type bookSet struct {
	allocation.Books
	row map[string]int64
}

// loadBooks reads the exposure books of listings. A listing whose book is not opened yet is left out.
func (x *Ops) loadBooks(tx *store.Tx, listings []string) (bookSet, error) {
	set := bookSet{Books: allocation.Books{}, row: map[string]int64{}}
	rows, err := tx.BooksGet(listings)
	if err != nil {
		return set, err
	}
	for _, r := range rows {
		book, err := x.opened.read(r)
		if err != nil {
			return set, err
		}
		set.Books[r.ListingID], set.row[r.ListingID] = book, r.Revision
	}
	return set, nil
}

// openedBooks keeps decoded books by the revision of their rows: a hot listing's book is read many times between two changes. Books are
// values whose transitions share nothing, so one may be handed out any number of times. A transaction reads its books before it saves any:
// a revision it has written itself could still be rolled back, and another one's content would bear the same number.
type openedBooks struct{ byListing sync.Map }

type openedBook struct {
	revision int64
	book     allocation.Book
}

func (o *openedBooks) read(r store.BookRow) (allocation.Book, error) {
	if v, ok := o.byListing.Load(r.ListingID); ok {
		if b := v.(openedBook); b.revision == r.Revision {
			return b.book, nil
		}
	}
	book, err := readBook(r)
	if err == nil {
		o.byListing.Store(r.ListingID, openedBook{r.Revision, book})
	}
	return book, err
}

// forget drops all: a database that failed over may have lost the newest revisions and give their numbers again.
func (o *openedBooks) forget() { o.byListing.Clear() }

// last is the book as this process last read it: good enough to decide whether to look.
func (o *openedBooks) last(listing string) (allocation.Book, bool) {
	v, ok := o.byListing.Load(listing)
	if !ok {
		return allocation.Book{}, false
	}
	return v.(openedBook).book, true
}

func readBook(r store.BookRow) (allocation.Book, error) {
	var b allocation.Book
	if err := json.Unmarshal(r.State, &b); err != nil {
		return b, &errs.Error{Kind: errs.Internal, Op: "ops.readBook", Item: r.ListingID, Safe: "the stored exposure book cannot be read", Cause: err}
	}
	return b, b.Check()
}

// saveBooks writes the books named, which belong to set.
func (x *Ops) saveBooks(tx *store.Tx, set bookSet, dirty []string) error {
	rows := make([]store.BookRow, 0, len(dirty))
	cat := x.catalog.Load()
	for _, id := range dirty {
		b := set.Books[id]
		state, err := json.Marshal(b)
		if err != nil {
			return err
		}
		told := int64(b.Told)
		rows = append(rows, store.BookRow{
			ListingID: id, ConnectionID: cat.listings[id].ConnectionID, Told: &told,
			Exposure: int64(max(0, b.Exposure)), // below 0 when a channel sold what nobody gave it; the state keeps that
			Desired:  int64(desired(b)), Revision: set.row[id], State: state,
		})
	}
	return tx.BooksSave(rows)
}

// bookChange is one transition asked for on the books of some listings.
type bookChange struct {
	listings []string
	by       *grip // the owner's, where only the owner of the connection may say this; nil: anybody may
	// apply changes a book. open says whether the book exists; an unopened one has its listing id only. Changing nothing
	// means returning the same revision.
	apply func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error)
	// also runs in the same transaction, for logs that belong to the change.
	also func(tx *store.Tx) error
}

// bookState is what the books became. A book whose transition was refused is in failed.
type bookState struct {
	books  allocation.Books
	drifts []allocation.Drift
	failed map[string]error
	taken  bool // refused: the connection is another process's by now
}

// change runs a transition and returns when it is durable.
// Errors: Conflict (the one who asks is no longer the owner of the connection).
func (x *Ops) change(ctx context.Context, c bookChange) (bookState, error) {
	s, err := x.results.Do(ctx, c)
	if err == nil && s.taken {
		err = errTaken("ops.change", c.by)
	}
	return s, err
}

func (x *Ops) changeBooks(ctx context.Context, cs []bookChange, next func()) ([]bookState, error) {
	var out []bookState
	err := x.st.UpdateAhead(ctx, func(tx *store.Tx) error {
		out = make([]bookState, len(cs))
		var ids []string
		grips := make([]*grip, len(cs))
		for i, c := range cs {
			ids, grips[i] = append(ids, c.listings...), c.by
		}
		lost, err := fence(tx, grips...)
		if err != nil {
			return err
		}
		set, err := x.loadBooks(tx, unique(ids))
		if err != nil {
			return err
		}
		changed := map[string]bool{}
		for i, c := range cs {
			if out[i].taken = lost[c.by]; out[i].taken {
				continue
			}
			out[i] = applyChange(c, set.Books, changed, tx.Now())
			if err := x.recordDrift(tx, out[i].drifts); err != nil {
				return err
			}
			if c.also != nil {
				if err := c.also(tx); err != nil {
					return err
				}
			}
		}
		return x.saveBooks(tx, set, slices.Sorted(maps.Keys(changed)))
	}, next)
	return out, err
}

func applyChange(c bookChange, books allocation.Books, changed map[string]bool, at time.Time) bookState {
	s := bookState{books: allocation.Books{}, failed: map[string]error{}}
	for _, id := range c.listings {
		b, open := books[id]
		if !open {
			b = allocation.Book{Listing: id}
		}
		next, drift, err := c.apply(b, open, at)
		if err != nil {
			s.failed[id] = err
			continue
		}
		if drift != nil {
			s.drifts = append(s.drifts, *drift)
		}
		if next.Revision != b.Revision || (!open && next.Version != 0) {
			books[id], changed[id] = next, true
		}
		s.books[id] = next
	}
	return s
}

// recordDrift keeps who, what and when of a number that was not what it should have been.
func (x *Ops) recordDrift(tx *store.Tx, drifts []allocation.Drift) error {
	for _, d := range drifts {
		expected := int64(d.Most)
		if d.Found < d.Least {
			expected = int64(d.Least)
		}
		x.gauges.drifts.Add(1)
		row := store.Drift{ListingID: d.Listing, FoundAt: d.At, Expected: expected, Found: int64(d.Found), Actor: "changed on the channel"}
		if err := tx.DriftAppend([]store.Drift{row}); err != nil {
			return err
		}
		data, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if err := tx.EventsAppend([]store.Event{{At: d.At, Kind: "listing.drift", Subject: d.Listing, Data: data}}); err != nil {
			return err
		}
	}
	return nil
}

// endOpenFlights ends what the last owner of a connection left open, a crash of ours or another process: nobody knows what became of its
// pushes, and its reads are void.
func (x *Ops) endOpenFlights(ctx context.Context, conn string, by *grip) error {
	for chunk := range chunks(x.catalog.Load().ofConn[conn], resultBatch) {
		_, err := x.change(ctx, bookChange{listings: chunk, by: by, apply: func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error) {
			if !open {
				return b, nil, nil
			}
			if b.Reading != nil {
				b = b.ReadFailed(b.Reading.ID, at, at)
			}
			if b.InFlight == nil {
				return b, nil, nil
			}
			next, err := b.PushUnknown(b.InFlight.Push.ID, at)
			return next, nil, err
		}})
		if err != nil {
			return errs.Wrap("ops.endOpenFlights", conn, err)
		}
	}
	return nil
}

func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := ids[:0:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// chunks cuts ids into portions of at most n.
func chunks[T any](ids []T, n int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(ids) > 0 {
			k := min(n, len(ids))
			if !yield(ids[:k]) {
				return
			}
			ids = ids[k:]
		}
	}
}
