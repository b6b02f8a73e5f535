package custody

import (
	"bytes"
	"encoding/hex"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// leafHead is the first line of every leaf. A leaf of another form gets another head, and this one stays readable.
	leafHead = "spillway custody event v1"
	leafTime = "2006-01-02T15:04:05.000000Z"
	// maxLeaf is more than the longest event needs.
	maxLeaf = 4096
)

// Leaf writes an event as the log keeps it. It is text as the Go checksum database keeps its records: lines with no empty one among them.
// Errors: Invalid.
//
//	spillway custody event v1
//	id 0198c5f0-…
//	at 2026-11-22T14:05:57.000000Z
//	what label_bought
//	role packer
//	node wh-1
//	order shop:576461413038785752
//	parcel P-20931
//	document label 9f86d081…
//
// node, order, parcel and documents are left out where there are none.
func Leaf(e Event) ([]byte, error) {
	e, err := e.Normal()
	if err != nil {
		return nil, err
	}
	return e.leaf(), nil
}

// leaf writes an event that is Normal.
func (e Event) leaf() []byte {
	var b bytes.Buffer
	line := func(words ...string) {
		b.WriteString(strings.Join(words, " "))
		b.WriteByte('\n')
	}
	line(leafHead)
	line("id", e.ID)
	line("at", e.At.Format(leafTime))
	line("what", string(e.What))
	line("role", string(e.Role))
	for _, w := range [][2]string{{"node", e.Node}, {"order", e.OrderID}, {"parcel", e.ParcelID}} {
		if w[1] != "" {
			line(w[0], w[1])
		}
	}
	for _, d := range e.Documents {
		line("document", d.Kind, hex.EncodeToString(d.SHA256[:]))
	}
	return b.Bytes()
}

// ParseLeaf reads a leaf. Only the very bytes that Leaf writes are one. Errors: Invalid.
func ParseLeaf(text []byte) (Event, error) {
	bad := errs.New(errs.Invalid, "custody.ParseLeaf", "", "the entry is not a custody event")
	lines := strings.Split(string(text), "\n")
	if len(text) > maxLeaf || len(lines) < 3 || lines[0] != leafHead {
		return Event{}, bad
	}
	var e Event
	for _, l := range lines[1 : len(lines)-1] {
		word, rest, _ := strings.Cut(l, " ")
		switch word {
		case "id":
			e.ID = rest
		case "at":
			at, err := time.Parse(leafTime, rest)
			if err != nil {
				return Event{}, bad
			}
			e.At = at
		case "what":
			e.What = What(rest)
		case "role":
			e.Role = Role(rest)
		case "node":
			e.Node = rest
		case "order":
			e.OrderID = rest
		case "parcel":
			e.ParcelID = rest
		case "document":
			kind, sum, _ := strings.Cut(rest, " ")
			d := Document{Kind: kind}
			if n, err := hex.Decode(d.SHA256[:], []byte(sum)[:min(len(sum), 2*len(d.SHA256))]); err != nil || n != len(d.SHA256) {
				return Event{}, bad
			}
			e.Documents = append(e.Documents, d)
		default:
			return Event{}, bad
		}
	}
	e, err := e.Normal()
	if err != nil || !bytes.Equal(e.leaf(), text) {
		return Event{}, bad
	}
	return e, nil
}

// HashLeaf is the leaf's hash in the tree, by RFC 6962.
func HashLeaf(leaf []byte) tlog.Hash { return tlog.RecordHash(leaf) }
