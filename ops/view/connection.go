package view

import "time"

// Connections is every wire to the outside.
type Connections struct {
	At          time.Time
	Connections []Connection
	Apps        []App
	Vendors     []Vendor
}

// Vendor is a system we can connect to and what it can do.
type Vendor struct {
	Name, Title  string
	Docs         string // page under docs/connectors
	Write        string // how it takes numbers: absolute, compare-and-set, delta
	AppSettings  []Setting
	Capabilities []Capability
}

// Setting is one field of the app form.
type Setting struct {
	Name, Help, Default string
	Required, Secret    bool
}

// Capability is one thing a vendor's connector can or cannot do.
type Capability struct {
	Name    string
	Support string // "yes", "no", "not yet"
	Why     string
	Link    string
}

// App is the operator's registration with a vendor, secrets left out.
type App struct {
	ID, Vendor, Title string
	Key               string // public id of the app
	CreatedAt         time.Time
	RedirectURL       string // to enter at the vendor
	WebhookURL        string // to enter at the vendor, where it is not registered by us
	Shops             int64
}

// AppDraft is a filled-in app form.
type AppDraft struct {
	Vendor      string
	Key, Secret string
	Settings    map[string]string
	Actor       string
}

// Connection is one connected shop.
type Connection struct {
	ID, AppID                   string
	Vendor, VendorTitle         string
	Shop, Region                string
	State                       string // right, not answering, reading its history, paused, needs login, withdrawn
	Text                        string // why, or what is going on
	Level                       Level
	Simulated                   bool
	AccessExpires, LoginExpires *time.Time // nil: never
	Streams                     []Stream
	Webhooks                    []Webhook
	MessageAt                   *time.Time // when the newest message about orders came; nil: none since this program started
	Listings, Wrong             int64
	Waiting                     int64 // listings waiting for their next push
	Rates                       []Rate
	LastSeen                    time.Time
	Errors                      []Exchange // latest first
	Requests                    []Exchange // latest first
	Drift                       []Drift
	Capabilities                []Capability
	Write                       string
	Combine                     string // what is done with orders that may ship as one: off, propose, automatic; empty: the channel combines none
}

// Stream is one kind of record we read behind the webhooks, with how far we are.
type Stream struct {
	Name      string // "orders", "quantities"
	Watermark time.Time
	RunAt     time.Time
	Level     Level
	Text      string
}

// Webhook is one topic the vendor sends us.
type Webhook struct {
	Topic, Address string
	State          string     // "subscribed", "missing", "other address"
	LastAt         *time.Time // nil: none yet, or not known by topic; see Connection.MessageAt
	Level          Level
}

// Rate is how much of a documented limit is used.
type Rate struct {
	Operation string
	Limit     float64 // per second
	Used      float64 // per second over the last minute
	Throttled int64   // answers of "too many requests" in the last hour
}

// Exchange is one request and its answer; never bodies or secrets.
type Exchange struct {
	At        time.Time
	Operation string
	Status    int
	Code      string
	RequestID string
	Took      time.Duration
	Err       string
}
