package web

import (
	"context"
	"io"
	"net/url"
	"time"

	"github.com/spillway/spillway/ops/view"
)

// Backend is what the pages need of the program. Package ops implements it over the store, package web/storybook over canned
// data. Errors are of package kit/errs: their kind becomes the status, their safe sentence is shown.
//
// Every Preview works out the effect with the code that does it and changes nothing.
type Backend interface {
	Queries
	Actions
	Health
	Reconciliations
	Incidents
	Nodes
	Handling
	Floor
	Shared
	Routes
	Carriers
	Zones
	Accounts
	// Live tells what changed until ctx ends; then the channel is closed. Notices are Topics. A slow receiver loses repeats
	// of a notice, never the last one of a topic; the sender never waits for it.
	Live(ctx context.Context) (<-chan string, error)
}

// Queries read. They may be called several times a second for each page somebody looks at.
type Queries interface {
	Frame(ctx context.Context) (view.Frame, error)
	Overview(ctx context.Context) (view.Overview, error)
	// Items lists items whose SKU, title or barcode matches query, from cursor after.
	Items(ctx context.Context, query, after string) (view.ItemList, error)
	// Item shows an item now, or as we knew it at asOf (by recorded time). The journal pages backwards from before (0: newest).
	Item(ctx context.Context, id string, asOf *time.Time, before int64) (view.ItemPage, error)
	Orders(ctx context.Context, f view.OrderFilter) (view.OrderList, error)
	Order(ctx context.Context, id string) (view.OrderPage, error)
	Connections(ctx context.Context) (view.Connections, error)
	Connection(ctx context.Context, id string) (view.Connection, error)
	Calendar(ctx context.Context) (view.Calendar, error)
	Problems(ctx context.Context) (view.Problems, error)
	Search(ctx context.Context, query string) (view.Found, error)
	// Explain opens a figure: its formula, inputs and rows. Ids are the Figure constants, with ":" and an id where one is needed.
	Explain(ctx context.Context, figure string) (view.Explain, error)
}

// Actions change things. Each is idempotent under the caller-made id in its draft where there is one.
type Actions interface {
	PreviewHold(ctx context.Context, d view.HoldDraft) (view.Preview, error)
	CreateHold(ctx context.Context, d view.HoldDraft) (view.Done, error)
	// PreviewHoldEnd and DeleteHold speak of an upcoming hold being withdrawn or an active one ending now.
	PreviewHoldEnd(ctx context.Context, id string) (view.Preview, error)
	DeleteHold(ctx context.Context, id, actor string) (view.Done, error)

	PreviewRules(ctx context.Context, d view.RulesDraft) (view.Preview, error)
	SetRules(ctx context.Context, d view.RulesDraft) (view.Done, error)

	PreviewStock(ctx context.Context, d view.StockDraft) (view.Preview, error)
	AdjustStock(ctx context.Context, d view.StockDraft) (view.Done, error)

	// RetryParked puts parked messages back into the inbox; no ids means all of them.
	RetryParked(ctx context.Context, ids []string, actor string) (view.Done, error)
	// Undo takes back what a Done offered to undo.
	Undo(ctx context.Context, undo, actor string) (view.Done, error)

	AddApp(ctx context.Context, d view.AppDraft) (view.App, error)
	// ConnectStart answers the vendor's consent page for an app. redirect is where the vendor sends the seller back to; the
	// state parameter is made, kept and checked by the backend.
	ConnectStart(ctx context.Context, appID, redirect, actor string) (string, error)
	// ConnectFinish takes the vendor's answer, whose state parameter must be one ConnectStart gave for this app and actor.
	ConnectFinish(ctx context.Context, appID string, answer url.Values, actor string) (view.Done, error)
}

// Accounts are the people who sign in, and their sessions.
type Accounts interface {
	UserCount(ctx context.Context) (int64, error)
	// CreateFirstUser fails with errs.Conflict when there is a user already, also when two ask at once.
	CreateFirstUser(ctx context.Context, u view.User) error
	// UserByEmail fails with errs.NotFound. Emails are compared in lower case.
	UserByEmail(ctx context.Context, email string) (view.User, error)

	// SessionFind answers false for unknown and expired tokens. Tokens are stored as given (they are hashes already).
	SessionFind(ctx context.Context, token string) ([]byte, bool, error)
	SessionCommit(ctx context.Context, token string, data []byte, expires time.Time) error
	SessionDelete(ctx context.Context, token string) error
}

