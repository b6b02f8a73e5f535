package incident

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of runbooks.
const (
	maxFile     = 64 << 10 // bytes of a file
	maxRunbooks = 100
	maxSteps    = 40 // more is a handbook
	maxWords    = 500
)

// Runbook is what one does when something happens.
type Runbook struct {
	ID      string  `yaml:"id"`
	Title   string  `yaml:"title"`
	Trigger Trigger `yaml:"trigger"`
	Steps   []Step  `yaml:"steps"`
}

// Trigger says for which incidents a runbook starts.
type Trigger struct {
	Words   string         `yaml:"words"` // for people: "orders above 3 × the daily average"
	Kind    alert.Kind     `yaml:"kind"`
	AtLeast alert.Severity `yaml:"at_least"` // milder ones do not start it; empty: all do
	Figure  string         `yaml:"figure"`   // the name of a figure that must be Value or more; empty: none
	Value   int64          `yaml:"value"`    // in the figure's own unit
}

// Step is one thing to do.
type Step struct {
	Text   string     `yaml:"text"`
	Why    string     `yaml:"why"`
	Role   alert.Role `yaml:"role"`   // empty: the owner of the alert
	Within string     `yaml:"within"` // after the incident was opened, such as 30m; empty: no due time
	Page   string     `yaml:"page"`   // of Spillway, where it is done: "/orders"
	within time.Duration
}

// Task is one thing to be done about an incident.
type Task struct {
	ID         string    `json:"id"` // of one from a runbook: the same whenever it is made again
	IncidentID string    `json:"incident_id"`
	Runbook    string    `json:"runbook,omitzero"`
	Order      int64     `json:"order"`
	Text       string    `json:"text"`
	Why        string    `json:"why,omitzero"`
	Page       string    `json:"page,omitzero"`
	Owner      string    `json:"owner"` // a role or a person
	Due        time.Time `json:"due,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by,omitzero"` // empty: Spillway
	DoneAt     time.Time `json:"done_at,omitzero"`
	DoneBy     string    `json:"done_by,omitzero"`
}

//go:embed runbooks/*.yaml
var shipped embed.FS

// Shipped are the runbooks that come with the program.
func Shipped() ([]Runbook, error) {
	var out []Runbook
	err := fs.WalkDir(shipped, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := shipped.ReadFile(path)
		if err != nil {
			return err
		}
		rs, err := Decode(bytes.NewReader(text))
		out = append(out, rs...)
		return errs.Wrap("incident.Shipped", path, err)
	})
	return out, err
}

// Decode reads runbooks: one YAML document each. Errors: Invalid, with what is wrong and where.
func Decode(r io.Reader) ([]Runbook, error) {
	const op = "incident.Decode"
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, errs.Wrap(op, "", err)
	}
	if len(text) > maxFile {
		return nil, errs.New(errs.Invalid, op, "", "the file is longer than %d KiB", maxFile>>10)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	var out []Runbook
	for {
		var b Runbook
		err := dec.Decode(&b)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, &errs.Error{Kind: errs.Invalid, Op: op, Safe: "the runbook cannot be read: " + strings.TrimPrefix(err.Error(), "yaml: "), Cause: err}
		}
		if err := b.check(); err != nil {
			return nil, err
		}
		if out = append(out, b); len(out) > maxRunbooks {
			return nil, errs.New(errs.Invalid, op, b.ID, "more than %d runbooks", maxRunbooks)
		}
	}
}

func (b *Runbook) check() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "incident.Decode", b.ID, format, args...)
	}
	switch {
	case b.ID == "" || b.Title == "":
		return bad("a runbook needs an id and a title")
	case !slices.ContainsFunc(alert.Rules(), func(r alert.Rule) bool { return r.Kind == b.Trigger.Kind }):
		return bad("the trigger names no kind of alert there is: %q", b.Trigger.Kind)
	case b.Trigger.AtLeast != "" && !slices.Contains(alert.Severities, b.Trigger.AtLeast):
		return bad("there is no severity %q", b.Trigger.AtLeast)
	case len(b.Steps) == 0 || len(b.Steps) > maxSteps:
		return bad("a runbook has 1 to %d steps", maxSteps)
	}
	for n := range b.Steps {
		s := &b.Steps[n]
		if s.Text == "" || len(s.Text) > maxWords || len(s.Why) > maxWords {
			return bad("step %d needs a text of at most %d characters", n+1, maxWords)
		}
		if s.Role != "" && s.Role != alert.Owner && !slices.Contains(alert.Roles, s.Role) {
			return bad("step %d: there is no role %q", n+1, s.Role)
		}
		if s.Page != "" && (!strings.HasPrefix(s.Page, "/") || strings.HasPrefix(s.Page, "//")) {
			return bad("step %d: a page is a path such as /orders", n+1)
		}
		if s.Within == "" {
			continue
		}
		d, err := time.ParseDuration(s.Within)
		if err != nil || d <= 0 {
			return bad("step %d: %q is not a time such as 30m or 2h", n+1, s.Within)
		}
		s.within = d
	}
	return nil
}

// With puts own runbooks in place of those with the same id, and behind the others.
func With(base, own []Runbook) []Runbook {
	out := slices.DeleteFunc(slices.Clone(base), func(b Runbook) bool {
		return slices.ContainsFunc(own, func(o Runbook) bool { return o.ID == b.ID })
	})
	return append(out, own...)
}

// Matches reports whether a runbook starts for an incident.
func (b Runbook) Matches(i alert.Incident) bool {
	t := b.Trigger
	if t.Kind != i.Kind || !i.Severity.AtLeast(cmp.Or(t.AtLeast, alert.Info)) {
		return false
	}
	if t.Figure == "" {
		return true
	}
	f, ok := i.Last.Figure(t.Figure)
	return ok && f.Value >= t.Value
}

// Start makes the tasks of all runbooks that start for an incident. owner is the role the alert belongs to.
func Start(books []Runbook, i alert.Incident, owner alert.Role) []Task {
	var out []Task
	for _, b := range books {
		if !b.Matches(i) {
			continue
		}
		for n, s := range b.Steps {
			role := s.Role
			if role == "" || role == alert.Owner {
				role = owner
			}
			t := Task{ID: hash(i.ID, b.ID, fmt.Sprint(n)), IncidentID: i.ID, Runbook: b.ID, Order: int64(n + 1), Text: s.Text, Why: s.Why, Page: s.Page, Owner: string(role), CreatedAt: i.OpenedAt}
			if s.within > 0 {
				t.Due = i.OpenedAt.Add(s.within)
			}
			out = append(out, t)
		}
	}
	return out
}

// Check refuses a task of a person's that says nothing. Errors: Invalid.
func (t Task) Check() error {
	if t.ID == "" || t.IncidentID == "" || strings.TrimSpace(t.Text) == "" || len(t.Text) > maxWords {
		return errs.New(errs.Invalid, "incident.Task", t.ID, "a task needs an id, an incident and a text of at most %d characters", maxWords)
	}
	return nil
}

func hash(parts ...string) string {
	h := sha256.Sum256([]byte("task\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:12])
}
