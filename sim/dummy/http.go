package dummy

import (
	"encoding/json"
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

// Bounds of the protocol.
const (
	MaxPage     = 50
	MaxSets     = 20
	MaxQuantity = 100_000
	maxBody     = 1 << 20
)

// Handler serves the platform's HTTP.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /consent", s.consent)
	mux.HandleFunc("POST /token", s.token)
	shop := http.NewServeMux()
	shop.HandleFunc("GET /shops/{shop}/orders", s.readOrders)
	shop.HandleFunc("GET /shops/{shop}/warehouses", s.readWarehouses)
	shop.HandleFunc("GET /shops/{shop}/listings", s.readListings)
	shop.HandleFunc("GET /shops/{shop}/stock", s.readStock)
	shop.HandleFunc("PUT /shops/{shop}/stock", s.setStock)
	shop.HandleFunc("PUT /shops/{shop}/webhook", s.setWebhook)
	s.parcelRoutes(shop)
	mux.Handle("/shops/", s.Faults.Intercept(s.Clock, func(r *http.Request) string { return r.Method + " " + r.URL.Path }, fault, s.auth(shop)))
	return mux
}

func fail(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]string{"error": code, "message": message})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is its own business
}

func fault(w http.ResponseWriter, _ *http.Request, kind world.Kind) {
	switch kind {
	case world.Throttle:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "slow_down", "Too many requests.")
	case world.TokenExpired:
		fail(w, http.StatusUnauthorized, "token_expired", "The access token has ended.")
	case world.Unavailable:
		fail(w, http.StatusServiceUnavailable, "busy", "Try again.")
	default:
		fail(w, http.StatusInternalServerError, "internal", "Something failed.")
	}
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access, _ := s.Tokens()
		w.Header().Set("Date", s.Clock.Now().Format(http.TimeFormat))
		switch {
		case r.Header.Get("Authorization") != "Bearer "+access:
			fail(w, http.StatusUnauthorized, "token_expired", "The access token is not good.")
		case !strings.HasPrefix(r.URL.Path, "/shops/"+ShopID+"/"):
			fail(w, http.StatusForbidden, "not_your_shop", "The consent does not cover this shop.")
		default:
			s.mu.Lock()
			defer s.mu.Unlock()
			next.ServeHTTP(w, r)
		}
	})
}

// consent answers at once, for the seller who has made up his mind: refuse=1 says no.
func (s *Sim) consent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("app") != AppKey {
		fail(w, http.StatusBadRequest, "unknown_app", "There is no such app.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	back := "error=refused"
	if q.Get("refuse") == "" {
		code := fmt.Sprintf("code-%d", s.seq)
		s.codes[code] = true
		back = "code=" + code
	}
	http.Redirect(w, r, q.Get("redirect")+"?"+back+"&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
}

func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	var in struct{ App, Secret, Code, Refresh string }
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, "bad_json", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case in.App != AppKey || in.Secret != AppSecret:
		fail(w, http.StatusForbidden, "unknown_app", "The app's key or secret is wrong.")
		return
	case in.Code != "" && s.codes[in.Code]:
		delete(s.codes, in.Code)
	case in.Refresh != "" && in.Refresh == s.refresh:
		s.refreshes++
	default:
		fail(w, http.StatusForbidden, "bad_grant", "The code or refresh token is not good.")
		return
	}
	s.issue()
	answer(w, http.StatusOK, map[string]any{
		"access": s.access, "refresh": s.refresh, "expires_at": s.Clock.Now().Add(24 * time.Hour), "account": "seller-1",
		"shops": []map[string]string{{"id": ShopID, "name": "Dummy shop", "region": "US"}},
	})
}

