package custody

import (
	"bytes"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/kit/errs"
)

// TileHeight is how many levels of the tree a tile holds: 256 hashes side by side, 8 KiB, as the Go checksum database has them.
const TileHeight = 8

// TileKey is a tile's place: the level of its hashes in steps of TileHeight, and its number on that level.
type TileKey struct {
	Level int
	N     int64
}

// Tile is hashes of the tree that lie side by side: 256, or fewer at the right edge.
type Tile struct {
	TileKey
	Data []byte
}

// edge is the right edge of a tree: the hashes of the whole subtrees it is made of, the largest first.
type edge struct {
	size   int64
	hashes []tlog.Hash
}

// add appends a leaf and returns the nodes that are whole by it: the leaf itself on level 0, and those above it.
func (e *edge) add(leaf tlog.Hash) []tlog.Hash {
	made := []tlog.Hash{leaf}
	for range bits.TrailingZeros64(uint64(e.size) + 1) {
		last := len(e.hashes) - 1
		leaf = tlog.NodeHash(e.hashes[last], leaf)
		e.hashes = e.hashes[:last]
		made = append(made, leaf)
	}
	e.hashes = append(e.hashes, leaf)
	e.size++
	return made
}

func (e *edge) tree() tlog.Tree {
	if e.size == 0 {
		return tlog.Tree{Hash: emptyRoot}
	}
	last := len(e.hashes) - 1
	root := e.hashes[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(e.hashes[i], root)
	}
	return tlog.Tree{N: e.size, Hash: root}
}

// indexes are where tlog keeps the hashes of the edge of a tree.
func edgeIndexes(size int64) (out []int64) {
	at := int64(0)
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size&(1<<level) != 0 {
			out = append(out, tlog.StoredHashIndex(level, at>>level))
			at += 1 << level
		}
	}
	return out
}

// NewTree is the tree of no entries.
func NewTree() tlog.Tree { return tlog.Tree{Hash: emptyRoot} }

// Grow appends leaves to a tree. kept reads the hashes of the tree as it was; if it reads tiles out of a database it should be one that proves
// them (tlog.TileHashReader), so that nothing is built on what was changed. Tiles are all that are new or longer than before.
func Grow(old tlog.Tree, kept tlog.HashReader, leaves []tlog.Hash) (tlog.Tree, []Tile, error) {
	const op = "custody.Grow"
	e := edge{size: old.N}
	if old.N > 0 {
		var err error
		if e.hashes, err = kept.ReadHashes(edgeIndexes(old.N)); err != nil {
			return old, nil, errs.Wrap(op, "", err)
		}
	}
	if got := e.tree(); got != old {
		return old, nil, errs.New(errs.Internal, op, "", "the log's hashes are not those of its last checkpoint: something in it was changed")
	}
	fresh := map[int64]tlog.Hash{}
	for _, leaf := range leaves {
		first := tlog.StoredHashIndex(0, e.size)
		for i, h := range e.add(leaf) {
			fresh[first+int64(i)] = h
		}
	}
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) { return readBoth(fresh, kept, indexes) })
	var tiles []Tile
	for _, t := range tlog.NewTiles(TileHeight, old.N, e.size) {
		data, err := tlog.ReadTileData(t, read)
		if err != nil {
			return old, nil, errs.Wrap(op, t.Path(), err)
		}
		tiles = append(tiles, Tile{TileKey{t.L, t.N}, data})
	}
	return e.tree(), tiles, nil
}

// readBoth reads hashes out of fresh, and those not in it from kept.
func readBoth(fresh map[int64]tlog.Hash, kept tlog.HashReader, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var old []int64
	var where []int
	for i, x := range indexes {
		h, ok := fresh[x]
		if !ok {
			old, where = append(old, x), append(where, i)
		}
		out[i] = h
	}
	if len(old) == 0 {
		return out, nil
	}
	got, err := kept.ReadHashes(old)
	if err != nil {
		return nil, err
	}
	for i, h := range got {
		out[where[i]] = h
	}
	return out, nil
}

// Recount builds the tree anew from its leaves, to compare with what is kept of it. Make it with NewRecount.
type Recount struct {
	edge edge
	open [][]byte // by level: the tile being filled
	emit func(Tile) error
}

// NewRecount begins one. emit is told every tile when it is full, and by End those that are not; its error ends the count.
func NewRecount(emit func(Tile) error) *Recount { return &Recount{emit: emit} }

// Add appends the next leaf.
func (r *Recount) Add(leaf tlog.Hash) error {
	n := r.edge.size
	for level, h := range r.edge.add(leaf) {
		if level%TileHeight != 0 {
			continue
		}
		l := level / TileHeight
		if l == len(r.open) {
			r.open = append(r.open, nil)
		}
		r.open[l] = append(r.open[l], h[:]...)
		if len(r.open[l]) == tlog.HashSize<<TileHeight {
			if err := r.emit(Tile{TileKey{l, n >> level >> TileHeight}, bytes.Clone(r.open[l])}); err != nil {
				return err
			}
			r.open[l] = r.open[l][:0]
		}
	}
	return nil
}

// Size is how many leaves there are so far.
func (r *Recount) Size() int64 { return r.edge.size }

// Tree is the tree of the leaves so far.
func (r *Recount) Tree() tlog.Tree { return r.edge.tree() }

// End tells of the tiles at the right edge.
func (r *Recount) End() error {
	for l, data := range r.open {
		if len(data) == 0 {
			continue
		}
		hashes := r.edge.size >> (l * TileHeight)
		if err := r.emit(Tile{TileKey{l, hashes >> TileHeight}, data}); err != nil {
			return err
		}
	}
	return nil
}
