package tiktok

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// Gateway codes that more than one place answers.
const (
	codeThrottled    = 36009002
	codeInternal     = 36009003
	codeBadParameter = 36009004
	codeNoPath       = 36009009
	codeNoMethod     = 36009010
	codeNoJSON       = 36009023
	codeBadCipher    = 101000
	codeExpired      = 105002
	codeNoScope      = 105005
	codeBadSign      = 106001
	codeNoCipher     = 106013
)

// failure is an answer other than success. data is what a batch call reports besides.
type failure struct {
	http, code int
	message    string
	data       any
}

// fail is a business failure, or a gateway failure with its usual HTTP status.
func fail(code int, format string, args ...any) *failure {
	status := http.StatusOK
	switch code {
	case codeThrottled:
		status = http.StatusTooManyRequests
	case codeInternal:
		status = http.StatusInternalServerError
	case codeBadParameter, codeNoCipher, codeBadCipher, codeNoJSON:
		status = http.StatusBadRequest
	case codeNoPath:
		status = http.StatusNotFound
	case codeNoMethod:
		status = http.StatusMethodNotAllowed
	case codeExpired, codeBadSign:
		status = http.StatusUnauthorized
	case codeNoScope:
		status = http.StatusForbidden
	}
	return &failure{http: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badParameter(what string) *failure {
	return fail(codeBadParameter, "Invalid or missing parameter: %s", what)
}

// call is one request on its way through the simulator.
type call struct {
	*http.Request
	route *route
	vars  map[string]string
	query url.Values
	body  []byte
	shop  *shop
	grant *grant
	log   *Request
}

// decode reads the JSON body. An empty list stands for an empty object, as one published client sends it.
func (c *call) decode(into any) *failure {
	if len(c.body) == 0 || emptyJSON(c.body) {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return badParameter(fmt.Sprintf("%s must be of type %s", wrong.Field, wrong.Type))
		}
		return badParameter("the body is not JSON")
	}
	return nil
}

// opt is an optional object whose absence some clients write as an empty list.
type opt[T any] struct {
	set bool
	v   T
}

// UnmarshalJSON reads an object, or [] and null as absent.
func (o *opt[T]) UnmarshalJSON(b []byte) error {
	if emptyJSON(b) || string(b) == "null" {
		return nil
	}
	o.set = true
	return json.Unmarshal(b, &o.v)
}

// routes builds the whole handler: log, faults, gateway, page.
func (s *Sim) routes() http.Handler {
	table := newTable(endpoints())
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, table) })
	point := func(r *http.Request) string { return r.Method + " " + r.URL.Path }
	faulty := s.faults.Intercept(s.o.Clock, point, s.answerFault, api)
	mux := http.NewServeMux()
	mux.Handle("/", s.logged(faulty))
	mux.HandleFunc("GET /open/authorize", s.consent)
	mux.HandleFunc("GET /oauth/authorize", s.consent)
	s.pages(mux)
	return mux
}

type logKey struct{}

// logged notes every API call, also one whose connection is cut.
func (s *Sim) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := &Request{At: s.o.Clock.Now(), Method: r.Method, Path: r.URL.Path}
		began := time.Now()
		cut := true
		defer func() {
			line.MS = float64(time.Since(began).Microseconds()) / 1000
			if cut {
				line.HTTP, line.Note = 0, "connection cut by an arranged fault"
			}
			s.reqlog.add(*line)
		}()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), logKey{}, line)))
		cut = false
	})
}

// answerFault writes the platform's form of an arranged fault.
func (s *Sim) answerFault(w http.ResponseWriter, r *http.Request, k world.Kind) {
	var f *failure
	switch k {
	case world.Throttle:
		f = fail(codeThrottled, "Too many requests")
	case world.Unavailable:
		f = fail(codeThrottled, "Service overloaded")
		f.http = http.StatusServiceUnavailable
	case world.TokenExpired:
		f = fail(codeExpired, "Expired credentials")
	default:
		f = fail(codeInternal, "Internal error")
	}
	s.write(w, r, nil, f, "arranged fault: "+string(k))
}

