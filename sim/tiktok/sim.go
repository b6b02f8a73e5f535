package tiktok

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// Defaults of Options. Sources are the sections of the platform's documentation where not said otherwise.
const (
	defaultHold         = time.Hour            // remorse period of a paid order
	defaultPayWindow    = 24 * time.Hour       // payment time-out; not documented, a day is usual
	defaultReview       = 48 * time.Hour       // for a seller to answer a cancellation or a return
	defaultAccessLife   = 7 * 24 * time.Hour   // of an access token
	defaultGrantLife    = 365 * 24 * time.Hour // of an authorisation, and so of a refresh token; the seller chooses
	defaultRateLimit    = 50                   // requests a second for each endpoint, app and shop
	defaultWorkers      = 64                   // webhooks on their way at once; the platform does not wait for a slow receiver
	defaultLowStock     = 10                   // units at which a SKU counts as low; the seller chooses
	defaultAfterSales   = 30 * 24 * time.Hour  // from delivered to completed; differs by category, not documented
	refundDelay         = time.Hour            // from an approved cancellation to its completion; not documented
	codeLife            = 30 * time.Minute     // of an authorisation code
	webhookTimeout      = 3 * time.Second      // slower answers count as failures
	maxRequestBody      = 1 << 20              // above what the largest documented call needs
	maxUnits            = 500                  // in one order of the simulator: one line item a unit
	trackingChangeLimit = 72 * time.Hour       // for the one correction of a tracking number
)

// webhookRetries are the documented waits after each failed attempt.
var webhookRetries = []time.Duration{2 * time.Minute, 30 * time.Minute, 3 * time.Hour, 12 * time.Hour}

// Options configure a simulator. The zero value of a field takes the documented behaviour.
type Options struct {
	Clock world.Clock // nil is the wall clock
	Seed  uint64
	Log   *slog.Logger // nil discards

	AppKey      string // empty makes one from the seed; the same goes for the next two
	AppSecret   string
	ServiceID   string
	RedirectURL string   // where consent sends the browser when the request names no redirect_uri
	AutoApprove bool     // the consent page answers at once
	Scopes      []string // granted; nil grants every scope of an implemented endpoint

	Shops      []ShopSpec
	WebhookURL string // address of every event that a shop has not set itself, as set in the developer console

	Hold              time.Duration // negative: no remorse period
	PayWindow         time.Duration
	ReviewWindow      time.Duration
	AfterSales        time.Duration
	AccessLife        time.Duration
	GrantLife         time.Duration
	DocumentDelay     time.Duration // until a shipping document is ready
	RateLimit         int           // a second; negative: none
	HourlyQuota       int           // requests an hour and shop, 1,000 on the platform's sandbox shops; 0: none
	LowStock          int           // units; negative: never low
	KeepStockOnCancel bool          // a cancelled unit is not put back on sale
	NoAutoCancel      bool          // orders past their due times are left alone
	WebhookWorkers    int
	WebhookTimeout    time.Duration
}

