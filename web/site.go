package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Options configure a Site. The zero value works: it logs nowhere, reads the real clock and sends cookies over plain HTTP.
type Options struct {
	Log           *slog.Logger
	Now           func() time.Time
	Version       string
	SecureCookies bool   // the site is reached over https, directly or behind a proxy
	PublicURL     string // scheme and host as browsers see them, for a vendor's redirect; empty: taken from the request
	SetupCode     string // asked for when the first user is made; set it whenever strangers can reach the site
	DemoUser      string // email under which visitors from this machine are signed in without a password; empty: nobody is
}

// Site is the control room. It is safe for concurrent use.
type Site struct {
	b        Backend
	o        Options
	assets   *assets
	sessions *scs.SessionManager
	rooms    *rooms
	logins   *limiter
	tracks   *limiter
	hashes   chan struct{}
	uploads  chan struct{}
	handler  http.Handler
}

// New makes the control room over b.
func New(b Backend, o Options) *Site {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{b: b, o: o, assets: newAssets(), logins: newLimiter(o.Now, loginEvery, loginBurst), tracks: newLimiter(o.Now, trackEvery, trackBurst), hashes: make(chan struct{}, maxHashes), uploads: make(chan struct{}, uploadsAtOnce)}
	s.sessions = newSessions(b, o)
	s.rooms = newRooms(s.paint, b.Live, o)
	s.handler = s.secure(s.routes())
	return s
}

// ServeHTTP answers every address of the control room.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends all live streams, so that a server can shut down without waiting for browsers to leave.
func (s *Site) Close() { s.rooms.close() }

// routes is the map of the control room: every address, in one place.
func (s *Site) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.Handle("GET /assets/", s.assets)
	s.public(m, "GET /login", s.showLogin)
	s.public(m, "POST /login", s.login)
	s.public(m, "GET /setup", s.showSetup)
	s.public(m, "POST /setup", s.setup)
	s.private(m, "POST /logout", s.logout)

	s.page(m, "GET /{$}", s.overview)
	s.page(m, "GET /items", s.items)
	s.page(m, "GET /items/{id}", s.item)
	s.private(m, "POST /items/{id}/stock", s.adjustStock)
	s.private(m, "POST /listings/{id}/rules", s.setRules)
	s.page(m, "GET /orders", s.orders)
	s.page(m, "GET /orders/{id}", s.order)
	s.routingRoutes(m)
	s.carrierRoutes(m)
	s.zoneRoutes(m)
	s.page(m, "GET /connections", s.connections)
	s.page(m, "GET /connections/{id}", s.connection)
	s.page(m, "GET /vendors/{vendor}/app", s.newApp)
	s.private(m, "POST /apps", s.addApp)
	s.private(m, "POST /apps/{id}/connect", s.connectStart)
	s.private(m, "GET /apps/{id}/callback", s.connectFinish)
	s.page(m, "GET /live", s.calendar)
	s.private(m, "POST /live", s.createHold)
	s.private(m, "POST /live/{id}/end", s.endHold)
	s.page(m, "GET /problems", s.problems)
	s.private(m, "POST /problems/retry", s.retryParked)
	s.page(m, "GET /search", s.search)
	s.healthRoutes(m)
	s.reconcileRoutes(m)
	s.incidentRoutes(m)
	s.floorRoutes(m)
	s.sharedRoutes(m)
	s.handlingRoutes(m)
	s.page(m, "GET /nodes", s.nodes)
	s.page(m, "GET "+newNodePath, s.newNode)
	s.private(m, "POST "+newNodePath, s.saveNode)
	s.page(m, "GET /nodes/{id}", s.node)
	s.private(m, "POST /nodes/{id}", s.saveNode)
	s.private(m, "POST /nodes/{id}/stock", s.keptStock)
	s.private(m, "GET /explain/{figure}", s.explain)
	s.private(m, "POST /undo", s.undo)
	s.private(m, "/", s.unknown)
	return m
}

func (s *Site) healthRoutes(m *http.ServeMux) {
	s.page(m, "GET /health", s.shopHealth)
	s.page(m, "GET /health/{metric}", s.rate)
	s.page(m, "GET /health/do/{id}", s.toDo)
	s.private(m, "POST /health/account", s.setAccount)
	s.page(m, "GET /policy", s.policy)
	s.private(m, "POST /policy/overrides", s.setOverride)
	s.private(m, "POST /policy/overrides/{id}/end", s.endOverride)
}

func (s *Site) routingRoutes(m *http.ServeMux) {
	s.private(m, "POST /orders/{id}/reroute", s.reroute)
	s.private(m, "POST /orders/{id}/parcels/{parcel}/retry", s.retryParcel)
	s.private(m, "GET /orders/{id}/parcels/{parcel}/custody.json", s.custodyProof)
	s.private(m, "POST /orders/{id}/parcels/{parcel}/settle", s.settleParcel)
	s.private(m, "POST /orders/{id}/parcels/{parcel}/number", s.renumber)
	s.private(m, "POST /orders/{id}/parcels/{parcel}/divide", s.divideParcel)
	s.page(m, "GET /routing", s.routing)
	s.private(m, "POST /routing", s.saveRouting)
	s.private(m, "POST /routing/wave", s.startWave)
	s.page(m, "GET /capacity", s.capacity)
	s.private(m, "POST /capacity", s.applyProposal)
}

func (s *Site) incidentRoutes(m *http.ServeMux) {
	s.page(m, "GET /incidents", s.incidentList)
	s.page(m, "GET /incidents/{id}", s.incident)
	s.private(m, "POST /incidents/{id}", s.act)
	s.private(m, "POST /incidents/{id}/tasks", s.setTask)
	s.private(m, "GET /incidents/{id}/postmortem.md", s.postmortem)
	s.page(m, "GET /alerts", s.alerts)
	s.private(m, "POST /alerts/targets", s.addTarget)
	s.private(m, "POST /alerts/targets/{id}/test", s.testTarget)
	s.private(m, "POST /alerts/targets/{id}/remove", s.removeTarget)
	s.page(m, "GET /alerts/rules/{id}", s.alertRule)
	s.private(m, "POST /alerts/rules/{id}", s.setAlertRule)
	s.private(m, "POST /alerts/quiet", s.setQuiet)
	s.private(m, "POST /alerts/escalation", s.setEscalation)
	s.private(m, "POST /alerts/silences", s.addSilence)
	s.private(m, "POST /alerts/silences/{id}/end", s.endSilence)
	s.private(m, "POST /alerts/digest", s.setDigest)
}

// action answers one request; its error becomes a page with the kind's status.
type action func(w http.ResponseWriter, r *http.Request) error

// page registers a page: drawn once for a browser, or streamed to it.
func (s *Site) page(m *http.ServeMux, pattern string, load loader) {
	s.private(m, pattern, func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Query().Get("live") == "1" {
			return s.stream(w, r, load)
		}
		_, ctx := s.frame(r.Context())
		r = r.WithContext(ctx)
		p, err := load(ctx, r)
		if err != nil {
			return err
		}
		return s.show(w, r, http.StatusOK, p)
	})
}
