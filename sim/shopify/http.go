package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
	"github.com/spillway/spillway/sim/world"
)

const (
	maxBody      = 1 << 20 // of a GraphQL request
	maxQueryCost = 1000    // points of one query
	maxInputSize = 250     // elements of an array in the input
)

const (
	rateLimitDocs = "https://shopify.dev/api/usage/rate-limits"
	badToken      = "[API] Invalid API key or access token (unrecognized login or wrong password)"
)

// request is one GraphQL call, as resolvers see it.
type request struct {
	version  *version
	grant    *grant
	host     string // scheme and host the client used
	id       string
	warnings []*searchWarning
}

type searchWarning struct {
	path, query string
	fields      []string
}

// warn notes a search field that does not exist, once for all the objects it was asked of.
func (r *request) warn(path, query, field string) {
	i := slices.IndexFunc(r.warnings, func(w *searchWarning) bool { return w.path == path && w.query == query })
	if i < 0 {
		i = len(r.warnings)
		r.warnings = append(r.warnings, &searchWarning{path: path, query: query})
	}
	if w := r.warnings[i]; !slices.Contains(w.fields, field) {
		w.fields = append(w.fields, field)
	}
}

func (r *request) searchExtension() []any {
	var out []any
	for _, w := range r.warnings {
		list := make([]any, len(w.fields))
		for i, f := range w.fields {
			list[i] = graphql.Map{"field": f, "message": "Invalid search field for this query.", "code": "invalid_field"}
		}
		out = append(out, graphql.Map{"path": []any{w.path}, "query": w.query, "warnings": list})
	}
	return out
}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/api/{version}/graphql.json", s.serveGraphQL)
	mux.HandleFunc("GET /admin/oauth/authorize", s.authorize)
	mux.HandleFunc("POST /admin/oauth/access_token", s.accessToken)
	mux.HandleFunc("GET /_bulk/{file}", s.serveBulk)
	s.controlRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
	})
	return mux
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away needs no answer
}

// serveGraphQL checks a call from the outside in: version, token, body, query, size, budget. Only then it runs.
func (s *Sim) serveGraphQL(w http.ResponseWriter, hr *http.Request) {
	r := &request{version: serve(hr.PathValue("version")), id: s.requestID(), host: "http://" + hr.Host}
	w.Header().Set("X-Request-Id", r.id)
	if r.version == nil || r.version.name > s.opts.APIVersion {
		writeJSON(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
		return
	}
	if hr.TLS != nil {
		r.host = "https://" + hr.Host
	}
	w.Header().Set("X-Shopify-API-Version", r.version.name)
	if status := int(s.suspended.Load()); status != 0 {
		writeJSON(w, status, map[string]any{"errors": "Unavailable Shop"})
		return
	}
	if r.grant = s.grantOf(hr.Header.Get("X-Shopify-Access-Token")); r.grant == nil {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"errors": badToken})
		return
	}
	call, status, err := readCall(w, hr)
	if err != nil {
		writeJSON(w, status, map[string]any{"errors": map[string]any{"query": err.Error()}})
		return
	}
	op, errs := r.version.api().Prepare(call.Query, call.Operation, call.Variables)
	if len(errs) == 0 {
		errs = tooMuch(op)
	}
	if len(errs) > 0 {
		writeJSON(w, http.StatusOK, map[string]any{"errors": errs})
		return
	}
	s.faulty(w, hr, r, op)
}

// call is the body of a GraphQL request.
type call struct {
	Query     string         `json:"query"`
	Operation string         `json:"operationName"`
	Variables map[string]any `json:"variables"`
}

func readCall(w http.ResponseWriter, hr *http.Request) (call, int, error) {
	var c call
	body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return c, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", maxBody)
		}
		return c, http.StatusBadRequest, errors.New("the body could not be read")
	}
	kind, _, _ := mime.ParseMediaType(hr.Header.Get("Content-Type"))
	if kind == "application/graphql" {
		c.Query = string(body)
	} else {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&c); err != nil {
			return c, http.StatusBadRequest, errors.New("Required parameter missing or invalid") //nolint:staticcheck // the vendor's words
		}
	}
	if strings.TrimSpace(c.Query) == "" {
		return c, http.StatusBadRequest, errors.New("Required parameter missing or invalid") //nolint:staticcheck // the vendor's words
	}
	return c, http.StatusOK, nil
}

