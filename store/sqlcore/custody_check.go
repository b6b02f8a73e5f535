package sqlcore

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/domain/custody"
)

const (
	// custodyFindings bounds what a check lists: one change can be seen in several places.
	custodyFindings = 20
	// custodyChunk entries or checkpoints are read at once.
	custodyChunk = 1000
)

// CustodyReport is what a check of the whole custody log found.
type CustodyReport struct {
	Entries, Waiting, Tiles, Checkpoints int64
	Head                                 tlog.Tree
	Found                                []string // what is not as it was written
}

func (r *CustodyReport) find(format string, args ...any) {
	if len(r.Found) < custodyFindings {
		r.Found = append(r.Found, fmt.Sprintf(format, args...))
	}
}

// CustodyCheck hashes every entry anew, builds the tree of them and compares all that is kept with it: places, tiles, checkpoints, the columns that
// entries are found by, and entries that still wait. Whatever was changed after it was written is found; what cannot be is that the whole
// log was set back to an earlier state, which an earlier checkpoint shows (custody.Proof.CheckSince).
func (tx *Tx) CustodyCheck() (CustodyReport, error) {
	var r CustodyReport
	key, found, err := tx.CustodyKeyGet()
	if err != nil {
		return r, err
	}
	c := custodyCheck{tx: tx, r: &r, key: key.Verifier}
	if found {
		if err := custody.CheckKey(key.Origin, key.Verifier); err != nil {
			r.find("the key of the log was changed")
		}
	}
	if err := c.entries(); err != nil {
		return r, err
	}
	if err := c.ended(); err != nil {
		return r, err
	}
	return r, c.waiting()
}

type custodyCheck struct {
	tx    *Tx
	r     *CustodyReport
	key   string
	count *custody.Recount
	ahead []CustodyCheckpoint // read and not yet reached
	last  int64               // size of the last one read
}

// entries goes through the log from the first entry on.
func (c *custodyCheck) entries() error {
	c.last = -1 << 62
	c.count = custody.NewRecount(c.tile)
	next := int64(0)
	for {
		page, err := c.tx.CustodyPage(next, custodyChunk)
		if err != nil {
			return err
		}
		for i := range page {
			e := &page[i]
			if e.Place != next {
				c.r.find("entry %d is missing: the next one there is is %d", next, e.Place)
				return nil // the tree of what follows is another one
			}
			if e.sound() != nil {
				c.r.find("entry %d (%s) was changed after it was written", e.Place, e.ID)
			}
			if err := c.heads(); err != nil {
				return err
			}
			if err := c.count.Add(custody.HashLeaf(e.Leaf)); err != nil {
				return err
			}
			next++
		}
		if len(page) < custodyChunk {
			return c.count.End()
		}
	}
}

// heads compares the checkpoints of as many entries as there are in the tree now.
func (c *custodyCheck) heads() error {
	tree := c.count.Tree
	for {
		if len(c.ahead) == 0 {
			var err error
			if c.ahead, err = c.tx.CustodyCheckpoints(c.last, custodyChunk); err != nil || len(c.ahead) == 0 {
				return err
			}
			c.last = c.ahead[len(c.ahead)-1].Size
		}
		h := c.ahead[0]
		if h.Size > c.count.Size() {
			return nil
		}
		c.ahead = c.ahead[1:]
		c.r.Checkpoints++
		signed, err := custody.OpenOwn(h.Note, c.key, h.Size)
		if err != nil || h.Size != c.count.Size() || signed != tree() {
			c.r.find("the checkpoint of %d entries is not as it was signed, or the entries before it are not", h.Size)
		}
		c.r.Head = signed
	}
}

func (c *custodyCheck) tile(t custody.Tile) error {
	c.r.Tiles++
	kept, err := c.tx.CustodyTile(t.TileKey)
	if err == nil && !bytes.Equal(kept, t.Data) {
		c.r.find("the hashes of tile %d/%d are not those of the entries", t.Level, t.N)
	}
	return err
}

// ended compares what is left at the end of the log.
func (c *custodyCheck) ended() error {
	if err := c.heads(); err != nil {
		return err
	}
	c.r.Entries = c.count.Size()
	for _, h := range c.ahead {
		c.r.find("there is a checkpoint of %d entries, and the log has %d", h.Size, c.r.Entries)
	}
	if c.r.Head.N != c.r.Entries {
		c.r.find("the log has %d entries, its newest checkpoint %d", c.r.Entries, c.r.Head.N)
	}
	entries, tiles, err := c.tx.CustodyCount()
	if err == nil && (entries != c.r.Entries || tiles != c.r.Tiles) {
		c.r.find("%d entries and %d tiles are kept, the log has %d and %d", entries, tiles, c.r.Entries, c.r.Tiles)
	}
	return err
}

// waiting looks at the entries that have no place yet.
func (c *custodyCheck) waiting() error {
	for after := int64(-1 << 62); ; {
		page, err := c.tx.CustodyWaiting(after, custodyChunk)
		if err != nil {
			return err
		}
		for i := range page {
			after = page[i].Turn
			c.r.Waiting++
			if page[i].sound() != nil {
				c.r.find("the entry %s, which waits for its place, was changed after it was written", page[i].ID)
			}
		}
		if len(page) < custodyChunk {
			return nil
		}
	}
}
