package custody

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// What happened to a parcel, or to an order before it is one.
type What string

// The closed list of what is recorded. A word that was written stays readable for ever: words are added, never renamed.
const (
	Picked         What = "picked"
	ShortPicked    What = "short_picked"
	Substituted    What = "substituted" // with an equal item, since what it was to hold was not there
	Packed         What = "packed"
	Weighed        What = "weighed"
	LabelBought    What = "label_bought"
	LabelReceived  What = "label_received" // its document, by its hash
	LabelVoided    What = "label_voided"
	Manifested     What = "manifested" // it is on its carrier's own list of what a van fetches, by the list's hash
	HandedOver     What = "handed_over"
	CarrierScanned What = "carrier_scanned"
	TrackingTold   What = "tracking_told"
	Delivered      What = "delivered"
	Exception      What = "exception"
	ReturnStarted  What = "return_started"
	Returned       What = "returned"
)

// Role is who did it, as far as the log is told.
type Role string

// The closed list of roles.
const (
	Picker     Role = "picker"
	Packer     Role = "packer"
	Dispatcher Role = "dispatcher"
	Receiver   Role = "receiver" // of returns
	Supervisor Role = "supervisor"
	System     Role = "system"  // Spillway itself
	Carrier    Role = "carrier" // as its messages say
	Channel    Role = "channel" // as its messages say
	Partner    Role = "partner" // a fulfilment partner, as its messages say
)

var (
	whats = []What{Picked, ShortPicked, Substituted, Packed, Weighed, LabelBought, LabelReceived, LabelVoided, Manifested, HandedOver, CarrierScanned, TrackingTold, Delivered, Exception, ReturnStarted, Returned}
	roles = []Role{Picker, Packer, Dispatcher, Receiver, Supervisor, System, Carrier, Channel, Partner}
)

const (
	// maxDocuments of an event: a label, a slip, customs forms and a few photographs.
	maxDocuments = 20
	// maxRef is the longest id that is written as it is.
	maxRef = 120
	// maxKind bounds the word for a kind of document.
	maxKind = 40
)

// Document is a file that belongs to an event, by its hash: whoever has the file can show that it is the one.
type Document struct {
	Kind   string // a word of small letters, such as label, slip, photo or manifest
	SHA256 [sha256.Size]byte
}

// Event is one thing that happened. ID is the caller's: the same id is the same event, however often it is told.
type Event struct {
	ID        string
	At        time.Time // kept to the microsecond, UTC
	What      What
	Role      Role
	Node      string // where; may be empty
	OrderID   string // of OrderID and ParcelID one may be empty
	ParcelID  string
	Documents []Document
}

// Ref is how an id is written in a leaf: as it is when it looks like one, else as its hash, so that an id that somebody made out of a name or an
// address is not published, and none is refused.
func Ref(id string) string {
	if isHashed(id) {
		return id
	}
	if len(id) <= maxRef && !strings.HasPrefix(id, hashPrefix) && strings.Trim(id, refLetters) == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hashPrefix + hex.EncodeToString(sum[:])
}

const (
	refLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/#-"
	hashPrefix = "sha256:"
)

// Normal is the event as its leaf says it: ids as they are written, UTC, documents in order and each once. Errors: Invalid.
func (e Event) Normal() (Event, error) {
	const op = "custody.Event"
	bad := func(field, why string) error { return errs.New(errs.Invalid, op, field, "%s", why) }
	switch {
	case e.ID == "":
		return e, bad("id", "a custody event needs an id of its own")
	case e.OrderID == "" && e.ParcelID == "":
		return e, bad("parcel", "a custody event is about a parcel or an order")
	case !slices.Contains(whats, e.What):
		return e, bad("what", "is not a custody event that is known")
	case !slices.Contains(roles, e.Role):
		return e, bad("role", "is not a role that is known: say a role, never a name")
	case e.At.Before(firstTime) || !e.At.Before(lastTime):
		return e, bad("at", "is not a time of this or a neighbouring century")
	case len(e.Documents) > maxDocuments:
		return e, bad("documents", "are more than an event may have")
	}
	e.ID, e.At = written(e.ID), e.At.UTC().Truncate(time.Microsecond)
	e.Node, e.OrderID, e.ParcelID = written(e.Node), written(e.OrderID), written(e.ParcelID)
	docs := slices.Clone(e.Documents)
	slices.SortFunc(docs, func(a, b Document) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.SHA256[:], b.SHA256[:]))
	})
	e.Documents = slices.Compact(docs)
	for _, d := range e.Documents {
		if d.Kind == "" || len(d.Kind) > maxKind || strings.Trim(d.Kind, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return e, bad("documents", "a kind of document is a word of small letters")
		}
	}
	return e, nil
}

// written is Ref that leaves alone what is empty.
func written(id string) string {
	if id == "" {
		return ""
	}
	return Ref(id)
}

// isHashed recognises what Ref made of an id that was not fit to be written. A caller's id of the very same form stays as it is: it says nothing.
func isHashed(s string) bool {
	digits, ok := strings.CutPrefix(s, hashPrefix)
	return ok && len(digits) == 2*sha256.Size && strings.Trim(digits, "0123456789abcdef") == ""
}

// Years before and after these are slips, and have no place in the form times are written in.
var (
	firstTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)
