package store

import "github.com/spillway/spillway/store/sqlcore"

// IncidentFilter selects incidents; see [Tx.IncidentList].
type IncidentFilter = sqlcore.IncidentFilter
