package view

import "time"

// Carriers is the accounts parcels are shipped with.
type Carriers struct {
	At       time.Time
	Accounts []CarrierAccount
	Kinds    []CarrierKind
}

// CarrierKind is a carrier, a label broker or a logistics provider an account can be had with.
type CarrierKind struct {
	Name, Title string
	Docs        string // page under docs/connectors
	Settings    []Setting
	Can         []string
	Keeps       bool // it keeps the stock and picks: a logistics provider
	Unsigned    bool // its webhooks carry no signature
}

// CarrierAccount is an account, its secrets left out.
type CarrierAccount struct {
	ID, Carrier, Title, Name string
	Settings                 []Input // Name and Value
	CreatedBy                string
	CreatedAt                time.Time
	WebhookURL               string   // to enter with the carrier
	Unsigned                 bool     // only that address guards its webhooks
	Nodes                    []string // that ship with it, by name
	State                    string   // "answers", "fails", "not used yet"
	Level                    Level
	Requests, Errors         []Exchange // latest first
}

// CarrierDraft is a filled-in form of a new account.
type CarrierDraft struct {
	Carrier, Name string
	Settings      map[string]string // secrets included
	Actor         string
}

// Track is what a buyer may see of a parcel: nothing about who bought, and of what only how much.
type Track struct {
	Status     string // in plain words
	Detail     string // one sentence more
	Level      Level
	Carrier    string
	Number     string
	URL        string // the carrier's own page; empty: none is known
	Units      int64
	Expected   Day // empty: not known
	Delivered  *time.Time
	Scans      []TrackScan // latest first
	Zone       string      // of the node it left, for times
	HandedOver *time.Time
}

// TrackScan is one thing the carrier told.
type TrackScan struct {
	At    time.Time
	What  string
	Place string
}
