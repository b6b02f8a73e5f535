package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

type carrierSetting struct {
	Name     string `json:"name"`
	Help     string `json:"help,omitempty"`
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required"`
	Secret   bool   `json:"secret"`
}

type carrierKind struct {
	Carrier  string           `json:"carrier" doc:"To name it by."`
	Title    string           `json:"title"`
	Keeps    bool             `json:"keeps_stock" doc:"A logistics provider: it keeps the stock and packs."`
	Settings []carrierSetting `json:"settings"`
}

type carrierAccount struct {
	ID       string            `json:"id" doc:"Nodes and their lanes name it as their account."`
	Carrier  string            `json:"carrier"`
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings" doc:"Without secrets: those are never shown again."`
	Webhook  string            `json:"webhook" doc:"The address to enter with the carrier."`
	Actor    string            `json:"actor" doc:"Who added it."`
	At       time.Time         `json:"at"`
}

type carrierList struct {
	Body struct {
		Accounts []carrierAccount `json:"accounts"`
		Kinds    []carrierKind    `json:"kinds" doc:"Whom accounts can be had with, and what each asks for."`
	}
}

type carrierAnswer struct{ Body carrierAccount }

type carrierAdd struct {
	Body struct {
		Carrier  string            `json:"carrier" minLength:"1" maxLength:"40"`
		Name     string            `json:"name" minLength:"1" maxLength:"200"`
		Settings map[string]string `json:"settings,omitempty" doc:"Secrets too; they are sealed and never shown again."`
	}
}

func (s *service) carriers(a huma.API) {
	fails := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	huma.Register(a, huma.Operation{OperationID: "carriers", Method: http.MethodGet, Path: base + "/carriers", Summary: "Accounts parcels are shipped with",
		Security: security, Tags: []string{"carriers"}, Errors: fails}, s.carrierList)
	huma.Register(a, huma.Operation{OperationID: "addCarrier", Method: http.MethodPost, Path: base + "/carriers", Summary: "Add an account", DefaultStatus: http.StatusCreated,
		Security: security, Tags: []string{"carriers"}, Errors: append(fails, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict)}, s.carrierAdd)
	huma.Register(a, huma.Operation{OperationID: "removeCarrier", Method: http.MethodDelete, Path: base + "/carriers/{id}", Summary: "Remove an account: its secrets are forgotten, its parcels stay",
		Security: security, Tags: []string{"carriers"}, Errors: append(fails, http.StatusNotFound), DefaultStatus: http.StatusNoContent}, s.carrierRemove)
}

func (s *service) carrierList(ctx context.Context, _ *struct{}) (*carrierList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.CarrierAccounts(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &carrierList{}
	out.Body.Accounts, out.Body.Kinds = make([]carrierAccount, 0, len(all)), []carrierKind{}
	for _, a := range all {
		out.Body.Accounts = append(out.Body.Accounts, s.carrierAccount(a))
	}
	for _, c := range s.x.Carriers() {
		k := carrierKind{Carrier: c.Name, Title: cmp.Or(c.Title, c.Name), Keeps: c.Keeps, Settings: []carrierSetting{}}
		for _, x := range c.Settings {
			k.Settings = append(k.Settings, carrierSetting{Name: x.Name, Help: x.Help, Default: x.Default, Required: x.Required, Secret: x.Secret})
		}
		out.Body.Kinds = append(out.Body.Kinds, k)
	}
	return out, nil
}

func (s *service) carrierAccount(a ops.CarrierAccount) carrierAccount {
	return carrierAccount{ID: a.ID, Carrier: a.Carrier, Name: a.Name, Settings: a.Settings, Webhook: s.x.WebhookOf(a), Actor: a.CreatedBy, At: a.CreatedAt}
}

func (s *service) carrierAdd(ctx context.Context, in *carrierAdd) (*carrierAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	a, err := s.x.AddCarrier(ctx, ops.NewCarrierAccount{Carrier: in.Body.Carrier, Name: in.Body.Name, Settings: in.Body.Settings, Actor: caller(ctx)})
	if err != nil {
		return nil, s.problem(err)
	}
	return &carrierAnswer{s.carrierAccount(a)}, nil
}

func (s *service) carrierRemove(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100"`
}) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.RemoveCarrier(ctx, in.ID, caller(ctx)))
}
