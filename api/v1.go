package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

// base is where the JSON API lives.
const base = "/api/v1"

// security names the one way in.
var security = []map[string][]string{{"token": {}}}

// V1 serves the JSON API for programs: an own shop's checkout, an ERP. Every call shows a token as "Authorization: Bearer …". The
// document that describes it is at /api/v1/openapi.json and needs none.
// What takes long to work out is the desk's, which keeps it for pages too.
func V1(x *ops.Ops, desk *ops.Desk, version string, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	cfg := huma.DefaultConfig("Spillway", version)
	cfg.Info.Description = "Stock to promise, reservations, how shops stand with their channels, and incidents. Ids of reservations and notes are yours: sending one again is safe and gets the first answer."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = base+"/openapi", "", "", nil
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "Made with `spillway token new NAME`."}}
	a := humago.New(mux, cfg)
	a.UseMiddleware(authenticated(a, x, log))
	s := &service{x: x, desk: desk, log: log}
	s.reservations(a)
	s.items(a)
	s.health(a)
	s.nodes(a)
	s.routes(a)
	s.carriers(a)
	s.handling(a)
	s.incidents(a)
	s.custody(a)
	s.shipping(a)
	s.bags(a)
	s.manifests(a)
	s.capacity(a)
	s.floor(a)
	s.zones(a)
	return mux
}

// service are the handlers. Each calls one use-case.
type service struct {
	x    *ops.Ops
	desk *ops.Desk
	log  *slog.Logger
}

type callerKey struct{}

// caller is who calls, as the journal names it.
func caller(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	return name
}

// authenticated lets nobody pass without a good token.
func authenticated(a huma.API, x *ops.Ops, log *slog.Logger) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		plain, ok := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
		if !ok {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="spillway"`)
			_ = huma.WriteErr(a, ctx, http.StatusUnauthorized, "show a token as \"Authorization: Bearer …\"; make one with `spillway token new NAME`")
			return
		}
		t, err := x.Authenticate(ctx.Context(), plain)
		if err != nil {
			if errs.KindOf(err) == errs.Unauthenticated {
				ctx.SetHeader("WWW-Authenticate", `Bearer realm="spillway", error="invalid_token"`)
			} else {
				log.Error("a token could not be looked up", "err", err)
			}
			again(Status(err), ctx.SetHeader)
			_ = huma.WriteErr(a, ctx, Status(err), errs.Safe(err))
			return
		}
		if op := ctx.Operation(); !ops.MayToken(t, op.Tags[0], op.Method != http.MethodGet) {
			_ = huma.WriteErr(a, ctx, http.StatusForbidden, "this token may not do this; make another one with the scope "+op.Tags[0])
			return
		}
		next(huma.WithValue(ctx, callerKey{}, "token:"+t.Name))
	}
}

// again says when to come again where that helps.
func again(status int, set func(name, value string)) {
	if status == http.StatusServiceUnavailable {
		set("Retry-After", strconv.Itoa(int(comeAgain.Seconds())))
	}
}

// problem is err as the API answers it.
func (s *service) problem(err error) error {
	if err == nil {
		return nil
	}
	status := Status(err)
	if status == http.StatusInternalServerError {
		s.log.Error("call failed", "err", err)
	}
	h := http.Header{}
	again(status, h.Set)
	return huma.ErrorWithHeaders(huma.NewError(status, errs.Safe(err)), h)
}

// callTime bounds a use-case. What is reserved within it is answered; what is not is safe to ask again with the same id.
const callTime = 10 * time.Second

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callTime)
}
