package shopify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// opLogin names the requests of logging in, which share no limit with the API.
const opLogin driver.Operation = "login"

// maxLife bounds a token's life in seconds, so that a mistake in the answer cannot overflow: ten years.
const maxLife = 10 * 365 * 24 * 3600

// ConsentURL implements driver.Vendor. The shop is the app's setting, since Shopify asks for consent on the shop's own address.
func (Vendor) ConsentURL(app driver.App, redirect, state string) (string, error) {
	shop := setting(app, SettingShop)
	if !shopForm.MatchString(shop) {
		return "", &driver.Error{Class: driver.AskHuman, Op: opLogin, Message: "set the shop's myshopify.com name first"}
	}
	q := url.Values{"client_id": {app.Key}, "scope": {setting(app, SettingScopes)}, "redirect_uri": {redirect}, "state": {state}}
	return address(app, shop, "/admin/oauth/authorize?"+q.Encode()), nil
}

// Exchange implements driver.Vendor. Besides the parameters of the consent answer it takes two forms that an operator's own
// set-up page makes: "access_token" and "shop" for a custom app whose token was copied from the shop's admin and never
// expires, and "grant_type=client_credentials" for an app of the operator's own organisation. Both carry no signature: the
// caller must have checked that they come from a signed-in operator.
func (v Vendor) Exchange(ctx context.Context, app driver.App, client *http.Client, answer url.Values) (driver.Grant, error) {
	shop := answer.Get("shop")
	switch {
	case answer.Get("access_token") != "":
		return v.adopt(ctx, app, client, shop, answer.Get("access_token"))
	case answer.Get("grant_type") == grantCredentials:
		// Only for the shop of the settings: our secret goes there.
		return v.withCredentials(ctx, app, client, setting(app, SettingShop))
	case answer.Get("error") != "" || answer.Get("code") == "":
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Op: opLogin, Code: cut(answer.Get("error")), Message: "the merchant did not agree"}
	case !signedQuery(app.Secret, answer) && !signedQuery(app.OldSecret, answer):
		return driver.Grant{}, &driver.Error{Class: driver.Forged, Op: opLogin, Message: "Shopify did not sign the consent answer"}
	}
	form := url.Values{"code": {answer.Get("code")}}
	if setting(app, SettingExpiring) == "yes" {
		form.Set("expiring", "1")
	}
	g, err := askToken(ctx, app, client, shop, form)
	if err != nil {
		return g, err
	}
	return v.named(ctx, app, client, g), nil
}

// Refresh implements driver.Vendor.
func (v Vendor) Refresh(ctx context.Context, app driver.App, client *http.Client, old driver.Grant) (driver.Grant, error) {
	switch {
	case old.RefreshToken != "":
		g, err := askToken(ctx, app, client, old.Subject, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}})
		g.SellerName = old.SellerName
		return g, err
	case setting(app, SettingGrant) == grantCredentials:
		return v.withCredentials(ctx, app, client, old.Subject)
	}
	return driver.Grant{}, &driver.Error{
		Class: driver.AskHuman, Op: opLogin, Message: "the access token cannot be renewed: the app was uninstalled or its token was revoked",
	}
}

// adopt takes a token that was made by hand, once it has shown that it works.
func (v Vendor) adopt(ctx context.Context, app driver.App, client *http.Client, shop, token string) (driver.Grant, error) {
	g := driver.Grant{AccessToken: token, Subject: shop}
	name, err := shopName(ctx, app, client, g)
	if err != nil {
		return driver.Grant{}, err
	}
	return withShop(g, name), nil
}

func (v Vendor) withCredentials(ctx context.Context, app driver.App, client *http.Client, shop string) (driver.Grant, error) {
	g, err := askToken(ctx, app, client, shop, url.Values{"grant_type": {grantCredentials}})
	if err != nil {
		return g, err
	}
	return v.named(ctx, app, client, g), nil
}

// named adds the shop and its name. A token must not be lost because the name cannot be read, so then the address stands for it.
func (v Vendor) named(ctx context.Context, app driver.App, client *http.Client, g driver.Grant) driver.Grant {
	name, err := shopName(ctx, app, client, g)
	if err != nil {
		name = g.Subject
	}
	return withShop(g, name)
}

func withShop(g driver.Grant, name string) driver.Grant {
	g.SellerName = name
	g.Shops = []driver.Shop{{ExternalID: g.Subject, Name: name}}
	return g
}

