package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Headers of a webhook. A receiver works out the signature over the time, a full stop and the body with the shared secret, compares it in
// constant time, refuses old times, and drops a delivery whose id it has seen.
const (
	HeaderDelivery  = "X-Spillway-Delivery"
	HeaderTime      = "X-Spillway-Timestamp" // Unix seconds
	HeaderSignature = "X-Spillway-Signature" // v1= and hexadecimal HMAC-SHA256
)

// minSecret keeps secrets from being guessed.
const minSecret = 16

// hook is the body of a webhook.
type hook struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Severity string    `json:"severity,omitempty"`
	Link     string    `json:"link,omitempty"`
	At       time.Time `json:"at"`
}

// Sign is the signature of a webhook's body sent at a time.
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (s *Sender) webhook(ctx context.Context, u *url.URL, m Message) error {
	secret := u.User.Username()
	if len(secret) < minSecret {
		return errs.New(errs.Invalid, "notify.Send", "webhook", "needs a secret of at least %d characters before the host: %s", minSecret, services[0].Help)
	}
	body, err := json.Marshal(hook(m))
	if err != nil {
		return err
	}
	at := s.o.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.https(u, u.RawQuery), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderDelivery, m.ID)
	req.Header.Set(HeaderTime, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(HeaderSignature, Sign(secret, at, body))
	return s.do(req)
}

// https is the address behind a service URL. This machine, where it is allowed at all, is called without TLS.
func (s *Sender) https(u *url.URL, query string) string {
	to := url.URL{Scheme: "https", Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: query}
	if s.nearby(u.Hostname()) {
		to.Scheme = "http"
	}
	return to.String()
}

// generic speaks to a gateway as its parameters say: messagekey and titlekey name the fields, template is json or form (none: the text
// alone), $name=value adds a field, @name=value a header, method and contenttype replace POST and the usual type; a user and a password are
// Basic authorization. Other parameters are the gateway's.
func (s *Sender) generic(ctx context.Context, u *url.URL, m Message) error {
	fields, headers, rest := map[string]string{}, map[string]string{}, url.Values{}
	o := map[string]string{"messagekey": "message", "titlekey": "title", "template": "", "method": http.MethodPost, "contenttype": ""}
	for name, vs := range u.Query() {
		_, known := o[strings.ToLower(name)]
		switch {
		case known:
			o[strings.ToLower(name)] = vs[0]
		case strings.HasPrefix(name, "$"):
			fields[name[1:]] = vs[0]
		case strings.HasPrefix(name, "@"):
			headers[name[1:]] = vs[0]
		case strings.EqualFold(name, "disabletls"):
		default:
			rest[name] = vs
		}
	}
	body, kind, err := genericBody(o, fields, m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(o["method"]), s.https(u, rest.Encode()), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if o["contenttype"] != "" {
		kind = o["contenttype"]
	}
	req.Header.Set("Content-Type", kind)
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	if p, ok := u.User.Password(); ok {
		req.SetBasicAuth(u.User.Username(), p)
	}
	req.Header.Set(HeaderDelivery, m.ID)
	return s.do(req)
}

func genericBody(o, fields map[string]string, m Message) (body []byte, kind string, err error) {
	text := m.Text
	if m.Link != "" {
		text += "\n" + m.Link
	}
	if o["template"] == "json" {
		fields[o["titlekey"]] = m.Title
	} else {
		text = m.Title + "\n" + text // a text message has no title of its own
	}
	fields[o["messagekey"]] = text
	switch o["template"] {
	case "":
		return []byte(text), "text/plain; charset=utf-8", nil
	case "json":
		body, err = json.Marshal(fields)
		return body, "application/json", err
	case "form":
		form := url.Values{}
		for k, v := range fields {
			form.Set(k, v)
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	}
	return nil, "", errs.New(errs.Invalid, "notify.Send", "template", "is json or form, or left out for the text alone")
}

// do calls and judges the answer, of which no more is read than keeps the connection usable.
func (s *Sender) do(req *http.Request) error {
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // the status has said what counts
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return statusError(resp.StatusCode)
	}
	return nil
}
