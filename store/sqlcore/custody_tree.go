package sqlcore

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
)

// custodyTiles reads the log's tiles for package tlog, which proves what it reads by the checkpoint.
type custodyTiles struct{ tx *Tx }

func (t custodyTiles) Height() int                     { return custody.TileHeight }
func (t custodyTiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t custodyTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, x := range tiles {
		data, err := t.tx.CustodyTile(custody.TileKey{Level: x.L, N: x.N})
		if err != nil {
			return nil, err
		}
		if len(data) < x.W*tlog.HashSize {
			return nil, errs.New(errs.Internal, "store.CustodyTile", x.Path(), "hashes of the custody log are missing; run 'spillway doctor'")
		}
		out[i] = data[:x.W*tlog.HashSize]
	}
	return out, nil
}

// custodyTree is the log's newest signed tree, and its checkpoint; before the first one an empty tree.
func (tx *Tx) custodyTree(verifier string) (tlog.Tree, CustodyCheckpoint, error) {
	head, found, err := tx.CustodyHead()
	if err != nil || !found {
		return custody.NewTree(), head, err
	}
	tree, err := custody.OpenOwn(head.Note, verifier, head.Size)
	return tree, head, err
}

// sound tells whether an entry is what was written: its hash, its id and what it is found by follow from its leaf.
func (e *CustodyEntry) sound() error {
	hash := custody.HashLeaf(e.Leaf)
	v, err := custody.ParseLeaf(e.Leaf)
	if err != nil || !bytes.Equal(hash[:], e.Hash) || v.ID != e.ID || v.OrderID != e.OrderID || v.ParcelID != e.Parcel {
		return errs.New(errs.Conflict, "store.CustodyCheck", e.ID, "the custody entry was changed after it was written")
	}
	return nil
}

// CustodySequence gives entries that wait their places, at most limit of them, lets the tree grow by them and signs its new head: all of it is
// committed with this transaction or nothing. Entries that were changed while they waited stay where they are and are counted as spoilt.
// It goes on from the last checkpoint only, and only if the hashes kept are those of it. Errors: Conflict, Internal (the log was changed).
func (tx *Tx) CustodySequence(signer note.Signer, verifier string, limit int) (placed, spoilt int, err error) {
	const op = "store.CustodySequence"
	if err := tx.CustodyLock(); err != nil {
		return 0, 0, err
	}
	waiting, err := tx.CustodyWaiting(0, limit)
	if err != nil || len(waiting) == 0 {
		return 0, 0, err
	}
	var good []CustodyEntry
	var hashes []tlog.Hash
	for _, e := range waiting {
		if e.sound() != nil {
			spoilt++
			continue
		}
		good, hashes = append(good, e), append(hashes, tlog.Hash(e.Hash))
	}
	if len(good) == 0 {
		return 0, spoilt, nil
	}
	old, head, err := tx.custodyTree(verifier)
	if err != nil {
		return 0, spoilt, errs.Wrap(op, "", err)
	}
	now, tiles, err := custody.Grow(old, tlog.TileHashReader(old, custodyTiles{tx}), hashes)
	if err != nil {
		return 0, spoilt, errs.Wrap(op, "", err)
	}
	signed, err := custody.Sign(now, signer)
	if err != nil {
		return 0, spoilt, err
	}
	if err := tx.CustodyPlace(old.N, good); err != nil {
		return 0, spoilt, err
	}
	if err := tx.CustodyTilesPut(tiles); err != nil {
		return 0, spoilt, err
	}
	return len(good), spoilt, tx.CustodyHeadPut(head, CustodyCheckpoint{Size: now.N, Note: signed})
}

// CustodyProve makes the proof file of a parcel's entries or, without a parcel, of an order's; with neither it has the checkpoint alone. since, if not 0, is
// the size of an earlier checkpoint that the file ties to this one. Errors: NotFound (no entry has its place yet), Conflict (the log has fewer
// entries than since), Internal (the log was changed).
func (tx *Tx) CustodyProve(key CustodyKey, orderID, parcel string, since int64) (*custody.Proof, error) {
	const op = "store.CustodyProve"
	tree, head, err := tx.custodyTree(key.Verifier)
	if err != nil {
		return nil, errs.Wrap(op, "", err)
	}
	if tree.N == 0 {
		return nil, errs.New(errs.NotFound, op, "", "the custody log has no entries yet")
	}
	if since > tree.N {
		return nil, errs.New(errs.Conflict, op, "", "the custody log has %d entries, fewer than the %d of the earlier checkpoint: it was set back, such as by restoring a backup", tree.N, since)
	}
	p := &custody.Proof{Format: custody.ProofFormat, Key: key.Verifier, Checkpoint: head.Note, Entries: []custody.ProvenEntry{}}
	tiles := tlog.TileHashReader(tree, custodyTiles{tx})
	if orderID != "" || parcel != "" {
		if err := tx.proveEntries(p, tree, tiles, orderID, parcel); err != nil {
			return nil, err
		}
	}
	if since > 0 {
		way, err := tlog.ProveTree(tree.N, since, tiles)
		if err != nil {
			return nil, errs.Wrap(op, "", err)
		}
		p.Since = &custody.SinceProof{Size: since, Proof: way}
	}
	if _, err := p.Check(key.Verifier); err != nil { // nothing leaves that does not verify
		return nil, &errs.Error{Kind: errs.Internal, Op: op, Safe: "the custody log does not hold what it was signed for; run 'spillway doctor'", Cause: err}
	}
	return p, nil
}

func (tx *Tx) proveEntries(p *custody.Proof, tree tlog.Tree, tiles tlog.HashReader, orderID, parcel string) error {
	const op = "store.CustodyProve"
	entries, err := tx.CustodyOf(orderID, parcel, custody.MaxProven+1)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errs.New(errs.NotFound, op, parcel+orderID, "has no entries in the custody log, or they are still waiting to be signed: try again in a second")
	}
	if len(entries) > custody.MaxProven {
		return errs.New(errs.Invalid, op, parcel+orderID, "has more than %d entries", custody.MaxProven)
	}
	if parcel != "" {
		p.ParcelID = custody.Ref(parcel)
	} else {
		p.OrderID = custody.Ref(orderID)
	}
	for _, e := range entries {
		if e.Place >= tree.N {
			return errs.New(errs.Internal, op, e.ID, "is in no signed tree; run 'spillway doctor'")
		}
		way, err := tlog.ProveRecord(tree.N, e.Place, tiles)
		if err != nil {
			return errs.Wrap(op, fmt.Sprintf("entry %d", e.Place), err)
		}
		p.Entries = append(p.Entries, custody.ProvenEntry{Index: e.Place, Leaf: string(e.Leaf), Proof: way})
	}
	return nil
}