func shopName(ctx context.Context, app driver.App, client *http.Client, g driver.Grant) (string, error) {
	c, err := open(driver.Connection{App: app, Shop: driver.Shop{ExternalID: g.Subject}}, driver.Env{
		Client: client, Token: func(context.Context) (string, error) { return g.AccessToken, nil },
	})
	if err != nil {
		return "", err
	}
	var data struct {
		Shop struct {
			Name string `json:"name"`
		} `json:"shop"`
	}
	if _, err := c.call(ctx, request{op: opLogin, doc: docShop}, &data); err != nil {
		if e, ok := errors.AsType[*driver.Error](err); ok && e.Class == driver.RefreshLogin {
			e.Class = driver.AskHuman // it is the new token that does not work
		}
		return "", err
	}
	if data.Shop.Name == "" {
		return g.Subject, nil
	}
	return data.Shop.Name, nil
}

// tokenAnswer is what the token endpoint says: a token or an error.
type tokenAnswer struct {
	Token          string `json:"access_token"`
	Scope          string `json:"scope"`
	ExpiresIn      int64  `json:"expires_in"`
	Refresh        string `json:"refresh_token"`
	RefreshExpires int64  `json:"refresh_token_expires_in"`
	Error          string `json:"error"`
	Why            string `json:"error_description"`
}

// askToken asks the shop's token endpoint and makes a grant with absolute times by the shop's clock.
func askToken(ctx context.Context, app driver.App, client *http.Client, shop string, form url.Values) (driver.Grant, error) {
	if !shopForm.MatchString(shop) { // our secret goes to this address
		return driver.Grant{}, &driver.Error{Class: driver.GiveUp, Op: opLogin, Message: "the answer names no shop on myshopify.com"}
	}
	form.Set("client_id", app.Key)
	form.Set("client_secret", app.Secret)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address(app, shop, "/admin/oauth/access_token"), strings.NewReader(form.Encode()))
	if err != nil {
		return driver.Grant{}, &driver.Error{Class: driver.GiveUp, Op: opLogin, Cause: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	var t tokenAnswer
	a, err := driver.Env{Client: client}.Do(ctx, opLogin, req, func(a *driver.Answer) *driver.Error { return judgeToken(a, &t) })
	if err != nil {
		return driver.Grant{}, err
	}
	now := a.At
	if now.IsZero() {
		now = time.Now().UTC()
	}
	return driver.Grant{
		AccessToken: t.Token, RefreshToken: t.Refresh, AccessExpiresAt: after(now, t.ExpiresIn), RefreshExpires: after(now, t.RefreshExpires),
		Subject: shop, Scopes: strings.FieldsFunc(t.Scope, func(r rune) bool { return r == ',' || r == ' ' }),
	}, nil
}

// after is seconds from now; zero for a token that does not expire.
func after(now time.Time, seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(min(seconds, maxLife)) * time.Second)
}

func judgeToken(a *driver.Answer, t *tokenAnswer) *driver.Error {
	a.RequestID = a.Header.Get("X-Request-Id")
	broken := json.Unmarshal(a.Body, t)
	fail := judgeStatus(a, false)
	switch {
	case fail != nil && (fail.Class == driver.GiveUp || fail.Class == driver.RefreshLogin):
		fail.Class = driver.AskHuman // the code was used, the refresh token ended, the app is unknown: connect again
	case fail == nil && (broken != nil || t.Token == ""):
		fail = &driver.Error{Class: driver.AskHuman, Message: "the shop answered without an access token"}
	}
	if fail != nil {
		fail.Status, fail.RequestID, fail.Code = a.Status, a.RequestID, cut(t.Error)
		if fail.Message == "" {
			fail.Message = cut(t.Why)
		}
		a.Code = fail.Code
	}
	return fail
}

// signedQuery checks the hmac parameter: hex HMAC-SHA256 over the other parameters, sorted and joined. Shopify's own libraries
// differ in whether values are percent-encoded before they are signed, so both are taken; neither can be made without
// the secret, and the plain form escapes what separates parameters.
func signedQuery(secret string, q url.Values) bool {
	sum, err := hex.DecodeString(q.Get("hmac"))
	if err != nil || len(sum) != sha256.Size || secret == "" {
		return false
	}
	rest := url.Values{}
	for k, v := range q {
		if k != "hmac" && k != "signature" {
			rest[k] = v
		}
	}
	return signed(secret, []byte(rest.Encode()), sum) || signed(secret, []byte(plain(rest)), sum)
}

// plain joins sorted parameters without encoding.
func plain(q url.Values) string {
	key := strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D")
	value := strings.NewReplacer("%", "%25", "&", "%26")
	var parts []string
	for k, v := range q {
		parts = append(parts, key.Replace(k)+"="+value.Replace(strings.Join(v, ",")))
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}
