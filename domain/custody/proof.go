package custody

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// ProofFormat is the first field of every proof file.
	ProofFormat = "spillway custody proof v1"
	// MaxProof bounds a proof file, MaxProven the entries in it: a parcel has a dozen, an order of many parcels some hundreds.
	MaxProof  = 16 << 20
	MaxProven = 5_000
)

// Proof is a proof file: all that is needed to check that entries are in a log, and nothing that must be believed but its key. It is JSON;
// hashes are base64. Each part is as the tools of the Go checksum database take it: Key for note.NewVerifier, Checkpoint for note.Open,
// Leaf for tlog.RecordHash, Proof for tlog.CheckRecord and Since.Proof for tlog.CheckTree.
type Proof struct {
	Format     string        `json:"format"`
	OrderID    string        `json:"order,omitempty"`  // what was asked for, as leaves write it
	ParcelID   string        `json:"parcel,omitempty"` // likewise
	Key        string        `json:"key"`
	Checkpoint string        `json:"checkpoint"`
	Entries    []ProvenEntry `json:"entries"`
	Since      *SinceProof   `json:"since,omitempty"`
}

// ProvenEntry is one entry with its place in the log and what ties it to the checkpoint.
type ProvenEntry struct {
	Index int64       `json:"index"`
	Leaf  string      `json:"leaf"`
	Proof []tlog.Hash `json:"proof"`
}

// SinceProof ties an earlier checkpoint, of Size entries, to this one.
type SinceProof struct {
	Size  int64       `json:"size"`
	Proof []tlog.Hash `json:"proof"`
}

// Proven is what a proof file proves.
type Proven struct {
	Tree   tlog.Tree
	Origin string
	Events []ProvenEvent
}

// ProvenEvent is an event with its place in the log.
type ProvenEvent struct {
	Index int64
	Event
}

// Encode writes the file.
func (p *Proof) Encode() ([]byte, error) {
	p.Format = ProofFormat
	out, err := json.MarshalIndent(p, "", "  ")
	return append(out, '\n'), errs.Wrap("custody.Proof", "", err)
}

// ParseProof reads a proof file; nothing is checked yet but its form. Errors: Invalid.
func ParseProof(file []byte) (*Proof, error) {
	const op = "custody.ParseProof"
	if len(file) > MaxProof {
		return nil, errs.New(errs.Invalid, op, "", "the file is too long to be a proof")
	}
	var p Proof
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Format != ProofFormat {
		return nil, errs.New(errs.Invalid, op, "", "the file is not a custody proof, or was cut off")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errs.New(errs.Invalid, op, "", "something follows the proof in the file")
	}
	if len(p.Entries) > MaxProven {
		return nil, errs.New(errs.Invalid, op, "", "the file has more than %d entries", MaxProven)
	}
	return &p, nil
}

// Check verifies all of the file: that the checkpoint is signed with its key, that every entry is in the log of the checkpoint at its place, and
// is about what the file says. key is the one that is trusted; empty: the file's own, which shows only that the file is whole. Errors: Invalid
// (cannot be read), Conflict (does not verify).
func (p *Proof) Check(key string) (Proven, error) {
	const op = "custody.Check"
	var out Proven
	if key == "" {
		key = p.Key
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return out, errs.New(errs.Invalid, op, "", "the key is not a key of a log; one looks like NAME+0123abcd+BASE64")
	}
	if key != p.Key {
		return out, errs.New(errs.Conflict, op, "", "the proof was made with another key than the one that is trusted")
	}
	out.Origin = v.Name()
	if out.Tree, err = OpenCheckpoint(p.Checkpoint, key); err != nil {
		return out, err
	}
	before := int64(-1)
	for _, x := range p.Entries {
		if x.Index <= before {
			return out, errs.New(errs.Conflict, op, "", "entries of the file are out of order, or there twice")
		}
		before = x.Index
		if err := CheckInclusion(x.Index, HashLeaf([]byte(x.Leaf)), Range{0, out.Tree.N}, out.Tree.Hash, x.Proof); err != nil {
			return out, err
		}
		e, err := ParseLeaf([]byte(x.Leaf))
		if err != nil {
			return out, errs.Wrap(op, fmt.Sprintf("entry %d", x.Index), err)
		}
		if p.OrderID != "" && e.OrderID != p.OrderID || p.ParcelID != "" && e.ParcelID != p.ParcelID {
			return out, errs.New(errs.Conflict, op, "", "entry %d is about something else than the file says", x.Index)
		}
		out.Events = append(out.Events, ProvenEvent{x.Index, e})
	}
	return out, nil
}

// CheckSince verifies that a log seen earlier is the beginning, unchanged, of the file's. Errors: Invalid (the file does not say it from that
// size on), Conflict (it is not: the log was changed, or set back, in between).
func (p *Proof) CheckSince(old, now tlog.Tree) error {
	const op = "custody.CheckSince"
	switch {
	case old.N > now.N:
		return errs.New(errs.Conflict, op, "", "the earlier log has %d entries and this one %d: unless the two were mixed up, the log was set back", old.N, now.N)
	case old.N == now.N && old.Hash == now.Hash:
		return nil
	case old.N == now.N:
		return errs.New(errs.Conflict, op, "", "both logs have %d entries and they are not the same: the log was forked", now.N)
	case old.N == 0:
		return nil
	case p.Since == nil || p.Since.Size != old.N:
		return errs.New(errs.Invalid, op, "", "the file does not tell how the log went on from %d entries: ask for it again with since=%d", old.N, old.N)
	}
	if CheckConsistency(old, now, p.Since.Proof) != nil {
		return errs.New(errs.Conflict, op, "", "the first %d entries of this log are not those of the earlier one: the log was forked", old.N)
	}
	return nil
}

// EarlierCheckpoint finds the checkpoint in what somebody kept of a log: a checkpoint, or a proof file. Errors: Invalid, Conflict (not signed
// with this key).
func EarlierCheckpoint(kept []byte, key string) (tlog.Tree, error) {
	if p, err := ParseProof(kept); err == nil {
		return OpenCheckpoint(p.Checkpoint, key)
	}
	return OpenCheckpoint(string(kept), key)
}
