package tiktok

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

type seller struct {
	name, region, openID string
	shops                []*shop
	grant                *grant // the newest; nil before the first consent
}

// grant is one seller's consent to the app.
type grant struct {
	seller  *seller
	scopes  []string
	expires time.Time
	revoked bool
	tokens  []*token // newest last
}

type token struct {
	grant           *grant
	from            *token // that it was refreshed with; nil for the first of a consent
	access, refresh string
	accessExpires   time.Time
	used            bool
}

// keptTokens bounds what is remembered of a grant; a refused call of an older token is as of one never issued.
const keptTokens = 64

type authCode struct {
	seller  *seller
	expires time.Time
}

func (s *Sim) sellerFor(name, region string) *seller {
	if v := s.sellers[name]; v != nil {
		return v
	}
	v := &seller{name: name, region: region, openID: s.ids.secret("", 16)}
	s.sellers[name] = v
	return v
}

// Sellers are the names of the sellers, sorted.
func (s *Sim) Sellers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.sellers))
	for name := range s.sellers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Grant gives consent for a seller at once and returns its tokens, without the consent page.
func (s *Sim) Grant(sellerName string) (Access, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.sellers[sellerName]
	if v == nil {
		return Access{}, errs.New(errs.NotFound, "tiktok.Grant", sellerName, "There is no seller with this name.")
	}
	return s.accessOf(s.authorize(v)), nil
}

// Access gives a seller's newest tokens, and consents first when there is no consent or the access token has expired.
func (s *Sim) Access(sellerName string) (Access, error) {
	s.mu.Lock()
	if v := s.sellers[sellerName]; v != nil && v.grant != nil && !v.grant.revoked {
		if t := v.grant.tokens[len(v.grant.tokens)-1]; s.o.Clock.Now().Before(t.accessExpires) {
			defer s.mu.Unlock()
			return s.accessOf(t), nil
		}
	}
	s.mu.Unlock()
	return s.Grant(sellerName)
}

func (s *Sim) accessOf(t *token) Access {
	return Access{AppKey: s.o.AppKey, AppSecret: s.o.AppSecret, ServiceID: s.o.ServiceID, Seller: t.grant.seller.name,
		AccessToken: t.access, RefreshToken: t.refresh}
}

// authorize makes a grant with its first tokens, in place of an earlier one.
func (s *Sim) authorize(v *seller) *token {
	if v.grant != nil {
		s.drop(v.grant)
	}
	g := &grant{seller: v, scopes: s.o.Scopes, expires: s.o.Clock.Now().Add(s.o.GrantLife)}
	v.grant = g
	s.warn(g, g.expires.AddDate(0, 0, -30))
	return s.newToken(g, nil)
}

// warn sends the daily notice of an authorisation about to expire, from the time given.
func (s *Sim) warn(g *grant, from time.Time) {
	s.at(from, func() {
		if g.revoked || g.seller.grant != g || !s.o.Clock.Now().Before(g.expires) {
			return
		}
		for _, sh := range g.seller.shops {
			s.expiring(sh, g.expires)
		}
		s.warn(g, s.o.Clock.Now().Add(24*time.Hour))
	})
}

// newToken issues another pair of tokens, for a refresh with the pair from. What the platform does with the tokens before is
// not documented. Here an access token is good until its end, and a refresh token until what was issued for it is used: a
// client that lost the answer, however often, can ask again, and a copied refresh token is worth nothing once its owner went on.
func (s *Sim) newToken(g *grant, from *token) *token {
	prefix := prefixOf(g.seller.region)
	t := &token{grant: g, from: from, access: s.ids.secret(prefix, 48), refresh: s.ids.secret(prefix, 36), accessExpires: s.o.Clock.Now().Add(s.o.AccessLife)}
	g.tokens = append(g.tokens, t)
	if len(g.tokens) > keptTokens {
		old := g.tokens[0]
		delete(s.access, old.access)
		delete(s.refresh, old.refresh)
		g.tokens = g.tokens[1:]
	}
	s.access[t.access], s.refresh[t.refresh] = t, t
	return t
}

// use notes that the client has t: what it was refreshed with, and what else was issued for that, refreshes no more.
func (s *Sim) use(t *token) {
	if t.used {
		return
	}
	t.used = true
	for _, o := range t.grant.tokens {
		if t.from != nil && o != t && (o == t.from || o.from == t.from) {
			delete(s.refresh, o.refresh)
		}
	}
}

func (s *Sim) drop(g *grant) {
	g.revoked = true
	for _, t := range g.tokens {
		delete(s.refresh, t.refresh)
	}
}

// ExpireTokens makes every access token of a seller expire now. Refresh tokens stay good.
func (s *Sim) ExpireTokens(sellerName string) error {
	return s.withGrant(sellerName, func(g *grant) {
		for _, t := range g.tokens {
			t.accessExpires = s.o.Clock.Now()
		}
	})
}

// Revoke is the seller withdrawing consent: tokens stop working and every shop is told.
func (s *Sim) Revoke(sellerName string) error {
	return s.withGrant(sellerName, func(g *grant) {
		s.drop(g)
		for _, sh := range g.seller.shops {
			s.deauthorized(sh)
		}
	})
}

