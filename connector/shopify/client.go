package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// document is a GraphQL text with what is known of it beforehand.
type document struct {
	name     string
	text     string
	mutation bool
	address  bool    // without the address it is no answer
	base     float64 // points it may cost at most, by the documented formula: base + size × each
	each     float64
}

// request is one call of a document.
type request struct {
	op   driver.Operation
	doc  document
	size int // how many things it asks for, for its price
	vars any
	// patient waits for points by letting rate slots pass. It is for the second and later requests of one call: giving up
	// there would throw away what the first ones cost.
	patient bool
}

// reply is the envelope of every GraphQL answer.
type reply struct {
	Data       json.RawMessage `json:"data"`
	Errors     errorList       `json:"errors"`
	Extensions struct {
		Cost *struct {
			Requested *float64        `json:"requestedQueryCost"`
			Throttle  *throttleStatus `json:"throttleStatus"`
		} `json:"cost"`
	} `json:"extensions"`
}

// readsLeave is how many seconds' worth of points a read leaves in the bucket: on the smallest plan, ten mutations.
const readsLeave = 1

// call sends one request and reads the data of the answer into out.
func (c *channel) call(ctx context.Context, r request, out any) (*driver.Answer, error) {
	p := price{r.doc.name, r.size}
	cost, err := c.points(ctx, r, p)
	if err != nil {
		return nil, err
	}
	var rep reply
	answer, err := c.send(ctx, r, &rep)
	var asked *float64
	var status *throttleStatus
	if c := rep.Extensions.Cost; c != nil {
		asked, status = c.Requested, c.Throttle
	}
	c.budget.settle(p, cost, asked, status, c.now())
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(rep.Data, out); err != nil {
		return answer, &driver.Error{
			Class: driver.Retry, Op: r.op, Status: answer.Status, RequestID: answer.RequestID, Applied: r.doc.mutation,
			Message: "the data of the answer cannot be read", Cause: err,
		}
	}
	return answer, nil
}

// points sets the cost of r aside. When the bucket does not hold it, nothing is sent: the portable side is told how long to
// wait, and a patient request waits for that long in rate slots.
func (c *channel) points(ctx context.Context, r request, p price) (float64, error) {
	guess := r.doc.base + r.doc.each*float64(r.size)
	keep := float64(readsLeave)
	if r.doc.mutation {
		keep = 0
	}
	slots := -1
	for {
		cost, wait := c.budget.take(p, guess, keep, c.now())
		if wait == 0 {
			return cost, nil
		}
		if slots < 0 && r.patient && c.env.Pace != nil {
			slots = int(wait.Seconds()*defaultRate) + burst // the first ones may come at once
		}
		if slots <= 0 {
			return 0, &driver.Error{
				Class: driver.RetryAfter, Op: r.op, Code: "BUDGET", After: wait,
				Message: "the shop's point budget does not hold the request yet, so it was not sent",
			}
		}
		slots--
		if err := c.env.Pace(ctx, r.op); err != nil {
			return 0, &driver.Error{Class: driver.Retry, Op: r.op, Cause: err}
		}
	}
}

func (c *channel) send(ctx context.Context, r request, rep *reply) (*driver.Answer, error) {
	token, err := c.env.Token(ctx)
	if err != nil {
		if _, ok := errors.AsType[*driver.Error](err); ok {
			return nil, err
		}
		return nil, &driver.Error{Class: driver.Retry, Op: r.op, Message: "no access token", Cause: err}
	}
	body, err := json.Marshal(struct {
		Query     string `json:"query"`
		Variables any    `json:"variables,omitempty"`
	}{r.doc.text, r.vars})
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: r.op, Cause: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: r.op, Cause: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Shopify-Access-Token", token)
	answer, err := c.env.Do(ctx, r.op, req, func(a *driver.Answer) *driver.Error {
		fail := judge(a, rep, r.doc.mutation)
		if fail == nil && r.doc.address && len(rep.Errors) > 0 {
			fail = &driver.Error{Class: driver.AskHuman, Code: accessDenied, Message: addressDenied}
			a.Code = fail.Code
		}
		if fail != nil {
			fail.Status, fail.RequestID = a.Status, a.RequestID
		}
		return fail
	})
	if answer != nil {
		c.checkVersion(answer.Header.Get("X-Shopify-API-Version"))
	}
	return answer, err
}

// checkVersion says once in the log when Shopify answers in another version than asked for: the one asked for has expired.
func (c *channel) checkVersion(served string) {
	if served == "" || served == string(c.version) {
		return
	}
	c.otherVersion.Do(func() {
		c.env.Log.Warn("the shop answers in another API version than asked for", "asked", string(c.version), "served", served)
	})
}

func (c *channel) now() time.Time {
	if c.env.Now == nil {
		return time.Now()
	}
	return c.env.Now()
}

// readAt is the best known time at which an answer was true.
func (c *channel) readAt(a *driver.Answer) time.Time {
	if !a.At.IsZero() {
		return a.At
	}
	return c.now().UTC()
}

// page is one page of a GraphQL connection.
type page[T any] struct {
	Nodes []T `json:"nodes"`
	Edges []struct {
		Cursor string `json:"cursor"`
		Node   T      `json:"node"`
	} `json:"edges"`
	Info struct {
		More bool   `json:"hasNextPage"`
		End  string `json:"endCursor"`
	} `json:"pageInfo"`
}

// next is the cursor of the following page, empty on the last.
func (p page[T]) next() string {
	if !p.Info.More {
		return ""
	}
	return p.Info.End
}

// index reads the place of an entry out of a user error's path, such as input.quantities.3.quantity; -1 if there is none.
func index(field []string, list string) int {
	for i, f := range field {
		if f == list && i+1 < len(field) {
			if n, err := strconv.Atoi(field[i+1]); err == nil {
				return n
			}
		}
	}
	return -1
}