// Health is what the pages of shop health and policy need. Shops are connections; an empty shop is the first that
// is judged, always the same one: the page must not turn to another under its reader.
type Health interface {
	Health(ctx context.Context, shop, causesFor string) (view.Health, error)
	// Rate is what is behind a metric of a shop. It fails with errs.NotFound for a metric the shop does not have, and with
	// errs.Invalid for a day before RatePage.First or after today.
	Rate(ctx context.Context, f view.RateFilter) (view.RatePage, error)
	// ToDo is an advice with every order it names. It fails with errs.NotFound once the advice does not hold any more.
	ToDo(ctx context.Context, shop, id string) (view.ToDo, error)
	Policy(ctx context.Context, f view.PolicyFilter) (view.Policy, error)

	PreviewAccount(ctx context.Context, d view.AccountDraft) (view.Preview, error)
	SetAccount(ctx context.Context, d view.AccountDraft) (view.Done, error)
	PreviewOverride(ctx context.Context, d view.OverrideDraft) (view.Preview, error)
	SetOverride(ctx context.Context, d view.OverrideDraft) (view.Done, error)
	PreviewOverrideEnd(ctx context.Context, id string) (view.Preview, error)
	EndOverride(ctx context.Context, id, actor string) (view.Done, error)
}

// Reconciliations is what the pages of the channels' own figures need, and the points channels took of accounts.
type Reconciliations interface {
	// StartReconcile reads uploaded files and keeps what comes of them. Where that takes long it goes on after the answer: its page tells how far it is.
	StartReconcile(ctx context.Context, d view.ReconcileDraft) (view.ReconcileStarted, error)
	Reconciliations(ctx context.Context, shop, after string) (view.Reconciliations, error)
	Reconciliation(ctx context.Context, f view.ReconciliationFilter) (view.Reconciliation, error)
	PreviewReconcileEnd(ctx context.Context, id string) (view.Preview, error)
	EndReconcile(ctx context.Context, id, actor string) (view.Done, error)

	PreviewDeduction(ctx context.Context, d view.DeductionDraft) (view.Preview, error)
	AddDeduction(ctx context.Context, d view.DeductionDraft) (view.Done, error)
	PreviewDeductionEnd(ctx context.Context, id string) (view.Preview, error)
	RemoveDeduction(ctx context.Context, id, actor string) (view.Done, error)
}

// Incidents is what the pages of incidents and alerts need. All Done may be undone with Actions.Undo where they offer it.
type Incidents interface {
	Incidents(ctx context.Context, f view.IncidentFilter) (view.Incidents, error)
	Incident(ctx context.Context, id string) (view.Incident, error)
	PreviewIncident(ctx context.Context, d view.IncidentDraft) (view.Preview, error)
	ActOnIncident(ctx context.Context, d view.IncidentDraft) (view.Done, error)
	// SetTask ticks a task or takes the tick back; it needs no preview.
	SetTask(ctx context.Context, d view.TaskDraft) (view.Done, error)

	Alerts(ctx context.Context) (view.Alerts, error)
	AddTarget(ctx context.Context, d view.TargetDraft) (view.Done, error)
	// TestTarget sends a message marked as a test and waits for the answer, which its sentence tells.
	TestTarget(ctx context.Context, id, actor string) (view.Done, error)
	PreviewTargetEnd(ctx context.Context, id string) (view.Preview, error)
	RemoveTarget(ctx context.Context, id, actor string) (view.Done, error)
	AlertRule(ctx context.Context, id string) (view.AlertRulePage, error)
	PreviewRule(ctx context.Context, d view.AlertRuleDraft) (view.Preview, error)
	SetRule(ctx context.Context, d view.AlertRuleDraft) (view.Done, error)
	PreviewQuiet(ctx context.Context, d view.QuietDraft) (view.Preview, error)
	SetQuiet(ctx context.Context, d view.QuietDraft) (view.Done, error)
	PreviewEscalation(ctx context.Context, d view.EscalationDraft) (view.Preview, error)
	SetEscalation(ctx context.Context, d view.EscalationDraft) (view.Done, error)
	PreviewSilence(ctx context.Context, d view.SilenceDraft) (view.Preview, error)
	AddSilence(ctx context.Context, d view.SilenceDraft) (view.Done, error)
	EndSilence(ctx context.Context, id, actor string) (view.Done, error)
	PreviewDigest(ctx context.Context, d view.DigestDraft) (view.Preview, error)
	SetDigest(ctx context.Context, d view.DigestDraft) (view.Done, error)
}