func (s *Sim) withGrant(sellerName string, do func(*grant)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.sellers[sellerName]
	if v == nil || v.grant == nil || v.grant.revoked {
		return errs.New(errs.NotFound, "tiktok.Grant", sellerName, "This seller has not authorised the app.")
	}
	do(v.grant)
	return nil
}

// consent is the page a seller is sent to. It answers at once when the simulator approves by itself or the request
// carries a decision.
func (s *Sim) consent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("service_id") != s.o.ServiceID && q.Get("app_key") != s.o.AppKey {
		http.Error(w, "Unknown service_id or app_key.", http.StatusBadRequest)
		return
	}
	back := s.o.RedirectURL
	if v := q.Get("redirect_uri"); v != "" && loopback(v) {
		back = v // the platform knows one registered address only; a sandbox client may bring its own
	}
	target, err := url.Parse(back)
	if err != nil || back == "" {
		http.Error(w, "The app has no redirect address.", http.StatusBadRequest)
		return
	}
	names := s.Sellers()
	decision, who := q.Get("decision"), q.Get("seller")
	if s.o.AutoApprove && decision == "" && len(names) > 0 {
		decision, who = "approve", names[0]
	}
	answer := target.Query()
	answer.Set("state", q.Get("state"))
	switch {
	case decision == "refuse":
		answer.Set("code", "null")
		answer.Set("error", "auth_denied")
	case decision == "approve" && slices.Contains(names, who):
		answer.Set("code", s.newCode(who))
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := consentPage.Execute(w, struct {
			Sellers []string
			Query   url.Values
			Scopes  []string
		}{names, q, s.o.Scopes}); err != nil {
			s.o.Log.Warn("consent page not written", "err", err)
		}
		return
	}
	target.RawQuery = answer.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

func (s *Sim) newCode(sellerName string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Clock.Now()
	for c, a := range s.codes { // so that codes never used do not pile up
		if now.After(a.expires) {
			delete(s.codes, c)
		}
	}
	code := s.ids.secret(prefixOf(s.sellers[sellerName].region), 24)
	s.codes[code] = &authCode{s.sellers[sellerName], now.Add(codeLife)}
	return code
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && loopbackHost(u.Hostname())
}

type tokenAnswer struct {
	AccessToken          string   `json:"access_token"`
	AccessTokenExpireIn  int64    `json:"access_token_expire_in"`
	RefreshToken         string   `json:"refresh_token"`
	RefreshTokenExpireIn int64    `json:"refresh_token_expire_in"`
	OpenID               string   `json:"open_id"`
	SellerName           string   `json:"seller_name"`
	SellerBaseRegion     string   `json:"seller_base_region"`
	UserType             int      `json:"user_type"`
	GrantedScopes        []string `json:"granted_scopes"`
}

// tokens serves the two calls of the token host. They carry no signature. The codes of their failures are not
// documented; 36009004 and 105002 are the nearest in meaning.
func (s *Sim) tokens(c *call) (any, *failure) {
	q := c.query
	if q.Get("app_key") != s.o.AppKey || q.Get("app_secret") != s.o.AppSecret {
		return nil, badParameter("app_key or app_secret")
	}
	var t *token
	switch {
	case strings.HasSuffix(c.route.path, "/get") && q.Get("grant_type") == "authorized_code":
		code := s.codes[q.Get("auth_code")]
		delete(s.codes, q.Get("auth_code")) // once only
		if code == nil || s.o.Clock.Now().After(code.expires) {
			return nil, badParameter("auth_code")
		}
		t = s.authorize(code.seller)
	case strings.HasSuffix(c.route.path, "/refresh") && q.Get("grant_type") == "refresh_token":
		old := s.refresh[q.Get("refresh_token")]
		if old == nil {
			return nil, badParameter("refresh_token")
		}
		if !s.o.Clock.Now().Before(old.grant.expires) {
			return nil, fail(105002, "The refresh token has expired.")
		}
		s.use(old)
		t = s.newToken(old.grant, old)
	default:
		return nil, badParameter("grant_type")
	}
	g := t.grant
	return tokenAnswer{t.access, t.accessExpires.Unix(), t.refresh, g.expires.Unix(), g.seller.openID, g.seller.name,
		g.seller.region, 0, g.scopes}, nil
}

var consentPage = template.Must(template.New("consent").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Authorise the app · TikTok Shop sandbox</title>
<link rel="stylesheet" href="/_sandbox/style.css"><main class="narrow"><h1>Authorise the app</h1>
<p>This is the sandbox. The app asks for these scopes:</p><ul>{{range .Scopes}}<li><code>{{.}}</code></li>{{end}}</ul>
<form method="get"><p><label>Seller <select name="seller">{{range .Sellers}}<option>{{.}}</option>{{end}}</select></label></p>
{{range $k, $v := .Query}}{{if and (ne $k "seller") (ne $k "decision")}}<input type="hidden" name="{{$k}}" value="{{index $v 0}}">{{end}}{{end}}
<p><button name="decision" value="approve" class="main">Authorise</button> <button name="decision" value="refuse">Refuse</button></p>
</form></main></html>`))
