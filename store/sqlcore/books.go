package sqlcore

import (
	"database/sql"
	"encoding/json"
	"time"
)

// BookRow is what we know of one listing's number: what the channel was told, what it should be told, and the most it could still sell
// unseen. State belongs to domain/allocation and is opaque here.
type BookRow struct {
	ListingID, ConnectionID string
	Told                    *int64 // nil: never confirmed
	Exposure, Desired       int64
	Revision                int64 // as it was read; 0: new. Saving over any other revision runs the transaction again
	State                   json.RawMessage
	UpdatedAt               time.Time
}

var (
	bookCols = []col{{"listing_id", text}, {"connection_id", text}, {"told", bigintOrNull}, {"exposure", bigint}, {"desired", bigint}, {"state", text},
		{"updated_at", bigint}, {"revision", bigint}}
	bookList = "listing_id, connection_id, told, exposure, desired, state, updated_at, revision"

	bookInsert = insert("store.BooksSave", "channel_book", bookCols, "ON CONFLICT (listing_id) DO NOTHING")
	bookUpdate = update("store.BooksSave", "channel_book", bookCols[1:], bookCols[:1], "revision")
	booksGet   = def("store.BooksGet", "SELECT "+bookList+" FROM channel_book WHERE @in(listing_id, $1) ORDER BY listing_id")
	booksTake  = def("store.BooksGet", "SELECT "+bookList+" FROM channel_book WHERE @in(listing_id, $1) ORDER BY listing_id @lock(FOR NO KEY UPDATE)")
)

func scanBook(r *sql.Rows, b *BookRow) error {
	var told sql.NullInt64
	var state []byte
	var updated int64
	err := r.Scan(&b.ListingID, &b.ConnectionID, &told, &b.Exposure, &b.Desired, &state, &updated, &b.Revision)
	if told.Valid {
		b.Told = &told.Int64
	}
	b.State, b.UpdatedAt = state, when(updated)
	return err
}

// BooksGet reads the books of listings. Listings without one are left out. In Update this read locks them, in the order of listings: an
// owner's answers and another process's intake of sales change the books of a hot listing at the same time. Read it after
// BalancesForUpdate of their items, and all books of a transaction at once.
func (tx *Tx) BooksGet(listingIDs []string) ([]BookRow, error) {
	if len(listingIDs) == 0 {
		return nil, nil
	}
	if tx.readOnly {
		return query(tx, booksGet, scanBook, listingIDs)
	}
	return query(tx, booksTake, scanBook, listingIDs)
}

// BooksSave writes books as they were read and changed; Revision grows by one in the database. If another transaction has saved one of them
// meanwhile, this one runs again.
func (tx *Tx) BooksSave(books []BookRow) error {
	var fresh, old [][]any
	for _, b := range books {
		if b.UpdatedAt.IsZero() {
			b.UpdatedAt = tx.now
		}
		if len(b.State) == 0 {
			b.State = json.RawMessage("{}")
		}
		var told any
		if b.Told != nil {
			told = *b.Told
		}
		row := []any{b.ListingID, b.ConnectionID, told, b.Exposure, b.Desired, string(b.State), us(b.UpdatedAt), b.Revision + 1}
		if b.Revision == 0 {
			fresh = append(fresh, row)
		} else {
			old = append(old, append(append(append([]any{}, row[1:]...), b.ListingID), b.Revision))
		}
	}
	if n, err := tx.bulk(bookInsert, fresh); err != nil {
		return err
	} else if n != int64(len(fresh)) {
		return tx.stale("store.BooksSave", "book")
	}
	if n, err := tx.bulk(bookUpdate, old); err != nil {
		return err
	} else if n != int64(len(old)) {
		return tx.stale("store.BooksSave", "book")
	}
	return nil
}
