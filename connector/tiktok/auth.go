package tiktok

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Operations of the token host and of the consent.
const (
	opToken driver.Operation = "token"
	opShops driver.Operation = "shops"
)

// ConsentURL implements driver.Vendor. The platform returns to the one address registered with the app in Partner Center;
// redirect is sent along for sandboxes that take another, and must be the registered one.
func (v Vendor) ConsentURL(app driver.App, redirect, state string) (string, error) {
	u, err := v.address(app, SettingConsentURL)
	if err != nil {
		return "", err
	}
	service := app.Settings[SettingServiceID]
	if service == "" {
		return "", errs.New(errs.Invalid, "tiktok.ConsentURL", SettingServiceID, "The app's service id is not set.")
	}
	q := u.Query()
	q.Set("service_id", service)
	q.Set("state", state)
	if redirect != "" && loopback(u) {
		q.Set("redirect_uri", redirect)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Exchange implements driver.Vendor: the code for tokens, and the tokens for the shops they cover.
func (v Vendor) Exchange(ctx context.Context, app driver.App, client *http.Client, answer url.Values) (driver.Grant, error) {
	code := answer.Get("code")
	if e := answer.Get("error"); e != "" || code == "" || code == "null" {
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Op: opToken, Code: e, Message: "the seller did not agree"}
	}
	grant, clock, err := v.token(ctx, app, client, "get", url.Values{"auth_code": {code}, "grant_type": {"authorized_code"}})
	if err != nil {
		return driver.Grant{}, err
	}
	api, err := v.address(app, SettingAPIHost)
	if err != nil {
		return driver.Grant{}, err
	}
	c := &caller{app: app, base: api, now: clock}
	r := request{op: opShops, method: getShops.method, path: getShops.path, token: grant.AccessToken}
	data, _, err := do[wireShops](ctx, c, driver.Env{Client: client}, r)
	if err != nil {
		return driver.Grant{}, err
	}
	for _, s := range data.Shops {
		settings := map[string]string{shopCipher: s.Cipher, shopCode: s.Code, shopSeller: s.SellerType}
		if s.SellerType == crossBorder {
			settings[driver.ShopKind] = "cross-border shops"
		}
		grant.Shops = append(grant.Shops, driver.Shop{ExternalID: s.ID, Name: s.Name, Region: s.Region, Settings: settings})
	}
	if len(grant.Shops) == 0 {
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Op: opShops, Message: "the seller's account has no shop"}
	}
	return grant, nil
}

// Refresh implements driver.Vendor.
func (v Vendor) Refresh(ctx context.Context, app driver.App, client *http.Client, old driver.Grant) (driver.Grant, error) {
	if old.RefreshToken == "" {
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Op: opToken, Message: "there is no refresh token; the seller must connect again"}
	}
	grant, _, err := v.token(ctx, app, client, "refresh", url.Values{"refresh_token": {old.RefreshToken}, "grant_type": {"refresh_token"}})
	return grant, err
}

// token asks the token host, whose calls are not signed and carry the secret in the query (facts, section 2). It also
// returns the platform's clock, by which the call that follows is stamped.
func (v Vendor) token(ctx context.Context, app driver.App, client *http.Client, what string, q url.Values) (driver.Grant, func() time.Time, error) {
	u, err := v.address(app, SettingTokenHost)
	if err != nil {
		return driver.Grant{}, nil, err
	}
	u.Path += "/api/v2/token/" + what
	q.Set("app_key", app.Key)
	q.Set("app_secret", app.Secret)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return driver.Grant{}, nil, &driver.Error{Class: driver.GiveUp, Op: opToken, Cause: withoutQuery(err)}
	}
	var out envelope[wireToken]
	a, err := driver.Env{Client: client}.Do(ctx, opToken, req, func(a *driver.Answer) *driver.Error {
		unreadable := json.Unmarshal(a.Body, &out)
		a.RequestID = out.RequestID
		if out.Code != 0 {
			a.Code = strconv.FormatInt(out.Code, 10)
		}
		e := judge(a, out.Code, out.Message, unreadable, true, nil)
		if e == nil && out.Data.AccessToken == "" {
			e = &driver.Error{Class: driver.AskHuman, Status: a.Status, Message: "the answer has no token", RequestID: a.RequestID}
		}
		if e != nil && e.Class == driver.RefreshLogin {
			e.Class = driver.AskHuman // here it is the consent itself that has ended
		}
		return e
	})
	if err != nil {
		return driver.Grant{}, nil, err
	}
	t := out.Data
	grant := driver.Grant{
		AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, AccessExpiresAt: at(t.AccessTokenExpireIn),
		RefreshExpires: at(t.RefreshTokenExpireIn), Subject: t.OpenID, SellerName: t.SellerName, Scopes: t.GrantedScopes,
	}
	return grant, clockOf(a), nil
}

// clockOf is the platform's clock by an answer's Date, running on from it; ours where it has none.
func clockOf(a *driver.Answer) func() time.Time {
	if a.At.IsZero() {
		return time.Now
	}
	off := time.Until(a.At)
	return func() time.Time { return time.Now().Add(off) }
}

func loopback(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