func (o *Options) fill(g *ids) {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if o.Clock == nil {
		o.Clock = world.Wall()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.AppKey == "" {
		o.AppKey = strings.ToLower(g.secret("", 9)[:12])
	}
	if o.AppSecret == "" {
		o.AppSecret = fmt.Sprintf("%016x%08x", g.rnd.Uint64(), g.rnd.Uint32())
	}
	if o.ServiceID == "" {
		o.ServiceID = g.of("user")
	}
	if o.Scopes == nil {
		o.Scopes = allScopes()
	}
	if o.RateLimit == 0 {
		o.RateLimit = defaultRateLimit
	}
	if o.WebhookWorkers == 0 {
		o.WebhookWorkers = defaultWorkers
	}
	if o.LowStock == 0 {
		o.LowStock = defaultLowStock
	}
	set(&o.Hold, defaultHold)
	set(&o.PayWindow, defaultPayWindow)
	set(&o.ReviewWindow, defaultReview)
	set(&o.AfterSales, defaultAfterSales)
	set(&o.AccessLife, defaultAccessLife)
	set(&o.GrantLife, defaultGrantLife)
	set(&o.WebhookTimeout, webhookTimeout)
}

// Sim is one simulated platform with its app, sellers and shops. All methods are safe for concurrent use. One lock
// guards all state: no call holds it across I/O.
type Sim struct {
	o       Options
	faults  *world.Faults
	courier *world.Courier
	reqlog  *requestLog
	handler http.Handler

	mu       sync.Mutex
	ids      *ids
	last     int64 // newest time given out, so that times never go back
	sellers  map[string]*seller
	shops    map[string]*shop
	byCipher map[string]*shop
	sequence []string // shop ids in order of making
	orders   map[string]*order
	codes    map[string]*authCode
	access   map[string]*token
	refresh  map[string]*token
	console  map[string]string // event to address, "*" for every event
	limits   limiter
	empty    EmptyBodies
	stopped  bool
	timers   map[uint64]func()
	timerSeq uint64
}

// EmptyBodies counts how clients sign a body of {} or [], which the documentation leaves open.
type EmptyBodies struct {
	Signed   int `json:"signed"`
	Unsigned int `json:"unsigned"`
}

// New makes a simulator with the shops of o. A shop that cannot be made as described is a programmer's error of the
// caller and is reported by the error.
func New(o Options) (*Sim, error) {
	g := newIDs(o.Seed)
	o.fill(g)
	s := &Sim{
		o: o, ids: g, faults: world.NewFaults(o.Seed), reqlog: newRequestLog(),
		sellers: map[string]*seller{}, shops: map[string]*shop{}, byCipher: map[string]*shop{}, orders: map[string]*order{},
		codes: map[string]*authCode{}, access: map[string]*token{}, refresh: map[string]*token{},
		console: map[string]string{}, timers: map[uint64]func(){}, limits: newLimiter(o.RateLimit, o.HourlyQuota),
	}
	if o.WebhookURL != "" {
		s.console["*"] = o.WebhookURL
	}
	s.courier = world.NewCourier(world.CourierOptions{
		Clock: o.Clock, Faults: s.faults, Log: o.Log, Retries: webhookRetries, Timeout: o.WebhookTimeout,
		Workers: o.WebhookWorkers, Accepted: func(status int) bool { return status == http.StatusOK },
		Headers: func(m world.Message, _ int, h http.Header) {
			h.Set("Authorization", webhookSign(o.AppKey, o.AppSecret, m.Body))
		},
	})
	s.handler = s.routes()
	for _, spec := range o.Shops {
		if _, err := s.AddShop(spec); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// Handler serves every host of the platform in one: the API, the token host, the consent page, and /_sandbox/. Every answer is
// dated by the simulator's clock, by which clients judge their own.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.o.Clock.Now().UTC().Format(http.TimeFormat))
		s.handler.ServeHTTP(w, r)
	})
}

// Faults are the rules that make calls and webhooks go wrong.
func (s *Sim) Faults() *world.Faults { return s.faults }

// Webhooks is the courier, for its log, its counts and Idle.
func (s *Sim) Webhooks() *world.Courier { return s.courier }

// Clock is the clock the simulator lives by.
func (s *Sim) Clock() world.Clock { return s.o.Clock }

// Stop ends webhooks and timers. Calls over HTTP still answer from what is there.
func (s *Sim) Stop() {
	s.mu.Lock()
	s.stopped = true
	cancels := slices.Collect(maps.Values(s.timers))
	clear(s.timers)
	s.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
	s.courier.Stop()
}

// now is the time in Unix seconds, never earlier than before. The caller holds the lock.
func (s *Sim) now() int64 {
	s.last = max(s.last, s.o.Clock.Now().Unix())
	return s.last
}

// at runs fn with the lock held at a time, unless the returned cancel is called first with the lock held, or the
// simulator stops. The caller holds the lock.
func (s *Sim) at(when time.Time, fn func()) (cancel func()) {
	if s.stopped {
		return func() {}
	}
	s.timerSeq++
	id := s.timerSeq
	stop := s.o.Clock.At(when, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.timers[id]; ok {
			delete(s.timers, id)
			fn()
		}
	})
	s.timers[id] = stop
	return func() {
		if _, ok := s.timers[id]; ok {
			delete(s.timers, id)
			stop()
		}
	}
}

// Access is what a client needs to begin at once, without the consent page.
type Access struct {
	AppKey       string `json:"app_key"`
	AppSecret    string `json:"app_secret"`
	ServiceID    string `json:"service_id"`
	Seller       string `json:"seller"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

// Describe prints, for people, how to reach the simulator at baseURL: keys, working tokens of each seller, the shops
// with their ciphers, and where the page is.
func (s *Sim) Describe(baseURL string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "TikTok Shop sandbox at %s\n", baseURL)
	fmt.Fprintf(&b, "  app key      %s\n  app secret   %s\n  service id   %s\n", s.o.AppKey, s.o.AppSecret, s.o.ServiceID)
	fmt.Fprintf(&b, "  consent      %s/open/authorize?service_id=%s&state=…\n  page         %s/_sandbox/\n", baseURL, s.o.ServiceID, baseURL)
	for _, name := range s.Sellers() {
		a, err := s.Access(name)
		if err != nil {
			continue // only when a seller vanished meanwhile, and sellers never do
		}
		fmt.Fprintf(&b, "  seller %q\n    access token   %s\n    refresh token  %s\n", name, a.AccessToken, a.RefreshToken)
		for _, sh := range s.Shops() {
			if sh.Seller == name {
				fmt.Fprintf(&b, "    shop %s  %s  %s  cipher %s\n", sh.ID, sh.Region, sh.Name, sh.Cipher)
			}
		}
	}
	return b.String()
}
