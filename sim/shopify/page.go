package shopify

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

// maxPage is the largest page of a connection.
const maxPage = 250

// cursor is where a page ended: the last object and, for lists sorted by time, its second.
type cursor struct {
	ID int64 `json:"last_id"`
	At int64 `json:"last_value,omitempty"`
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // two numbers
	return base64.StdEncoding.EncodeToString(b)
}

func parseCursor(s string) (cursor, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	var c cursor
	return c, err == nil && json.Unmarshal(b, &c) == nil && c.ID > 0
}

// window is the page a client asked for. A backward one (last, before) is read from the end and turned round.
type window struct {
	size     int
	backward bool
	from     *cursor
}

// page reads the paging arguments of a connection.
func page(x *graphql.Exec, args graphql.Args) (window, *graphql.Error) {
	if x.Bulk {
		return window{size: int(^uint(0) >> 1)}, nil
	}
	first, hasFirst := args.Int("first")
	last, hasLast := args.Int("last")
	w := window{size: first, backward: !hasFirst && hasLast}
	from := args.Str("after")
	if w.backward {
		w.size, from = last, args.Str("before")
	}
	switch {
	case !hasFirst && !hasLast:
		return w, graphql.Errorf("BAD_REQUEST", "you must provide one of first or last")
	case hasFirst && hasLast:
		return w, graphql.Errorf("BAD_REQUEST", "providing both first and last is not supported")
	case w.size < 1 || w.size > maxPage:
		return w, graphql.Errorf("BAD_REQUEST", "The page size of %s must be between 1 and %d", x.FieldName(), maxPage)
	}
	if from != "" {
		c, ok := parseCursor(from)
		if !ok {
			return w, graphql.Errorf("INVALID_CURSOR", "Invalid cursor for current pagination sort.")
		}
		w.from = &c
	}
	return w, nil
}

// connect makes a page of a list that is sorted already. id gives a node's number. The list is not kept.
func connect[T any](x *graphql.Exec, args graphql.Args, list []T, id func(T) int64, match filter) any {
	w, err := page(x, args)
	if err != nil {
		return err
	}
	if args.Bool("reverse") != w.backward {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	if w.from != nil {
		i := slices.IndexFunc(list, func(v T) bool { return id(v) == w.from.ID })
		if i < 0 {
			return graphql.Errorf("INVALID_CURSOR", "Invalid cursor for current pagination sort.")
		}
		list = list[i+1:]
	}
	p := newPager(w)
	for _, v := range list {
		if match != nil && !match(v) {
			continue
		}
		if !p.add(v, cursor{ID: id(v)}) {
			break
		}
	}
	return p.connection()
}

// pager fills a page and looks one node ahead.
type pager struct {
	w    window
	conn graphql.Connection
	more bool
}

func newPager(w window) *pager { return &pager{w: w, conn: graphql.Connection{Nodes: []any{}}} }

// add takes a node; false when the page was full already.
func (p *pager) add(v any, c cursor) bool {
	if len(p.conn.Nodes) >= p.w.size {
		p.more = true
		return false
	}
	p.conn.Nodes = append(p.conn.Nodes, v)
	p.conn.Cursors = append(p.conn.Cursors, c.String())
	return true
}

func (p *pager) connection() *graphql.Connection {
	c := &p.conn
	c.HasNext, c.HasPrevious = p.more, p.w.from != nil
	if p.w.backward {
		slices.Reverse(c.Nodes)
		slices.Reverse(c.Cursors)
		c.HasNext, c.HasPrevious = c.HasPrevious, c.HasNext
	}
	return c
}
