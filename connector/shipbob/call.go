package shipbob

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

const (
	usualWait  = 5 * time.Second // where ShipBob names no time
	longest    = 5 * time.Minute // a longer wait in a header is a mistake: the window is a minute
	maxMessage = 300             // bytes of ShipBob's text that are kept
)

// call does one request and reads the answer into out.
func (s *shipper) call(ctx context.Context, op driver.Operation, method, path string, query url.Values, in, out any) (*driver.Answer, error) {
	var body []byte
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
		}
		body = b
	}
	to := s.base.JoinPath(path)
	to.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	if method != http.MethodGet {
		req.Header.Set("shipbob_channel_id", s.channel)
	}
	return s.env.Do(ctx, op, req, func(a *driver.Answer) *driver.Error { return judge(a, method != http.MethodGet, out) })
}

// judge classes a failure by what to do, and reads a success into out. That 503 was turned away is safe to say: what was done all the same is found,
// since a reference id is taken once and a cancelled order stays cancelled.
func judge(a *driver.Answer, write bool, out any) *driver.Error {
	switch s := a.Status; {
	case s >= 200 && s < 300:
		if err := json.Unmarshal(a.Body, out); err != nil {
			return &driver.Error{Class: driver.Retry, Status: s, Applied: write, Message: "the answer cannot be read"}
		}
		return nil
	case s == http.StatusTooManyRequests:
		return &driver.Error{Class: driver.RetryAfter, Status: s, After: wait(a.Header)}
	case s == http.StatusServiceUnavailable:
		return &driver.Error{Class: driver.Retry, Status: s}
	case s == http.StatusUnauthorized:
		return &driver.Error{Class: driver.AskHuman, Status: s, Message: "ShipBob does not know the token: make a new one and store it"}
	case s == http.StatusForbidden:
		return &driver.Error{Class: driver.AskHuman, Status: s, Message: "the token may not do this: look at its scopes and at the channel's id"}
	case s == http.StatusRequestTimeout || s >= 500:
		return &driver.Error{Class: driver.Retry, Status: s, Applied: write}
	}
	return &driver.Error{Class: driver.GiveUp, Status: a.Status, Message: said(a.Body)}
}

func wait(h http.Header) time.Duration {
	for _, name := range []string{"X-Retry-After", "Retry-After"} {
		if n, err := strconv.Atoi(strings.TrimSpace(h.Get(name))); err == nil && n > 0 {
			return min(time.Duration(n)*time.Second, longest)
		}
	}
	return usualWait
}

// said is what a refusal tells: fields with texts, or one message.
func said(body []byte) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		return ""
	}
	var parts []string
	for field, raw := range all {
		var texts []string
		var text string
		if json.Unmarshal(raw, &texts) == nil {
			parts = append(parts, strings.TrimPrefix(field+": ", ": ")+strings.Join(texts, " "))
		} else if json.Unmarshal(raw, &text) == nil && field == "message" {
			parts = append(parts, text)
		}
	}
	out := strings.Join(parts, "; ")
	if len(out) > maxMessage {
		out = strings.ToValidUTF8(out[:maxMessage], "")
	}
	return out
}
