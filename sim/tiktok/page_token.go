package tiktok

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strconv"
)

// tokenBytes is the length of the platform's page tokens before base64, which leaves "==" at the end.
const tokenBytes = 22

// pageToken hides a position of a listing in an opaque text with the alphabet of the platform's own: it may hold
// "/", "+" and "=", which clients must encode in the query but not in the signature.
func pageToken(listing string, pos uint64) string {
	b := make([]byte, tokenBytes)
	h := fnv.New64a()
	_, _ = h.Write([]byte(listing + strconv.FormatUint(pos, 10)))
	sum := h.Sum64()
	binary.BigEndian.PutUint64(b, sum)
	binary.BigEndian.PutUint64(b[8:], pos^sum)
	binary.BigEndian.PutUint32(b[16:], uint32(sum>>7))
	binary.BigEndian.PutUint16(b[20:], uint16(sum>>3))
	return base64.StdEncoding.EncodeToString(b)
}

// pagePosition is the position inside a token made for the same listing; false for any other text.
func pagePosition(listing, token string) (uint64, bool) {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(b) != tokenBytes {
		return 0, false
	}
	pos := binary.BigEndian.Uint64(b) ^ binary.BigEndian.Uint64(b[8:])
	return pos, pageToken(listing, pos) == token
}

// paging is what a search call asks for.
type paging struct {
	listing string
	size    int
	from    uint64 // position of the last row of the page before; 0 for the first page
	desc    bool
}

// page reads page_size, page_token and sort_order. The listing names the search and its order, so that a token is of
// no use elsewhere.
func (c *call) page(listing string, size, maxSize int, order string) (paging, *failure) {
	p := paging{size: size}
	if v := c.query.Get("page_size"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxSize {
			return p, badParameter("page_size must be 1 to " + strconv.Itoa(maxSize))
		}
		p.size = n
	}
	if v := c.query.Get("sort_order"); v != "" {
		order = v
	}
	if order != "ASC" && order != "DESC" {
		return p, badParameter("sort_order")
	}
	p.desc = order == "DESC"
	p.listing = c.shop.id + listing + order
	if v := c.query.Get("page_token"); v != "" {
		pos, ok := pagePosition(p.listing, v)
		if !ok {
			return p, badParameter("page_token")
		}
		p.from = pos
	}
	return p, nil
}

// beyond reports whether a position comes after the page before.
func (p paging) beyond(pos uint64) bool {
	return p.from == 0 || p.desc && pos < p.from || !p.desc && pos > p.from
}

// rows picks one page out of rows visited in order, and the token of the next, empty at the end.
type rows[T any] struct {
	paging
	list  []T
	total int
	last  uint64
	more  bool
}

func (r *rows[T]) add(pos uint64, row func() T) {
	r.total++
	switch {
	case !r.beyond(pos):
	case len(r.list) < r.size:
		r.list = append(r.list, row())
		r.last = pos
	default:
		r.more = true
	}
}

func (r *rows[T]) next() string {
	if !r.more {
		return ""
	}
	return pageToken(r.listing, r.last)
}