// tooMuch refuses what is over the limits of a single call.
func tooMuch(op *graphql.Operation) []*graphql.Error {
	if path, n := op.LongList(maxInputSize); n > 0 {
		e := graphql.Errorf("MAX_INPUT_SIZE_EXCEEDED", "The input array size of %d is greater than the maximum allowed of %d.", n, maxInputSize)
		e.Path = path
		return []*graphql.Error{e}
	}
	if cost := op.Cost(); cost > maxQueryCost {
		e := graphql.Errorf("MAX_COST_EXCEEDED", "Query cost is %d, which exceeds the single query max cost limit (%d).", cost, maxQueryCost)
		e.Extensions["cost"], e.Extensions["maxCost"], e.Extensions["documentation"] = cost, maxQueryCost, rateLimitDocs
		return []*graphql.Error{e}
	}
	return nil
}

// faulty runs the call behind the arranged faults. Its idempotency keys count as in flight while a fault delays it.
func (s *Sim) faulty(w http.ResponseWriter, hr *http.Request, r *request, op *graphql.Operation) {
	keys := op.DirectiveStrings("idempotent", "key")
	s.begin(r, keys)
	defer s.end(r, keys)
	point := "POST /admin/api/" + r.version.name + "/graphql.json " + op.String()
	s.opts.Fault.Intercept(s.opts.Clock, func(*http.Request) string { return point },
		func(w http.ResponseWriter, _ *http.Request, k world.Kind) { s.answerFault(w, r, op, k) },
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.run(w, r, op) }),
	).ServeHTTP(w, hr)
}

func (s *Sim) answerFault(w http.ResponseWriter, r *request, op *graphql.Operation, k world.Kind) {
	switch k {
	case world.Throttle:
		s.throttled(w, op)
	case world.TokenExpired:
		writeJSON(w, http.StatusUnauthorized, map[string]any{"errors": badToken})
	case world.Unavailable:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	default:
		e := graphql.Errorf("INTERNAL_SERVER_ERROR", "Internal error. Looks like something went wrong on our end.\nRequest ID: %s", r.id)
		e.Extensions["requestId"] = r.id
		writeJSON(w, http.StatusOK, map[string]any{"errors": []any{e}})
	}
}

func (s *Sim) throttled(w http.ResponseWriter, op *graphql.Operation) {
	s.mu.Lock()
	s.counts.Throttled++
	s.mu.Unlock()
	e := graphql.Errorf("THROTTLED", "Throttled")
	e.Extensions["documentation"] = rateLimitDocs
	writeJSON(w, http.StatusOK, map[string]any{"errors": []any{e}, "extensions": map[string]any{"cost": s.cost(op.Cost(), nil)}})
}

func (s *Sim) cost(requested int, actual any) graphql.Map {
	return graphql.Map{"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": s.bucket.status(s.opts.Clock.Now())}
}

// run takes the price, executes, and gives back what was not used.
func (s *Sim) run(w http.ResponseWriter, r *request, op *graphql.Operation) {
	requested := op.Cost()
	if !s.opts.Unthrottled && !s.bucket.take(requested, s.opts.Clock.Now()) {
		s.throttled(w, op)
		return
	}
	res := s.execute(r, op)
	if !s.opts.Unthrottled {
		s.bucket.refund(requested-res.Cost, s.opts.Clock.Now())
	}
	ext := graphql.Map{"cost": s.cost(requested, res.Cost)}
	if list := r.searchExtension(); len(list) > 0 {
		ext["search"] = list
	}
	answer := &graphql.Object{}
	if res.Data != nil {
		answer.Set("data", res.Data)
	} else {
		answer.Set("data", nil)
	}
	if len(res.Errors) > 0 {
		answer.Set("errors", res.Errors)
	}
	answer.Set("extensions", ext)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(answer.AppendJSON(nil), '\n')) // a client that went away needs no answer
}

// execute runs the operation under the lock it needs: readers together, a writer alone.
func (s *Sim) execute(r *request, op *graphql.Operation) graphql.Result {
	s.requests.Add(1)
	rt := graphql.Runtime{Resolvers: s.fields, TypeOf: typeOf, Context: r}
	if op.IsMutation() {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	return op.Execute(rt)
}

// requestID numbers calls in the shape of the vendor's identifiers.
func (s *Sim) requestID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(s.opts.Seed), s.calls.Add(1))
}
