package easypost

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
)

// Document implements driver.Shipper. A label is printed in one format; in another it is converted by the vendor.
func (s *shipper) Document(ctx context.Context, b driver.Booked, kind driver.DocumentKind, format string) (driver.Document, error) {
	var w wireShipment
	path := "shipments/" + url.PathEscape(b.Ref)
	from := ""
	switch kind {
	case driver.LabelDocument:
		format = cmp.Or(strings.ToUpper(format), "PDF")
		if format != "PDF" && format != "ZPL" {
			return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "labels are PDF or ZPL"}
		}
		if err := s.call(ctx, driver.OpDocument, http.MethodGet, path+"/label", url.Values{"file_format": {format}}, nil, &w); err != nil {
			return driver.Document{}, driver.BeforeCall(err)
		}
		if w.Label != nil {
			from = w.Label.in(format)
		}
	case driver.CommercialInvoice:
		if err := s.call(ctx, driver.OpDocument, http.MethodGet, path, nil, nil, &w); err != nil {
			return driver.Document{}, driver.BeforeCall(err)
		}
		for _, f := range w.Forms {
			if f.Type == "commercial_invoice" {
				from = f.URL
			}
		}
	default:
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "EasyPost prints no such document"}
	}
	return label.Fetch(ctx, s.env, s.base, labelHosts, kind, from)
}

// in is where the label is kept in a format.
func (l *wireLabel) in(format string) string {
	if format == "ZPL" {
		return l.ZPL
	}
	if l.PDF == "" && strings.Contains(l.FileType, "pdf") {
		return l.URL
	}
	return l.PDF
}

// Void implements driver.Shipper. The label is read first: what was asked before is answered as it stands.
func (s *shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	w, found, err := s.read(ctx, driver.OpVoid, b.Ref)
	switch {
	case err != nil:
		return "", driver.BeforeCall(err)
	case !found: // it may well be paid, with another key
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpVoid, Message: "this account knows no such label"}
	case !w.paid():
		return driver.VoidDone, nil // there is nothing to pay
	}
	if v := voided[w.Refund]; v != "" {
		return v, nil
	}
	var got wireShipment
	if err := s.call(ctx, driver.OpVoid, http.MethodPost, "shipments/"+url.PathEscape(b.Ref)+"/refund", nil, struct{}{}, &got); err != nil {
		if driver.ClassOf(err) == driver.GiveUp { // used already, or past its day
			return driver.VoidRefused, nil
		}
		return "", err
	}
	return cmp.Or(voided[got.Refund], driver.VoidAsked), nil
}

// voided is what the vendor's words for a refund mean.
var voided = map[string]driver.Voided{"submitted": driver.VoidAsked, "refunded": driver.VoidDone, "rejected": driver.VoidRefused, "not_applicable": driver.VoidRefused}

// Manifest implements driver.Manifester: a scan form. The vendor refuses parcels of several senders or days, and says so.
func (s *shipper) Manifest(ctx context.Context, booked []driver.Booked) (string, error) {
	if len(booked) == 0 || len(booked) > driver.MaxManifest {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpManifest, Message: "a manifest holds 1 to 1000 parcels"}
	}
	var in struct {
		Shipments []wireAccount `json:"shipments"`
	}
	for _, b := range booked {
		in.Shipments = append(in.Shipments, wireAccount{b.Ref})
	}
	var form wireScanForm
	if err := s.call(ctx, driver.OpManifest, http.MethodPost, "scan_forms", nil, in, &form); err != nil {
		return "", err
	}
	return form.ID, form.failed(driver.OpManifest)
}

// ManifestDocument implements driver.Manifester. Where the document is kept is asked anew each time: the vendor's addresses need not last.
func (s *shipper) ManifestDocument(ctx context.Context, id string) (driver.Document, error) {
	var form wireScanForm
	if err := s.call(ctx, driver.OpDocument, http.MethodGet, "scan_forms/"+url.PathEscape(id), nil, nil, &form); err != nil {
		return driver.Document{}, driver.BeforeCall(err)
	}
	if err := form.failed(driver.OpDocument); err != nil {
		return driver.Document{}, err
	}
	if form.URL == "" {
		return driver.Document{}, &driver.Error{Class: driver.Retry, Op: driver.OpDocument, Message: "the carrier is still making the manifest"}
	}
	return label.Fetch(ctx, s.env, s.base, labelHosts, driver.ManifestDocument, form.URL)
}

// wireScanForm is a scan form.
type wireScanForm struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Message string `json:"message"`
	URL     string `json:"form_url"`
}

func (f *wireScanForm) failed(op driver.Operation) error {
	if f.Status != "failed" {
		return nil
	}
	return &driver.Error{Class: driver.GiveUp, Op: op, Message: cmp.Or(f.Message, "the carrier makes no manifest of these parcels")}
}

// Parcels implements driver.Follower by the vendor's list of events, newest first on each page.
func (s *shipper) Parcels(ctx context.Context, since time.Time, cursor string) (driver.ParcelPage, error) {
	q := url.Values{"page_size": {strconv.Itoa(maxPage)}, "start_datetime": {since.UTC().Format(time.RFC3339)}}
	if cursor != "" {
		q.Set("before_id", cursor)
	}
	var got struct {
		Events  []wireEvent `json:"events"`
		HasMore bool        `json:"has_more"`
	}
	if err := s.call(ctx, driver.OpParcels, http.MethodGet, "events", q, nil, &got); err != nil {
		return driver.ParcelPage{}, driver.BeforeCall(err)
	}
	var out driver.ParcelPage
	for _, e := range got.Events {
		if news, err := newsOf(e.Description, e.Result); err == nil {
			out.News = append(out.News, news...)
		}
	}
	if n := len(got.Events); n > 0 && got.HasMore {
		out.Next = got.Events[n-1].ID
	}
	return out, nil
}
