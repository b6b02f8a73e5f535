// Package label has what connectors of label brokers have in common: where they may be sent, and how a printed document is fetched from the storage a
// broker points to.
//
// It promises that a key goes to the broker's own host or to this machine only, and that a document comes from a host on the list. It must not import a
// vendor's connector.
package label

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// Base reads the address of a broker's API: the vendor's own host, or a simulator on this machine. Errors: class AskHuman.
func Base(raw, own string) (*url.URL, error) {
	if raw == "" {
		raw = own
	}
	u, err := url.Parse(raw)
	mine, wrong := url.Parse(own)
	if err != nil || wrong != nil || u.User != nil || u.RawQuery != "" || !(u.Scheme == "https" && u.Host == mine.Host || loopback(u)) {
		return nil, &driver.Error{Class: driver.AskHuman, Message: "the address of the interface is neither the carrier's own nor a simulator on this machine"}
	}
	return u, nil
}

func loopback(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Fetch gets a document from where a broker keeps it. No key goes there; hosts are those it may come from, and a simulator's own.
func Fetch(ctx context.Context, env driver.Env, base *url.URL, hosts []string, kind driver.DocumentKind, from string) (driver.Document, error) {
	refuse := func(why string) (driver.Document, error) {
		return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: why}
	}
	u, err := url.Parse(from)
	if err != nil || from == "" {
		return refuse("the carrier names no place from which to fetch the document")
	}
	simulated := loopback(base) && u.Scheme == base.Scheme && u.Host == base.Host
	if !simulated && (u.Scheme != "https" || u.Port() != "" || u.User != nil || !slices.Contains(hosts, strings.ToLower(u.Host))) {
		return refuse("the document is kept at a place that is not on the list of those it may come from")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return refuse("the carrier names no place from which to fetch the document")
	}
	a, err := env.Do(ctx, driver.OpDocument, req, judge)
	if err != nil {
		return driver.Document{}, err
	}
	d := driver.Document{Kind: kind, Type: mediaType(a.Body), Data: a.Body}
	if d.Type == "" || len(d.Data) > driver.MaxDocument {
		return refuse("the document is neither PDF nor PNG nor ZPL, or it is too long")
	}
	return d, nil
}

func judge(a *driver.Answer) *driver.Error {
	switch {
	case a.Status == http.StatusOK:
		return nil
	case a.Status == http.StatusTooManyRequests || a.Status >= 500:
		return &driver.Error{Class: driver.Retry, Status: a.Status}
	}
	return &driver.Error{Class: driver.GiveUp, Status: a.Status, Message: "the document is not there any more"}
}

// mediaType tells what a document is by its first bytes: storage often names no type.
func mediaType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return "application/pdf"
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(bytes.TrimLeft(data, "\r\n \t"), []byte("^XA")), bytes.HasPrefix(data, []byte("${^XA")):
		return "application/zpl"
	}
	return ""
}
