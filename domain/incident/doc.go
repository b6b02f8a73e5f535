// Package incident is what people do about an alert: the tasks of a runbook that starts by itself, and the draft of a postmortem.
//
// Runbooks are data: YAML with a trigger and steps. Ours are embedded, an operator's own replace those with the same id. A runbook started
// twice for one incident gives the same tasks, with the same ids. Drafts hold what is in the incident and its timeline, which hold no
// personal data. It reads no clock and imports no store.
package incident
