package driver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Answer is what came back for one request.
type Answer struct {
	Status    int
	Header    http.Header
	Body      []byte
	At        time.Time // the channel's clock by its Date header, in whole seconds; zero if it does not say
	Took      time.Duration
	Code      string // vendor's code and request id: judge sets them, for the connection's log
	RequestID string
}

// Do sends one request of operation op: it waits for a slot, sends, reads the whole answer and tells Seen. judge reads Code
// and RequestID out of the answer and returns the vendor's failure, nil for success.
//
// Where no answer came, the Error is of class Retry, and Applied unless the request surely never left.
func (e Env) Do(ctx context.Context, op Operation, req *http.Request, judge func(*Answer) *Error) (*Answer, error) {
	if e.Pace != nil {
		if err := e.Pace(ctx, op); err != nil {
			return nil, &Error{Class: Retry, Op: op, Cause: err}
		}
	}
	start := e.now()
	answer, fail := send(e.Client, req.WithContext(ctx))
	took := e.now().Sub(start)
	if fail == nil {
		answer.Took = took
		fail = judge(answer)
	}
	if fail != nil {
		fail.Op = op
	}
	if e.Seen != nil {
		seen := Exchange{At: start, Op: op, Took: took}
		if answer != nil {
			seen.Status, seen.Code, seen.RequestID = answer.Status, answer.Code, answer.RequestID
		}
		if fail != nil {
			seen.Err = fail.Error()
		}
		e.Seen(seen)
	}
	if fail != nil {
		return answer, fail
	}
	return answer, nil
}

func (e Env) now() time.Time {
	if e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

// send does one exchange and classes the failures that are not the vendor's words.
func send(client *http.Client, req *http.Request) (*Answer, *Error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, &Error{Class: Retry, Applied: !neverLeft(err), Cause: withoutAddress(err)}
	}
	defer resp.Body.Close()
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.At = at.UTC()
	}
	var body bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= presized {
		body.Grow(int(n) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, &Error{Class: Retry, Status: resp.StatusCode, Applied: true, Cause: withoutAddress(err)}
	}
	answer.Body = body.Bytes()
	return answer, nil
}

// presized is the largest body for which memory is set aside on the word of a Content-Length alone.
const presized = 4 << 20

// neverLeft reports whether err happened before a connection stood.
func neverLeft(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// withoutAddress drops the address that net/http puts into its errors: its query may hold secrets.
func withoutAddress(err error) error {
	for u, ok := errors.AsType[*url.Error](err); ok; u, ok = errors.AsType[*url.Error](err) {
		err = u.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer broke off")
	}
	return err
}
