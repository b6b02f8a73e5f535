package dummy

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// ConsentURL is where the seller's browser goes. Only public values go into it.
func (Vendor) ConsentURL(app driver.App, redirect, state string) (string, error) {
	u, err := base(app)
	if err != nil {
		return "", err
	}
	u = u.JoinPath("consent")
	u.RawQuery = url.Values{"app": {app.Key}, "redirect": {redirect}, "state": {state}}.Encode()
	return u.String(), nil
}

// Exchange turns the code of the seller's consent into a grant. A refusal is for a person, not for a retry.
func (Vendor) Exchange(ctx context.Context, app driver.App, client *http.Client, answer url.Values) (driver.Grant, error) {
	if answer.Get("code") == "" {
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Code: answer.Get("error"), Message: "the seller did not agree"}
	}
	return token(ctx, app, client, tokenRequest{App: app.Key, Secret: app.Secret, Code: answer.Get("code")})
}

// Refresh trades the refresh token for a new pair.
func (Vendor) Refresh(ctx context.Context, app driver.App, client *http.Client, old driver.Grant) (driver.Grant, error) {
	return token(ctx, app, client, tokenRequest{App: app.Key, Secret: app.Secret, Refresh: old.RefreshToken})
}

type tokenRequest struct {
	App, Secret   string
	Code, Refresh string `json:",omitempty"`
}

func token(ctx context.Context, app driver.App, client *http.Client, in tokenRequest) (driver.Grant, error) {
	u, err := base(app)
	if err != nil {
		return driver.Grant{}, err
	}
	var out struct {
		Access, Refresh, Account string
		ExpiresAt                time.Time `json:"expires_at"`
		Shops                    []struct{ ID, Name, Region string }
	}
	if _, err := send(ctx, driver.Env{Client: client}, "token", http.MethodPost, u.JoinPath("token"), "", in, &out); err != nil {
		return driver.Grant{}, err
	}
	g := driver.Grant{AccessToken: out.Access, RefreshToken: out.Refresh, AccessExpiresAt: out.ExpiresAt, Subject: out.Account}
	for _, s := range out.Shops {
		g.Shops = append(g.Shops, driver.Shop{ExternalID: s.ID, Name: s.Name, Region: s.Region})
	}
	return g, nil
}