// Handling is what the pages of items' measures, cartons and shelves need.
type Handling interface {
	ItemHandling(ctx context.Context, item string) (view.ItemHandling, error)
	PreviewHandling(ctx context.Context, d view.HandlingDraft) (view.FormPreview, error)
	// SaveHandling fails with errs.Conflict if somebody else saved it since the form was made.
	SaveHandling(ctx context.Context, d view.HandlingDraft) (view.Done, error)

	Cartons(ctx context.Context) (view.Cartons, error)
	// Carton is one of them; the id "" is a new one. It fails with errs.NotFound.
	Carton(ctx context.Context, id string) (view.CartonPage, error)
	PreviewCarton(ctx context.Context, d view.CartonDraft) (view.FormPreview, error)
	SaveCarton(ctx context.Context, d view.CartonDraft) (view.Done, error)

	// ImportTable takes all of a CSV file in, or nothing and says what is wrong by line.
	ImportTable(ctx context.Context, kind string, data []byte, actor string) (view.TableImport, error)
	ExportTable(ctx context.Context, kind string, w io.Writer) error
}

// Nodes is what the pages of nodes need.
type Nodes interface {
	Nodes(ctx context.Context) (view.Nodes, error)
	// Node is one of them; the id "" is a new one. It fails with errs.NotFound.
	Node(ctx context.Context, id string) (view.NodePage, error)
	PreviewNode(ctx context.Context, d view.NodeDraft) (view.NodePreview, error)
	// SaveNode fails with errs.Conflict if somebody else saved it since the form was made.
	SaveNode(ctx context.Context, d view.NodeDraft) (view.Done, error)
	// ReadKept asks the logistics provider of a node for its stock. TakeKept books the differences of a reading; it fails with errs.Conflict where there is a
	// newer one, or this one is too old.
	ReadKept(ctx context.Context, node string) (view.Done, error)
	TakeKept(ctx context.Context, node string, read time.Time, actor string) (view.Done, error)
}

// Routes is what pages need to show and change from where orders leave.
type Routes interface {
	PreviewReroute(ctx context.Context, d view.RerouteDraft) (view.Preview, error)
	Reroute(ctx context.Context, d view.RerouteDraft) (view.Done, error)
	// RetryParcel has what a shipper or a channel refused tried again. It fails with errs.Conflict if nothing is asked of a person.
	RetryParcel(ctx context.Context, id, actor string) (view.Done, error)
	// CustodyProof is the proof file of a parcel of an order. It fails with errs.NotFound while nothing of it is signed.
	CustodyProof(ctx context.Context, orderID, parcel string) ([]byte, error)
	// SettleParcel says what became of a parcel that is stuck. It fails with errs.Conflict if nothing is waited for, and errs.Invalid without a reason.
	SettleParcel(ctx context.Context, id, actor, why string) (view.Done, error)
	// Renumber enters another tracking number for a parcel. It fails with errs.Conflict where the number cannot be changed any more, errs.Invalid where it
	// is no number of the carrier.
	Renumber(ctx context.Context, d view.RenumberDraft) (view.Done, error)
	// DivideParcel makes two parcels of one. It fails with errs.Conflict where it cannot be divided any more, errs.Invalid where it cannot be divided so.
	DivideParcel(ctx context.Context, d view.DivisionDraft) (view.Done, error)

	Routing(ctx context.Context) (view.Routing, error)
	PreviewRouting(ctx context.Context, d view.RoutingDraft) (view.RoutingPreview, error)
	// SaveRouting fails with errs.Conflict if somebody else saved the rules since the form was made.
	SaveRouting(ctx context.Context, d view.RoutingDraft) (view.Done, error)
	// StartWave plans all open orders together, and with Apply moves them; it goes on behind the answer. It fails with errs.Conflict while one runs.
	StartWave(ctx context.Context, d view.WaveDraft) (view.Done, error)

	Capacity(ctx context.Context) (view.Capacity, error)
	PreviewProposal(ctx context.Context, d view.ProposalDraft) (view.Preview, error)
	// ApplyProposal fails with errs.NotFound once the proposal does not hold any more.
	ApplyProposal(ctx context.Context, d view.ProposalDraft) (view.Done, error)
}
