package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/spillway/spillway/connector/driver"
)

const (
	signatureHeader = "X-Hmac-Signature"
	signaturePrefix = "hmac-sha256-hex="
	maxDetails      = 200 // of one tracker; the longest ways have a hundred
	maxText         = 120
)

// Verify implements driver.Carrier. The signature is over the raw bytes, under the secret in its compatibility form (NFKD).
func (Carrier) Verify(account driver.CarrierAccount, header http.Header, body []byte) (driver.Envelope, error) {
	secret := account.Settings[setSecret]
	given, err := hex.DecodeString(strings.TrimPrefix(header.Get(signatureHeader), signaturePrefix))
	if secret == "" || err != nil {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: driver.OpWebhooks, Message: "the message bears no signature that can be checked"}
	}
	mac := hmac.New(sha256.New, norm.NFKD.Bytes([]byte(secret)))
	mac.Write(body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: driver.OpWebhooks, Message: "the signature is wrong"}
	}
	var e wireEvent
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" || e.Description == "" {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message is no event"}
	}
	return driver.Envelope{DeliveryID: e.ID, Topic: e.Description, ShopID: account.ID, Account: true, SentAt: e.CreatedAt.UTC()}, nil
}

// Decode implements driver.Carrier. Only trackers are news of parcels.
func (Carrier) Decode(topic string, body []byte) ([]driver.ParcelNews, error) {
	var e wireEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the message is no event"}
	}
	return newsOf(topic, e.Result)
}

func newsOf(topic string, result json.RawMessage) ([]driver.ParcelNews, error) {
	if topic != "tracker.created" && topic != "tracker.updated" {
		return nil, nil
	}
	var t wireTracker
	if err := json.Unmarshal(result, &t); err != nil || t.Code == "" {
		return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpWebhooks, Message: "the event holds no tracker"}
	}
	news := driver.ParcelNews{Ref: t.Shipment, Tracking: t.Code}
	for _, d := range t.Details[max(0, len(t.Details)-maxDetails):] {
		if d.At.IsZero() {
			continue
		}
		status, _ := words.Status(d.Status, d.Detail)
		where := []string{d.Where.City, d.Where.State, d.Where.Country}
		news.Events = append(news.Events, driver.ParcelEvent{Word: clip(d.Status), Status: string(status), Detail: clip(d.Detail), Place: place(where), At: d.At.UTC()})
	}
	if len(news.Events) == 0 && !t.Updated.IsZero() { // a tracker without a history still says where it stands
		status, _ := words.Status(t.Status, t.Detail)
		news.Events = []driver.ParcelEvent{{Word: clip(t.Status), Status: string(status), Detail: clip(t.Detail), At: t.Updated.UTC()}}
	}
	return []driver.ParcelNews{news}, nil
}

func place(parts []string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return clip(strings.Join(out, ", "))
}

// clip bounds a text; details are the vendor's codes, never the carrier's sentence, which may name the receiver.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
