package ops

import (
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/store"
)

// What the API says of incidents, under names it may use: it sees use-cases only.
type (
	Incident       = store.Incident
	IncidentFilter = store.IncidentFilter
	AlertRule      = alert.Rule
	AlertEntry     = alert.Entry
	AlertKind      = alert.Kind
	IncidentPhase  = alert.Phase
)

// IncidentResolved is the phase of what is over.
const IncidentResolved = alert.Resolved
