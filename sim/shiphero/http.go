package shiphero

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/spillway/spillway/sim/world"
)

//go:embed schema.graphql
var schemaText string

var schema = gqlparser.MustLoadSchema(&ast.Source{Name: "shiphero", Input: schemaText})

const maxBody = 1 << 20

type object = map[string]any

// Handler serves the API.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/refresh", s.signIn)
	mux.HandleFunc("POST /graphql", s.graphql)
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is its own business
}

func (s *Sim) signIn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Refresh string `json:"refresh_token"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in) != nil || in.Refresh != RefreshToken {
		answer(w, http.StatusUnauthorized, object{"message": "Wrong refresh token."})
		return
	}
	s.mu.Lock()
	s.logins++
	s.access, s.expires = fmt.Sprintf("access-token-%d", s.logins), s.Clock.Now().Add(tokenLasts)
	out := object{"access_token": s.access, "expires_in": int(tokenLasts.Seconds()), "token_type": "Bearer"}
	s.mu.Unlock()
	answer(w, http.StatusOK, out)
}

func (s *Sim) signedIn(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access != "" && r.Header.Get("Authorization") == "Bearer "+s.access && s.Clock.Now().Before(s.expires)
}

// failed is an answer with an error and no data. The vendor sends it with status 200.
func failed(w http.ResponseWriter, code int, message string, more object) {
	e := object{"code": code, "message": message, "request_id": "req-1"}
	for k, v := range more {
		e[k] = v
	}
	answer(w, http.StatusOK, object{"data": nil, "errors": []object{e}})
}

func fault(w http.ResponseWriter, _ *http.Request, kind world.Kind) {
	switch kind {
	case world.Throttle:
		failed(w, 30, "There are not enough credits to perform the requested operation.", object{"required_credits": 100, "remaining_credits": 1, "time_remaining": "1 second"})
	case world.TokenExpired:
		answer(w, http.StatusUnauthorized, object{"message": "Unauthorized"})
	case world.Unavailable:
		answer(w, http.StatusServiceUnavailable, object{"message": "Service Unavailable"})
	default:
		answer(w, http.StatusInternalServerError, object{"message": "Internal Server Error"})
	}
}

// graphql parses a request, and only then draws faults: their point is the name of the first field, such as "order_create".
func (s *Sim) graphql(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	w.Header().Set("Date", s.Clock.Now().Format(http.TimeFormat))
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil {
		answer(w, http.StatusBadRequest, object{"message": "The body cannot be read."})
		return
	}
	doc, problems := gqlparser.LoadQueryWithRules(schema, in.Query, rules.NewDefaultRules())
	if len(problems) > 0 || len(doc.Operations) != 1 {
		answer(w, http.StatusBadRequest, object{"errors": []object{{"message": problems.Error()}}})
		return
	}
	op := doc.Operations[0]
	vars, err := validator.VariableValues(schema, op, in.Variables)
	root, ok := op.SelectionSet[0].(*ast.Field)
	if err != nil || !ok {
		answer(w, http.StatusBadRequest, object{"errors": []object{{"message": fmt.Sprint(err)}}})
		return
	}
	s.Faults.Intercept(s.Clock, func(*http.Request) string { return root.Name }, fault, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.signedIn(r) {
			answer(w, http.StatusUnauthorized, object{"message": "Unauthorized"})
			return
		}
		s.run(w, root, vars)
	})).ServeHTTP(w, r)
}

// run pays for a field and resolves it.
func (s *Sim) run(w http.ResponseWriter, root *ast.Field, vars map[string]any) {
	cost := 10
	if root.Definition.Type.Name() != "OrderMutationOutput" {
		cost = complexity(root.SelectionSet, vars) + 1
	}
	if cost > bucket {
		failed(w, 31, "The operation is too complex.", object{"required_credits": cost})
		return
	}
	left, wait := s.spend(cost)
	if wait > 0 {
		failed(w, 30, "There are not enough credits to perform the requested operation.", object{"required_credits": cost, "remaining_credits": left,
			"time_remaining": strconv.Itoa(int(wait/time.Second)) + " seconds"})
		return
	}
	args := root.ArgumentMap(vars)
	out, fail := s.resolve(root, args, vars)
	if fail != nil {
		failed(w, fail.code, fail.message, nil)
		return
	}
	out["request_id"], out["complexity"] = "req-1", cost
	answer(w, http.StatusOK, object{"data": object{root.Alias: prune(out, root.SelectionSet, vars)}})
}

// complexity is what a selection costs: one for each object that may be answered.
func complexity(set ast.SelectionSet, vars map[string]any) (n int) {
	for _, sel := range set {
		f, ok := sel.(*ast.Field)
		if !ok || len(f.SelectionSet) == 0 {
			continue
		}
		times := 1
		if f.Definition.Arguments.ForName("first") != nil {
			times = first(f.ArgumentMap(vars))
		}
		n += times * (1 + complexity(f.SelectionSet, vars))
	}
	return n
}

// first is how many entries are asked for: 100 where nothing is said.
func first(args map[string]any) int {
	n := number(args["first"])
	if n <= 0 || n > 100 {
		return 100
	}
	return n
}

func number(v any) int {
	switch n := v.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	case json.Number:
		i, _ := strconv.Atoi(n.String())
		return i
	}
	return 0
}

// prune leaves of a value what was selected, and of a list inside it as many entries as were asked for.
func prune(v any, set ast.SelectionSet, vars map[string]any) any {
	switch v := v.(type) {
	case []object:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, prune(e, set, vars))
		}
		return out
	case object:
		if v == nil {
			return nil
		}
		out := object{}
		for _, sel := range set {
			f, ok := sel.(*ast.Field)
			if !ok {
				continue
			}
			in := v[f.Name]
			if list, ok := in.(object); ok && f.Definition.Arguments.ForName("first") != nil {
				in = cut(list, first(f.ArgumentMap(vars)))
			}
			out[f.Alias] = prune(in, f.SelectionSet, vars)
		}
		return out
	}
	return v
}

// cut is a list without the entries behind the first n.
func cut(list object, n int) object {
	edges, ok := list["edges"].([]object)
	if !ok || len(edges) <= n {
		return list
	}
	out := maps.Clone(list)
	out["edges"] = edges[:n]
	return out
}