// serve answers one API call.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, table *table) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		s.write(w, r, nil, badParameter("the body is too large or was cut"), "")
		return
	}
	c := &call{Request: r, query: r.URL.Query(), body: body, log: r.Context().Value(logKey{}).(*Request)}
	var f *failure
	if c.route, c.vars, f = table.find(r.Method, r.URL.Path); f != nil {
		s.write(w, r, nil, f, "")
		return
	}
	data, f := s.handle(c)
	s.write(w, r, data, f, c.log.Note)
}

// handle checks and runs a call with the lock held.
func (s *Sim) handle(c *call) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.route.open {
		if f := s.check(c); f != nil {
			return nil, f
		}
		key := ""
		if c.shop != nil {
			key = c.shop.id
		}
		if !s.limits.allow(s.now(), c.route.method+c.route.path, key) {
			return nil, fail(codeThrottled, "Too many requests")
		}
	}
	return c.route.do(s, c)
}

// check is the gateway: app, time, signature, token, scope, shop.
func (s *Sim) check(c *call) *failure {
	q := c.query
	if q.Get("app_key") != s.o.AppKey {
		return badParameter("app_key")
	}
	sent, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	age := s.o.Clock.Now().Sub(time.Unix(sent, 0))
	if err != nil || age > 5*time.Minute || age < -30*time.Second {
		return badParameter("timestamp")
	}
	if q.Get("sign") == "" {
		return badParameter("sign")
	}
	kind := c.Header.Get("Content-Type")
	switch checkSign(s.o.AppSecret, c.URL.Path, q, c.body, strings.HasPrefix(kind, "multipart/form-data")) {
	case badSign:
		return fail(codeBadSign, "The signature is invalid.")
	case skippedBody:
		s.empty.Unsigned++
		c.log.Note = "empty body sent but not signed"
	default:
		if emptyJSON(c.body) {
			s.empty.Signed++
			c.log.Note = "empty body signed"
		}
	}
	if len(c.body) > 0 && !strings.HasPrefix(kind, "application/json") {
		return fail(codeNoJSON, "The content type must be application/json.")
	}
	t := s.access[c.Header.Get("x-tts-access-token")]
	switch {
	case t == nil:
		return badParameter("x-tts-access-token")
	case t.grant.revoked || !s.o.Clock.Now().Before(t.accessExpires):
		return fail(codeExpired, "Expired credentials")
	case len(c.route.scopes) > 0 && !slices.ContainsFunc(c.route.scopes, func(v string) bool { return slices.Contains(t.grant.scopes, v) }):
		return fail(codeNoScope, "Access denied: the seller has not granted %s.", strings.Join(c.route.scopes, " or "))
	}
	s.use(t)
	c.grant = t.grant
	return s.checkCipher(c)
}

func (s *Sim) checkCipher(c *call) *failure {
	cipher := c.query.Get("shop_cipher")
	switch {
	case !c.route.cipher && cipher != "":
		return badParameter("shop_cipher is not expected here")
	case !c.route.cipher:
		return nil
	case cipher == "":
		return fail(codeNoCipher, "shop_cipher is required.")
	}
	c.shop = s.byCipher[cipher]
	if c.shop == nil || c.shop.seller != c.grant.seller {
		return fail(codeBadCipher, "The shop cipher is invalid or is not of this authorization.")
	}
	c.log.Shop = c.shop.id
	return nil
}

// write answers in the platform's envelope.
func (s *Sim) write(w http.ResponseWriter, r *http.Request, data any, f *failure, note string) {
	if f == nil {
		f = &failure{http: http.StatusOK, message: "Success"}
	} else if data == nil {
		data = f.data
	}
	if data == nil {
		data = struct{}{}
	}
	s.mu.Lock()
	id := s.ids.request(s.now())
	s.mu.Unlock()
	if line, ok := r.Context().Value(logKey{}).(*Request); ok {
		line.HTTP, line.Code, line.Note = f.http, f.code, note
		if note == "" && f.code != 0 {
			line.Note = f.message
		}
	}
	body, err := json.Marshal(struct {
		Code      int    `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"request_id"`
		Data      any    `json:"data"`
	}{f.code, f.message, id, data})
	if err != nil {
		s.o.Log.Error("answer not encoded", "path", r.URL.Path, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.http)
	_, _ = w.Write(body) // a client that has gone needs no answer
}
