package stream

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// EnvelopeVersion is raised when a reader of the old form would misread the new one. Added fields do not raise it.
const EnvelopeVersion = 1

// Envelope is a published message: events of one kind, in the order of the log. docs/guides/events.md explains it to outside readers.
type Envelope struct {
	Version int     `json:"version"`
	Kind    string  `json:"kind"`
	Events  []Event `json:"events"`
}

// Event is one published event.
type Event struct {
	// ID is the event's position in the log as decimal digits: the same whenever the event is published again, and growing in the order
	// of the log. A string, since it may pass 2^53.
	ID      string          `json:"id"`
	At      time.Time       `json:"at"` // UTC
	Kind    string          `json:"-"`  // the envelope's
	Subject string          `json:"subject"`
	Data    json.RawMessage `json:"data"`
}

// tooLarge stands for data that no message can hold.
var tooLarge = json.RawMessage(`{"omitted":"too large; read it from Spillway"}`)

// Open reads a published message.
func (e *Envelope) Open(data []byte) error {
	if err := json.Unmarshal(data, e); err != nil {
		return &errs.Error{Kind: errs.Invalid, Op: "stream.Open", Safe: "the message is not one of Spillway's", Cause: err}
	}
	if e.Version != EnvelopeVersion || e.Kind == "" || len(e.Events) == 0 {
		return errs.New(errs.Invalid, "stream.Open", e.Kind, "the message has version %d and %d events; this program reads version %d", e.Version, len(e.Events), EnvelopeVersion)
	}
	for i := range e.Events {
		e.Events[i].Kind = e.Kind
	}
	return nil
}

// parcel is an envelope on its way.
type parcel struct {
	Envelope
	size int // of its events as JSON, roughly
}

// id recognises the parcel when it is sent again: its positions, and a hash of the content because a restored database counts on from an
// older position.
func (p parcel) id(data []byte) string {
	h := fnv.New64a()
	h.Write(data)
	return p.Events[0].ID + "-" + p.Events[len(p.Events)-1].ID + "-" + strconv.FormatUint(h.Sum64(), 36)
}

// overhead is what an event adds to a message besides its subject and data.
const overhead = 96

// pack puts events into as few messages as it can, each of one kind so that its subject can name the kind, without changing the order of
// what is said about one thing: an event is added to an earlier message only if no later message speaks about its subject. Message size is
// bounded by limit.
func pack(events []store.Event, limit int) []parcel {
	var out []parcel
	open := map[string]int{}   // the newest message of each kind
	latest := map[string]int{} // the newest message that speaks of each subject
	for _, e := range events {
		data := e.Data
		if len(data)+len(e.Subject)+overhead > limit {
			data = tooLarge
		}
		size := len(data) + len(e.Subject) + overhead
		at, ok := open[e.Kind]
		if !ok || at < latest[e.Subject] || out[at].size+size > limit {
			at = len(out)
			out = append(out, parcel{Envelope: Envelope{Version: EnvelopeVersion, Kind: e.Kind}})
			open[e.Kind] = at
		}
		p := &out[at]
		p.Events = append(p.Events, Event{ID: strconv.FormatInt(e.Seq, 10), At: e.At.UTC(), Kind: e.Kind, Subject: e.Subject, Data: data})
		p.size += size
		latest[e.Subject] = at
	}
	return out
}
