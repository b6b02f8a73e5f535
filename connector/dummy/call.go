package dummy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// send does one request and reads the answer into out. It is the only place of the package that does HTTP, so that
// failures are classed once. It never retries: the portable side does, by the class.
func send(ctx context.Context, env driver.Env, op driver.Operation, method string, to *url.URL, token string, in, out any) (*driver.Answer, error) {
	var body []byte
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
		}
		body = b
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return env.Do(ctx, op, req, func(a *driver.Answer) *driver.Error { return judge(a, out) })
}

// judge classes a failure by what to do about it, and reads a success into out.
func judge(a *driver.Answer, out any) *driver.Error {
	if a.Status == http.StatusOK {
		if err := json.Unmarshal(a.Body, out); err != nil {
			// The work is done, only the answer makes no sense.
			return &driver.Error{Class: driver.Retry, Status: a.Status, Applied: true, Message: "the answer is not what it should be"}
		}
		return nil
	}
	var said struct{ Error, Message string }
	_ = json.Unmarshal(a.Body, &said) // a gateway in between answers with a page: then the status must do
	a.Code = said.Error
	e := &driver.Error{Status: a.Status, Code: said.Error, Message: said.Message}
	switch {
	case a.Status == http.StatusTooManyRequests:
		e.Class, e.After = driver.RetryAfter, retryAfter(a.Header)
	case a.Status == http.StatusServiceUnavailable && said.Error == "busy":
		e.Class = driver.Retry // turned away at the door: surely nothing done
	case a.Status >= 500:
		e.Class, e.Applied = driver.Retry, true
	case a.Status == http.StatusUnauthorized:
		e.Class = driver.RefreshLogin
	case a.Status == http.StatusForbidden:
		e.Class = driver.AskHuman
	default:
		e.Class = driver.GiveUp
	}
	return e
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}