func (s *Sim) readOrders(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := []*Order{}
	if ids := q.Get("ids"); ids != "" {
		for id := range strings.SplitSeq(ids, ",") {
			if o := s.orders[id]; o != nil && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
		answer(w, http.StatusOK, map[string]any{"orders": out})
		return
	}
	from, err := time.Parse(time.RFC3339Nano, q.Get("updated_from"))
	if err != nil && q.Has("updated_from") {
		fail(w, http.StatusBadRequest, "bad_time", "updated_from is not a time.")
		return
	}
	all := s.changed(from)
	start, size := number(q.Get("cursor"), 0), min(number(q.Get("limit"), MaxPage), MaxPage)
	next := ""
	start = min(start, len(all))
	end := min(start+max(size, 1), len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	answer(w, http.StatusOK, map[string]any{"orders": append(out, all[start:end]...), "next": next})
}

func number(text string, or int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return or
	}
	return n
}

func (s *Sim) readWarehouses(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"warehouses": []map[string]string{{"id": "W1", "name": "Main"}, {"id": "W2", "name": "Second"}}})
}

type stockLine struct {
	SKU       string           `json:"sku"`
	Product   string           `json:"product"`
	SellerSKU string           `json:"seller_sku"`
	Title     string           `json:"title"`
	Stock     map[string]int64 `json:"stock"`
	Committed int64            `json:"committed"`
}

func (s *Sim) line(k *SKU) stockLine {
	return stockLine{SKU: k.ID, Product: k.ProductID, SellerSKU: k.SellerSKU, Title: k.Title, Stock: k.Stock, Committed: k.Committed}
}

func (s *Sim) readListings(w http.ResponseWriter, r *http.Request) {
	ids := []string{}
	for id := range s.skus {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	const size = 4
	start := min(number(r.URL.Query().Get("cursor"), 0), len(ids))
	end := min(start+size, len(ids))
	out, next := []stockLine{}, ""
	for _, id := range ids[start:end] {
		out = append(out, s.line(s.skus[id]))
	}
	if end < len(ids) {
		next = strconv.Itoa(end)
	}
	answer(w, http.StatusOK, map[string]any{"listings": out, "next": next})
}

func (s *Sim) readStock(w http.ResponseWriter, r *http.Request) {
	out := []stockLine{}
	for id := range strings.SplitSeq(r.URL.Query().Get("skus"), ",") {
		if k := s.skus[id]; k != nil {
			out = append(out, s.line(k))
		}
	}
	answer(w, http.StatusOK, map[string]any{"stock": out})
}

// setStock sets numbers, each by itself; what it cannot do is listed under failed.
func (s *Sim) setStock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Set []struct {
			SKU   string           `json:"sku"`
			Stock map[string]int64 `json:"stock"`
		} `json:"set"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil || len(in.Set) > MaxSets {
		fail(w, http.StatusBadRequest, "bad_request", "The body is not right.")
		return
	}
	s.sets++
	_, partial := world.FaultFrom(r.Context())
	failed := []map[string]string{}
	for i, set := range in.Set {
		k := s.skus[set.SKU]
		switch {
		case k == nil:
			failed = append(failed, map[string]string{"sku": set.SKU, "error": "unknown_sku", "message": "There is no such SKU."})
		case partial && i%2 == 1:
			failed = append(failed, map[string]string{"sku": set.SKU, "error": "internal", "message": "Not this one."})
		case len(set.Stock) != len(k.Stock):
			failed = append(failed, map[string]string{"sku": set.SKU, "error": "name_all_warehouses", "message": "Name every warehouse of the SKU."})
		default:
			for warehouse, n := range set.Stock {
				k.Stock[warehouse] = min(max(n, 0), MaxQuantity)
			}
		}
	}
	answer(w, http.StatusOK, map[string]any{"failed": failed})
}

func (s *Sim) setWebhook(w http.ResponseWriter, r *http.Request) {
	var in struct{ Address string }
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil || in.Address == "" {
		fail(w, http.StatusBadRequest, "bad_request", "The body is not right.")
		return
	}
	s.webhook = in.Address
	answer(w, http.StatusOK, map[string]string{"topic": "order", "address": s.webhook})
}
