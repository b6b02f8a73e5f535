package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Phase is how far an incident is.
type Phase string

// Phases.
const (
	Watching     Phase = "watching"     // seen, and not yet for long enough to count
	Open         Phase = "open"         // nobody has said to look after it
	Acknowledged Phase = "acknowledged" // somebody looks after it
	Resolved     Phase = "resolved"
)

// Remembered is how long a resolved incident is handed to [Next] again, so that its return and its late messages find it.
const Remembered = 48 * time.Hour

// Told is what a target was told of an incident.
type Told struct {
	Episode int       `json:"episode"`        // in which
	Round   int       `json:"round,omitzero"` // how often it was repeated in it
	First   time.Time `json:"first"`          // in the episode
	At      time.Time `json:"at"`             // last
	Over    bool      `json:"over,omitzero"`  // that it is over
}

// Incident is one cause from the moment it is seen until it is gone. Its JSON form holds everything [Next] needs to go on.
type Incident struct {
	ID string `json:"id"` // follows from the cause and when it was first seen
	Cause
	Phase    Phase    `json:"phase"`
	Severity Severity `json:"severity"` // the worst since it was opened
	First    Signal   `json:"first"`    // as it was seen first
	Worst    Signal   `json:"worst"`    // as it was when it became this severe
	Last     Signal   `json:"last"`     // as it is, or was before it went

	Since      time.Time `json:"since"`              // first seen
	OpenedAt   time.Time `json:"opened_at,omitzero"` // lasted long enough
	AckAt      time.Time `json:"ack_at,omitzero"`    // of the episode
	AckBy      string    `json:"ack_by,omitzero"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
	ResolvedBy string    `json:"resolved_by,omitzero"` // empty: its cause was gone

	GoneSince time.Time `json:"gone_since,omitzero"` // since when the cause is not seen; zero: it is
	BackSince time.Time `json:"back_since,omitzero"` // of a resolved one: since when it is seen again
	Returns   int       `json:"returns,omitzero"`    // how often it was reopened
	// Overruled: a person resolved it with its cause still there. It stays resolved until the cause has gone once, or grows worse, or a day.
	Overruled bool `json:"overruled,omitzero"`

	// Episode counts the times at which people have to be told anew: opened, reopened, grown worse.
	Episode   int       `json:"episode,omitzero"`
	EpisodeAt time.Time `json:"episode_at,omitzero"`
	Because   Reason    `json:"because,omitzero"` // why people are told in this episode

	Told      map[string]Told `json:"told,omitempty"` // by target
	FiguresAt time.Time       `json:"figures_at,omitzero"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Live reports whether it is to be looked at.
func (i Incident) Live() bool { return i.Phase == Open || i.Phase == Acknowledged }

// firstTold is when somebody was told first in this episode; zero: nobody was.
func (i Incident) firstTold() (first time.Time) {
	for _, told := range i.Told {
		if told.Episode == i.Episode && (first.IsZero() || told.First.Before(first)) {
			first = told.First
		}
	}
	return first
}

// EntryKind is what a line of an incident's timeline is about.
type EntryKind string

// Kinds of entries.
const (
	EntryBegan        EntryKind = "began" // the cause, by what is stored of it, or when it was seen first
	EntryOpened       EntryKind = "opened"
	EntryReturned     EntryKind = "returned"
	EntryWorse        EntryKind = "worse"
	EntryFigures      EntryKind = "figures" // the same cause with other numbers
	EntryGone         EntryKind = "gone"    // the cause is not seen any more
	EntryBack         EntryKind = "back"    // seen again before the incident was over
	EntryAcknowledged EntryKind = "acknowledged"
	EntryResolved     EntryKind = "resolved"
	EntryTelling      EntryKind = "telling"     // a message was decided on
	EntryDelivered    EntryKind = "delivered"   // it arrived
	EntryUndelivered  EntryKind = "undelivered" // it was given up
	EntryTask         EntryKind = "task"
	EntryNote         EntryKind = "note"  // of a person
	EntryEvent        EntryKind = "event" // something else that happened meanwhile
)

// Entry is one line of an incident's timeline. Its id follows from its content, so that writing it twice is writing it once.
type Entry struct {
	ID         string    `json:"id"`
	IncidentID string    `json:"incident_id"`
	At         time.Time `json:"at"`
	Kind       EntryKind `json:"kind"`
	Actor      string    `json:"actor,omitzero"` // empty: Spillway
	Text       string    `json:"text"`
}

// entryOrder is the order of entries of one moment: a cause comes before what it leads to.
var entryOrder = []EntryKind{EntryBegan, EntryOpened, EntryReturned, EntryWorse, EntryBack, EntryFigures, EntryEvent, EntryTelling, EntryDelivered, EntryUndelivered, EntryAcknowledged, EntryTask, EntryNote,
	EntryGone, EntryResolved}

// Compare orders a timeline.
func (e Entry) Compare(o Entry) int {
	return cmp.Or(e.At.Compare(o.At), slices.Index(entryOrder, e.Kind)-slices.Index(entryOrder, o.Kind), cmp.Compare(e.ID, o.ID))
}

// NewEntry makes an entry. key tells entries of one kind and moment apart.
func NewEntry(incident string, at time.Time, kind EntryKind, actor, text, key string) Entry {
	return Entry{ID: hash("entry", incident, string(kind), strconv.FormatInt(at.UnixMicro(), 10), actor, key), IncidentID: incident, At: at, Kind: kind, Actor: actor, Text: text}
}

// NewNote makes the line of what a person or a program has to say, whose id follows from the caller's own for it: saying it again is saying it once.
func NewNote(incident, id string, at time.Time, actor, text string) Entry {
	return Entry{ID: hash("note", incident, id), IncidentID: incident, At: at, Kind: EntryNote, Actor: actor, Text: actor + ": " + text}
}

// hash makes an id that is the same whenever the same thing is decided again.
func hash(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:12])
}

