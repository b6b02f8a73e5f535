package shippo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/label"
)

// shipper is one account.
type shipper struct {
	base     *url.URL
	env      driver.Env
	key      string
	format   string
	accounts []string
	signer   string // of customs declarations
	incoterm string
}

// Roles of the package, said here so that a changed signature does not end one silently.
var (
	_ driver.Carrier    = Carrier{}
	_ driver.Shipper    = (*shipper)(nil)
	_ driver.Manifester = (*shipper)(nil)
)

// call makes one request and reads the answer into out. path holds what is escaped already.
func (s *shipper) call(ctx context.Context, op driver.Operation, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
		}
		body = b
	}
	u := s.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return &driver.Error{Class: driver.GiveUp, Op: op, Message: "the address of the interface cannot be used"}
	}
	req.Header.Set("Authorization", "ShippoToken "+s.key)
	req.Header.Set("Shippo-Api-Version", version)
	req.Header.Set("Content-Type", "application/json")
	_, err = s.env.Do(ctx, op, req, func(a *driver.Answer) *driver.Error { return judge(a, out) })
	return err
}

// judge classes a failure by what to do about it, and reads a success into out. The vendor's errors are objects of fields with texts or lists of them.
// Whatever fails on its side may have sold a label before, in whichever words.
func judge(a *driver.Answer, out any) *driver.Error {
	if a.Status == http.StatusOK || a.Status == http.StatusCreated {
		if err := json.Unmarshal(a.Body, out); err != nil {
			return &driver.Error{Class: driver.Retry, Status: a.Status, Applied: true, Message: "the answer is not what it should be"}
		}
		return nil
	}
	e := &driver.Error{Class: driver.GiveUp, Status: a.Status}
	if json.Valid(a.Body) { // a gateway in between answers with a page: then the status must do
		e.Message = label.Sentence(a.Body)
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		e.Class, e.After = driver.RetryAfter, retryAfter(a.Header)
	case a.Status == http.StatusRequestTimeout || a.Status >= 500:
		e.Class, e.Applied = driver.Retry, true
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusPaymentRequired:
		e.Class = driver.AskHuman
	}
	if e.Message == "" && e.Class != driver.Retry {
		e.Message = "Shippo refuses this"
	}
	return e
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 3600 {
		return 2 * time.Second
	}
	return time.Duration(seconds) * time.Second
}
