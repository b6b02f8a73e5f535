package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	codeLifetime  = time.Minute                // an authorization code is used at once or not at all
	tokenLifetime = 24*time.Hour - time.Second // of client_credentials tokens: expires_in 86399
	maxOAuthBody  = 16 << 10
	maxTokens     = 1_000
)

// grant is what an access token may do.
type grant struct {
	scopes  []string
	expires time.Time // zero: never
}

// has reports whether the grant holds a scope; writing implies reading.
func (g *grant) has(scope string) bool {
	if slices.Contains(g.scopes, scope) {
		return true
	}
	rest, ok := strings.CutPrefix(scope, "read_")
	return ok && slices.Contains(g.scopes, "write_"+rest)
}

func (g *grant) names() []string { return g.scopes }

func scopeSet(text string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// grantOf finds the grant of an access token that has not expired.
func (s *Sim) grantOf(token string) *grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.tokens[token]
	if g == nil || !g.expires.IsZero() && !s.opts.Clock.Now().Before(g.expires) {
		return nil
	}
	return g
}

// authorize is the consent page, which here consents at once and sends the browser back with a code and the vendor's signature.
func (s *Sim) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != s.opts.ClientID:
		http.Error(w, "Oauth error invalid_client: Could not find the application", http.StatusBadRequest)
		return
	case err != nil || back.Host == "" || back.Scheme != "https" && back.Scheme != "http":
		http.Error(w, "Oauth error invalid_request: The redirect_uri is not whitelisted", http.StatusBadRequest)
		return
	}
	now := s.opts.Clock.Now()
	s.mu.Lock()
	for code, made := range s.codes {
		if now.Sub(made) > codeLifetime {
			delete(s.codes, code)
		}
	}
	code := strings.ReplaceAll(s.uuid(), "-", "")
	s.codes[code] = now
	s.mu.Unlock()
	params := url.Values{"code": {code}, "shop": {s.opts.ShopDomain}, "timestamp": {number(now.Unix())},
		"host": {base64.RawStdEncoding.EncodeToString([]byte("admin.shopify.com/store/" + strings.TrimSuffix(s.opts.ShopDomain, ".myshopify.com")))}}
	if state := q.Get("state"); state != "" {
		params.Set("state", state)
	}
	params.Set("hmac", s.SignQuery(params))
	all := back.Query()
	for k, v := range params {
		all[k] = v
	}
	back.RawQuery = all.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// SignQuery is the hmac parameter of a redirect to the app: hex HMAC-SHA256 over the sorted parameters without hmac.
func (s *Sim) SignQuery(q url.Values) string {
	rest := url.Values{}
	for k, v := range q {
		if k != "hmac" {
			rest[k] = v
		}
	}
	mac := hmac.New(sha256.New, []byte(s.opts.ClientSecret))
	mac.Write([]byte(rest.Encode()))
	return hex.EncodeToString(mac.Sum(nil))
}

// accessToken exchanges an authorization code, or the app's own credentials, for an access token.
func (s *Sim) accessToken(w http.ResponseWriter, r *http.Request) {
	in, err := oauthInput(w, r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": "The request body could not be read."})
		return
	}
	if in["client_id"] != s.opts.ClientID || !hmac.Equal([]byte(in["client_secret"]), []byte(s.opts.ClientSecret)) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "application_cannot_be_found",
			"error_description": "The application or its secret is not known."})
		return
	}
	now := s.opts.Clock.Now()
	g := &grant{scopes: scopeSet(s.opts.Scopes)}
	answer := map[string]any{"scope": strings.Join(g.scopes, ",")}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in["grant_type"] == "client_credentials" {
		g.expires = now.Add(tokenLifetime)
		answer["expires_in"] = int(tokenLifetime.Seconds())
	} else {
		made, ok := s.codes[in["code"]]
		delete(s.codes, in["code"])
		if !ok || now.Sub(made) > codeLifetime {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request",
				"error_description": "The authorization code was not found or was already used"})
			return
		}
	}
	s.dropExpired(now)
	if len(s.tokens) >= maxTokens {
		writeJSON(w, http.StatusTooManyRequests, map[string]any{"error": "too_many_tokens"})
		return
	}
	token := "shpat_" + strings.ReplaceAll(s.uuid(), "-", "")
	s.tokens[token] = g
	answer["access_token"] = token
	writeJSON(w, http.StatusOK, answer)
}

func (s *Sim) dropExpired(now time.Time) {
	for t, g := range s.tokens {
		if !g.expires.IsZero() && !now.Before(g.expires) {
			delete(s.tokens, t)
		}
	}
}

// oauthInput reads the parameters of a token request, sent as JSON or as a form.
func oauthInput(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOAuthBody))
	if err != nil {
		return nil, err
	}
	in := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			return nil, err
		}
		for k, v := range fields {
			if s, ok := v.(string); ok {
				in[k] = s
			}
		}
		return in, nil
	}
	form, err := url.ParseQuery(string(body))
	for k := range form {
		in[k] = form.Get(k)
	}
	return in, err
}