// clone copies what a step changes.
func (i Incident) clone() Incident {
	i.Told = maps.Clone(i.Told)
	return i
}

// Acknowledge says that actor looks after it: it escalates no further. Doing it again changes nothing. Errors: Conflict (it is over).
func (i Incident) Acknowledge(at time.Time, actor string) (Incident, []Entry, error) {
	switch i.Phase {
	case Acknowledged:
		return i, nil, nil
	case Open:
		i = i.clone()
		i.Phase, i.AckAt, i.AckBy, i.UpdatedAt = Acknowledged, at, actor, at
		return i, []Entry{NewEntry(i.ID, at, EntryAcknowledged, actor, actor+" looks after it.", "")}, nil
	}
	return i, nil, errs.New(errs.Conflict, "alert.Acknowledge", i.ID, "it is over already")
}

// Resolve ends it by hand. If its cause is still there it is not opened again before the cause has gone once, or grows worse, or a day.
// Doing it again changes nothing.
func (i Incident) Resolve(at time.Time, actor string) (Incident, []Entry, error) {
	if !i.Live() {
		return i, nil, nil
	}
	i = i.clone()
	i.Overruled = i.GoneSince.IsZero()
	i.Phase, i.ResolvedAt, i.ResolvedBy, i.UpdatedAt = Resolved, at, actor, at
	text := actor + " says it is over."
	if i.Overruled {
		text += " Its cause was still seen."
	}
	return i, []Entry{NewEntry(i.ID, at, EntryResolved, actor, text, "")}, nil
}

// Reopen takes back that it is over, for a person who knows better. People are told anew. Doing it again changes nothing.
func (i Incident) Reopen(at time.Time, actor string) (Incident, []Entry, error) {
	if i.Phase != Resolved {
		return i, nil, nil
	}
	i = i.clone()
	i.Phase, i.ResolvedAt, i.ResolvedBy, i.AckAt, i.AckBy, i.BackSince, i.GoneSince = Open, time.Time{}, "", time.Time{}, "", time.Time{}, time.Time{}
	i.Overruled, i.UpdatedAt, i.EpisodeAt, i.Because = false, at, at, BecauseReturned
	i.Returns++
	i.Episode++
	return i, []Entry{NewEntry(i.ID, at, EntryReturned, actor, actor+" opens it again.", "")}, nil
}

// newest picks the incident of each cause that a signal belongs to: the live one, else the one seen last.
func newest(all []Incident) map[Cause]int {
	out := map[Cause]int{}
	for n, i := range all {
		m, known := out[i.Cause]
		if !known || cmp.Or(compareBool(i.Phase != Resolved, all[m].Phase != Resolved), i.Since.Compare(all[m].Since), cmp.Compare(i.ID, all[m].ID)) > 0 {
			out[i.Cause] = n
		}
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// same reports whether two signals say the same.
func same(a, b Signal) bool {
	return a.Text == b.Text && a.Next == b.Next && a.Shop == b.Shop && a.Node == b.Node && slices.Equal(a.Figures, b.Figures)
}
