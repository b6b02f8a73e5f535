package view

import "time"

// Topics of incidents and alerts.
const (
	TopicIncident = "incident" // one incident (":" its id): opened, changed, task done
	TopicAlerts   = "alerts"   // targets, quiet hours, escalation, silences, digest
)

// Things of incidents with a page of their own.
const (
	KindIncident Kind = "incident"
	KindAlerts   Kind = "alerts"   // the settings
	KindCapacity Kind = "capacity" // what can be done about it
)

// IncidentState says where an incident is.
type IncidentState string

const (
	IncidentOpen         IncidentState = "open" // nobody has it yet
	IncidentAcknowledged IncidentState = "acknowledged"
	IncidentResolved     IncidentState = "resolved"
)

// IncidentFilter selects incidents.
type IncidentFilter struct {
	Shop  string
	After string // cursor into the past ones
}

// Incidents lists them.
type Incidents struct {
	At     time.Time
	Filter IncidentFilter
	Shops  []Option
	Open   []IncidentRow // open and acknowledged, worst first, then oldest
	Past   []IncidentRow // latest first
	Next   string        // cursor of the next page of Past
	Rules  int64         // things that are watched; 0: nothing would ever open an incident
	Muted  int64         // silences in force
}

// IncidentRow is one incident of a list.
type IncidentRow struct {
	ID         string
	Number     int64 // for people: incident 41
	Title      string
	Cause      string // "late-dispatch forecast", "tracking upload"
	State      IncidentState
	Level      Level
	Shop       string // empty: all
	Owner      string // role or person who has it
	Since      time.Time
	Until      *time.Time // resolved
	Alerts     int64      // alerts grouped in it
	Tasks      int64
	TasksDone  int64
	Escalates  *time.Time // when the next role is told, unless somebody acknowledges
	EscalateTo string
	Silenced   *time.Time // until when its alerts keep still
	Text       string     // one line: where it stands
}

// Incident is everything about one.
type Incident struct {
	IncidentRow
	At         time.Time
	About      Ref    // the one order it is about; zero: none
	Sentence   string // what is wrong and how much, now
	Figures    []Fact // the numbers that matter to it
	Timeline   []Entry
	Tasks      []Task
	Runbook    *Runbook
	Notices    []Notice // who was told, newest first
	Postmortem string   // draft as Markdown; empty: too early
}

// Fact is a figure with its name; it opens when it has a figure id.
type Fact struct {
	Name, Value string
	Figure      string
	Level       Level
}

// Task is one thing to tick off.
type Task struct {
	ID    string
	Text  string
	Why   string
	Owner string
	Done  bool
	By    string
	At    time.Time
	Ref   Ref
}

// Runbook is what one does in such a case.
type Runbook struct {
	Name    string
	Trigger string // "orders above 3 × the daily average"
	Steps   []RunbookStep
}

// RunbookStep is one step. Steps that Spillway does itself are done by themselves.
type RunbookStep struct {
	ID    string
	Text  string
	Auto  bool
	State string // "done", "running", "waiting", "failed", "skipped"
	Level Level
	At    *time.Time
	Note  string
	Ref   Ref
}

// Notice is one message about an incident.
type Notice struct {
	At     time.Time
	Target string
	Role   string
	State  string // "delivered", "failed", "held for quiet hours"
	Level  Level
	Text   string
}

// IncidentDraft is what somebody wants to do with an incident.
type IncidentDraft struct {
	ID    string
	Act   string // "acknowledge", "resolve", "silence", "reopen"
	Until time.Time
	Note  string
	Actor string
}

// TaskDraft ticks a task, or takes the tick back.
type TaskDraft struct {
	Incident, Task string
	Done           bool
	Actor          string
}

// Alerts is who is told what, and when not.
type Alerts struct {
	At       time.Time
	Targets  []AlertTarget
	Kinds    []TargetKind
	Roles    []Option
	Rules    []AlertRule
	Quiet    QuietHours
	Steps    []EscalationStep
	Silences []Silence // in force or to come
	Matches  []Option  // what can be silenced
	Digest   Digest
}

// TargetKind is a way of reaching somebody.
type TargetKind struct {
	ID, Name string // "webhook", "Webhook"
	Help     string // what the address looks like
}

// AlertTarget is where alerts go. Its address is never shown again: only enough to know which one it is.
type AlertTarget struct {
	ID, Name string
	Kind     string
	Hint     string // "hooks.example.com, ending …x9f2"
	Role     string
	From     Level // the least level it is told
	LastAt   *time.Time
	Last     string // "delivered", or why not
	Level    Level
}

// TargetDraft is a filled-in target form.
type TargetDraft struct {
	ID      string // caller-made
	Name    string
	Kind    string
	Address string // secret
	Role    string
	From    Level
	Actor   string
}

// AlertRule is something that is watched.
type AlertRule struct {
	ID, Name string
	When     string // "forecast chance of breach ≥ 50 % for 10 min"
	Level    Level  // of the incident it opens
	Role     string
	On       bool
	Quiet    bool       // waits for the morning in quiet hours
	LastAt   *time.Time // when it last fired
	By       string     // who has set it; empty: as the program came
	ByAt     *time.Time
}

// QuietHours are when only what is bad wakes somebody.
type QuietHours struct {
	On          bool
	From, Until string // "22:00", in Zone
	Zone        string
	Weekend     bool  // Saturday and Sunday all day
	Through     Level // what comes through all the same
}

// QuietDraft is a filled-in quiet hours form.
type QuietDraft struct {
	QuietHours
	Actor string
}

// EscalationStep is who is told when nobody has acknowledged.
type EscalationStep struct {
	After time.Duration
	Role  string
}

// EscalationDraft is a filled-in escalation form.
type EscalationDraft struct {
	Steps []EscalationStep
	Actor string
}

// Silence keeps alerts still for a while.
type Silence struct {
	ID          string
	What        string
	From, Until time.Time
	By, Reason  string
	Held        int64 // alerts kept still so far
}

// SilenceDraft is a filled-in silence form.
type SilenceDraft struct {
	ID          string // caller-made
	Match       string // id of one of Alerts.Matches
	From, Until time.Time
	Reason      string
	Actor       string
}

// Digest is the weekly mail of how things went.
type Digest struct {
	On     bool
	Day    string // "Monday"
	Hour   int    // in Zone
	Zone   string
	Role   string
	NextAt *time.Time
	LastAt *time.Time
}

// DigestDraft is a filled-in digest form.
type DigestDraft struct {
	On    bool
	Day   string
	Hour  int
	Role  string
	Actor string
}
