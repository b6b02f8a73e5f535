package shiphero

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

const (
	opSignIn   driver.Operation = "sign in"
	usualWait                   = 5 * time.Second
	longest                     = 5 * time.Minute // a longer wait is a mistake: an empty bucket is full after 67 s
	maxMessage                  = 300
	noCredits                   = 30 // the code of an operation for which not enough credits are left
)

// call is one operation: it signs in if need be, and once again where the token was refused, which did nothing.
func (s *shipper) call(ctx context.Context, op driver.Operation, doc string, vars map[string]any, out any) (*driver.Answer, error) {
	token, err := s.token(ctx, "")
	if err != nil {
		return nil, err
	}
	a, err := s.send(ctx, op, token, doc, vars, out)
	if driver.ClassOf(err) != driver.RefreshLogin || err == nil {
		return a, err
	}
	if token, err = s.token(ctx, token); err != nil {
		return nil, err
	}
	a, err = s.send(ctx, op, token, doc, vars, out)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Class == driver.RefreshLogin {
		e.Class, e.Message = driver.AskHuman, "ShipHero refuses a token that it has just given"
	}
	return a, err
}

// token is a good access token, other than the one refused. Its error never means that anything was done.
func (s *shipper) token(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access != "" && s.access != refused {
		return s.access, nil
	}
	body, err := json.Marshal(map[string]string{"refresh_token": s.refresh})
	if err != nil {
		return "", &driver.Error{Class: driver.GiveUp, Op: opSignIn, Cause: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath("auth", "refresh").String(), bytes.NewReader(body))
	if err != nil {
		return "", &driver.Error{Class: driver.GiveUp, Op: opSignIn, Cause: err}
	}
	req.Header.Set("Content-Type", "application/json")
	var in struct {
		Access string `json:"access_token"`
	}
	_, err = s.env.Do(ctx, opSignIn, req, func(a *driver.Answer) *driver.Error {
		fail := judgeStatus(a, false)
		if fail != nil && (fail.Class == driver.RefreshLogin || fail.Class == driver.GiveUp) {
			fail.Class, fail.Message = driver.AskHuman, "ShipHero does not know the refresh token: make a new one and store it"
		}
		if fail == nil && (json.Unmarshal(a.Body, &in) != nil || in.Access == "") {
			fail = &driver.Error{Class: driver.Retry, Status: a.Status, Message: "the answer cannot be read"}
		}
		return fail
	})
	if err != nil {
		return "", driver.BeforeCall(err)
	}
	s.access = in.Access
	return s.access, nil
}

type reply struct {
	Data   json.RawMessage `json:"data"`
	Errors []failure       `json:"errors"`
}

type failure struct {
	Code      json.Number `json:"code"`
	Message   string      `json:"message"`
	RequestID string      `json:"request_id"`
	Remaining string      `json:"time_remaining"` // "3 seconds"
}

// send does one request and reads the answer's data into out.
func (s *shipper) send(ctx context.Context, op driver.Operation, token, doc string, vars map[string]any, out any) (*driver.Answer, error) {
	body, err := json.Marshal(map[string]any{"query": doc, "variables": vars})
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath("graphql").String(), bytes.NewReader(body))
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: op, Cause: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	return s.env.Do(ctx, op, req, func(a *driver.Answer) *driver.Error { return judge(a, strings.HasPrefix(doc, "mutation"), out) })
}

// judge classes a failure in its two layers: the status, and errors beside the data.
func judge(a *driver.Answer, write bool, out any) *driver.Error {
	if fail := judgeStatus(a, write); fail != nil {
		return fail
	}
	var r reply
	if err := json.Unmarshal(a.Body, &r); err != nil {
		return &driver.Error{Class: driver.Retry, Status: a.Status, Applied: write, Message: "the answer cannot be read"}
	}
	if len(r.Errors) > 0 {
		e := r.Errors[0]
		a.Code, a.RequestID = e.Code.String(), e.RequestID
		return e.fail(a.Status, write)
	}
	if err := json.Unmarshal(r.Data, out); err != nil || string(r.Data) == "null" {
		return &driver.Error{Class: driver.Retry, Status: a.Status, Applied: write, Message: "the answer has neither data nor errors"}
	}
	return nil
}

func judgeStatus(a *driver.Answer, write bool) *driver.Error {
	switch s := a.Status; {
	case s == http.StatusOK:
		return nil
	case s == http.StatusTooManyRequests: // 7000 requests in five minutes, of all users together
		return &driver.Error{Class: driver.RetryAfter, Status: s, After: wait(a.Header.Get("Retry-After"))}
	case s == http.StatusUnauthorized:
		return &driver.Error{Class: driver.RefreshLogin, Status: s}
	case s == http.StatusForbidden:
		return &driver.Error{Class: driver.AskHuman, Status: s, Message: "the user may not do this"}
	case s == http.StatusRequestTimeout || s >= 500:
		return &driver.Error{Class: driver.Retry, Status: s, Applied: write}
	}
	return &driver.Error{Class: driver.GiveUp, Status: a.Status}
}

// fail classes an error of the operation. A code says that it was looked at and refused; without one it may have broken off in the middle.
func (f failure) fail(status int, write bool) *driver.Error {
	e := &driver.Error{Class: driver.GiveUp, Status: status, Code: f.Code.String(), Message: f.Message, RequestID: f.RequestID}
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "")
	}
	code, err := strconv.Atoi(e.Code)
	switch {
	case err != nil || code <= 0:
		e.Class, e.Applied = driver.Retry, write
	case code == noCredits:
		e.Class, e.After = driver.RetryAfter, wait(f.Remaining)
	}
	return e
}

// wait reads the seconds a text begins with.
func wait(text string) time.Duration {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.Atoi(first)
	if err != nil || n <= 0 {
		return usualWait
	}
	return min(time.Duration(n)*time.Second, longest)
}
