package shippo

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
)

func (s *shipper) transaction(ctx context.Context, op driver.Operation, ref string) (w wireTransaction, err error) {
	err = s.call(ctx, op, http.MethodGet, "transactions/"+url.PathEscape(ref), nil, nil, &w)
	return w, driver.BeforeCall(err)
}

// Document implements driver.Shipper. A label is printed in the format it was booked in, and in no other.
func (s *shipper) Document(ctx context.Context, b driver.Booked, kind driver.DocumentKind, _ string) (driver.Document, error) {
	if kind != driver.LabelDocument && kind != driver.CommercialInvoice {
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "Shippo prints no such document"}
	}
	w, err := s.transaction(ctx, driver.OpDocument, b.Ref)
	if err != nil {
		return driver.Document{}, err
	}
	from := w.Label
	if kind == driver.CommercialInvoice {
		from = w.Invoice
	}
	return label.Fetch(ctx, s.env, s.base, labelHosts, kind, from)
}

// Void implements driver.Shipper. The transaction is read first: what was asked before is answered as it stands.
func (s *shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	w, err := s.transaction(ctx, driver.OpVoid, b.Ref)
	if err != nil {
		return "", err
	}
	switch w.Status {
	case "REFUNDED", "ERROR": // a label that failed costs nothing
		return driver.VoidDone, nil
	case "REFUNDPENDING":
		return driver.VoidAsked, nil
	case "REFUNDREJECTED":
		return driver.VoidRefused, nil
	case "SUCCESS":
	default:
		return "", &driver.Error{Class: driver.Retry, Op: driver.OpVoid, Message: "the label is still being made"}
	}
	var got struct {
		Status string `json:"status"`
	}
	if err := s.call(ctx, driver.OpVoid, http.MethodPost, "refunds", nil, map[string]any{"transaction": b.Ref, "async": false}, &got); err != nil {
		if driver.ClassOf(err) == driver.GiveUp { // used already, or past its day
			return driver.VoidRefused, nil
		}
		return "", err
	}
	switch got.Status {
	case "SUCCESS":
		return driver.VoidDone, nil
	case "ERROR":
		return driver.VoidRefused, nil
	}
	return driver.VoidAsked, nil
}

// Manifest implements driver.Manifester. Account and sender are those of the first parcel; the vendor refuses others among them, and says so.
func (s *shipper) Manifest(ctx context.Context, booked []driver.Booked) (string, error) {
	if len(booked) == 0 || len(booked) > driver.MaxManifest {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpManifest, Message: "a manifest holds 1 to 1000 parcels"}
	}
	account, from, err := s.sender(ctx, booked[0].Ref)
	if err != nil {
		return "", driver.BeforeCall(err)
	}
	refs := make([]string, len(booked))
	for i, b := range booked {
		refs[i] = b.Ref
	}
	var got wireManifest
	in := map[string]any{"carrier_account": account, "shipment_date": s.now(time.Time{}).UTC().Format(time.RFC3339), "address_from": from, "transactions": refs, "async": false}
	if err := s.call(ctx, driver.OpManifest, http.MethodPost, "manifests", nil, in, &got); err != nil {
		return "", err
	}
	return got.ID, got.failed(driver.OpManifest)
}

// ManifestDocument implements driver.Manifester. Where the document is kept is asked anew each time: the vendor's addresses expire.
func (s *shipper) ManifestDocument(ctx context.Context, id string) (driver.Document, error) {
	var got wireManifest
	if err := s.call(ctx, driver.OpDocument, http.MethodGet, "manifests/"+url.PathEscape(id), nil, nil, &got); err != nil {
		return driver.Document{}, driver.BeforeCall(err)
	}
	if err := got.failed(driver.OpDocument); err != nil {
		return driver.Document{}, err
	}
	if len(got.Documents) == 0 {
		return driver.Document{}, &driver.Error{Class: driver.Retry, Op: driver.OpDocument, Message: "the carrier is still making the manifest"}
	}
	return label.Fetch(ctx, s.env, s.base, labelHosts, driver.ManifestDocument, got.Documents[0])
}

// wireManifest is a manifest. What cannot be one is HTTP 201 with a status of its own.
type wireManifest struct {
	ID        string          `json:"object_id"`
	Status    string          `json:"status"`
	Documents []string        `json:"documents"`
	Errors    json.RawMessage `json:"errors"`
}

func (m *wireManifest) failed(op driver.Operation) error {
	if m.Status != "ERROR" && m.Status != "NOTRANSACTIONS" {
		return nil
	}
	return &driver.Error{Class: driver.GiveUp, Op: op, Message: cmp.Or(label.Sentence(m.Errors), "the carrier makes no manifest of these parcels")}
}

// sender reads which account a label was bought with and which address it came from.
func (s *shipper) sender(ctx context.Context, ref string) (account, address string, err error) {
	w, err := s.transaction(ctx, driver.OpManifest, ref)
	if err != nil {
		return "", "", err
	}
	var rate wireRate
	if err := s.call(ctx, driver.OpManifest, http.MethodGet, "rates/"+url.PathEscape(w.Rate.ID), nil, nil, &rate); err != nil {
		return "", "", err
	}
	var shipment struct {
		From struct {
			ID string `json:"object_id"`
		} `json:"address_from"`
	}
	if err := s.call(ctx, driver.OpManifest, http.MethodGet, "shipments/"+url.PathEscape(rate.Shipment), nil, nil, &shipment); err != nil {
		return "", "", err
	}
	return rate.Account, shipment.From.ID, nil
}
