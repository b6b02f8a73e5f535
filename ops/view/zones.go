package view

import "time"

// ZoneCharts is the zone charts and transit tables that are loaded.
type ZoneCharts struct {
	Rows     []ZoneChart
	Carriers []string // of the nodes' lanes: whose chart one may want to load
}

// ZoneChart is the chart of a carrier.
type ZoneChart struct {
	Carrier string
	Version int64
	File    string // empty: none is in force; zones are estimated
	From    string // "895, 100"
	Ways    int
	Actor   string
	At      time.Time
	Before  string // what taking it back brings back
	Said    []ZoneChartSaid
}

// ZoneChartSaid is a version in the history, the newest first.
type ZoneChartSaid struct {
	Version     int64
	File, Actor string
	At          time.Time
}

// ZoneDraft is an uploaded chart.
type ZoneDraft struct {
	Carrier, File string
	Data          []byte
}

// ZonePreview is what an uploaded chart says, or what is wrong with it.
type ZonePreview struct {
	FormPreview
	Carrier, File string
	Draft         string // to confirm with; empty: there is nothing to confirm
	Rows          int
	Problems      []LineProblem
	More          int
}
