package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

const (
	// maxPolls bounds the waiting for a bulk operation. Slots of OpBulk come every two seconds, so this is about two days; most
	// shops are done in minutes, and Shopify itself stops an operation after ten days.
	maxPolls = 86_400
	// bulkBusy is how long to wait when the shop's operations are taken.
	bulkBusy = time.Minute
	// doubtsAtOnce is how many orders of a bulk file are read again together.
	doubtsAtOnce = pageOrders
)

// Backfill implements driver.Backfiller. Shopify writes all orders into one file of lines, which is read as it arrives.
// A bulk file cannot tell the lines of a parcel, so the few orders where that matters are read again one by one.
func (c *channel) Backfill(ctx context.Context, from time.Time, emit func(order.Fact) error) error {
	address, err := c.bulkFile(ctx, from, orderGoes)
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Code == accessDenied {
		address, err = c.bulkFile(ctx, from, "") // an app without leave for addresses has its orders all the same
	}
	if err != nil || address == "" {
		return err
	}
	return c.readBulk(ctx, address, emit)
}

// bulkFile has the file of the orders written, with these fields besides the usual ones, and tells where it is.
func (c *channel) bulkFile(ctx context.Context, from time.Time, fields string) (string, error) {
	id, err := c.startBulk(ctx, from, fields)
	if err != nil {
		return "", err
	}
	return c.awaitBulk(ctx, id)
}

func (c *channel) startBulk(ctx context.Context, from time.Time, fields string) (string, error) {
	search, err := json.Marshal(orderSearch(from)) // a GraphQL string literal is written like one of JSON
	if err != nil {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpBulk, Cause: err}
	}
	var data struct {
		Run *struct {
			Operation *gqlID      `json:"bulkOperation"`
			Errors    []userError `json:"userErrors"`
		} `json:"bulkOperationRunQuery"`
	}
	vars := map[string]any{"query": fmt.Sprintf(bulkOrders, search, fields)}
	a, err := c.call(ctx, request{op: driver.OpBulk, doc: docBulkRun, vars: vars, patient: true}, &data)
	switch {
	case err != nil:
		return "", err
	case data.Run != nil && len(data.Run.Errors) > 0:
		f := data.Run.Errors[0].fail(driver.OpBulk, a)
		if f.Class == driver.RetryAfter {
			f.After = bulkBusy
		}
		return "", f
	case data.Run == nil || data.Run.Operation == nil:
		return "", &driver.Error{Class: driver.Retry, Op: driver.OpBulk, RequestID: a.RequestID, Message: "the shop did not start the bulk operation"}
	}
	return data.Run.Operation.ID, nil
}

// awaitBulk asks until the operation ends and returns the file's address, empty where there is nothing to read. The pace of
// asking is the rate slots of OpBulk.
func (c *channel) awaitBulk(ctx context.Context, id string) (string, error) {
	for range maxPolls {
		var data struct {
			Node *struct {
				Status  string `json:"status"`
				Failure string `json:"errorCode"`
				URL     string `json:"url"`
			} `json:"node"`
		}
		a, err := c.call(ctx, request{op: driver.OpBulk, doc: docBulkPoll, vars: map[string]any{"id": id}, patient: true}, &data)
		if err != nil {
			return "", err
		}
		fail := &driver.Error{Class: driver.Retry, Op: driver.OpBulk, RequestID: a.RequestID, Message: "the bulk operation is gone"}
		if data.Node == nil {
			return "", fail
		}
		switch data.Node.Status {
		case "CREATED", "RUNNING", "CANCELING":
			continue
		case "COMPLETED":
			return data.Node.URL, nil
		}
		fail.Code, fail.Message = data.Node.Failure, "the bulk operation ended as "+cut(data.Node.Status)
		if fail.Code == accessDenied {
			fail.Class = driver.AskHuman
		}
		return "", fail
	}
	return "", &driver.Error{Class: driver.Retry, Op: driver.OpBulk, Message: "the bulk operation does not end"}
}

// readBulk streams the file. The address is signed by itself: the access token must not go there.
func (c *channel) readBulk(ctx context.Context, address string, emit func(order.Fact) error) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &driver.Error{Class: driver.GiveUp, Op: driver.OpBulk, Message: "the shop gave no address for the bulk file"}
	}
	body, at, err := c.openFile(req)
	if err != nil {
		return err
	}
	defer body.Close()
	readAt := at
	if readAt.IsZero() {
		readAt = c.now().UTC()
	}
	var doubts []string
	again := func() error {
		facts, err := c.OrdersByID(ctx, doubts)
		if err != nil {
			return err
		}
		for _, f := range facts {
			if err := emit(f); err != nil {
				return err
			}
		}
		doubts = doubts[:0]
		return nil
	}
	err = readJSONL(body, func(o *orderNode) error {
		shipped, ok := o.guessSent()
		if !ok {
			if doubts = append(doubts, number(o.ID)); len(doubts) == doubtsAtOnce {
				return again()
			}
			return nil
		}
		f := o.view(shipped).fact(c.conn.ID, readAt)
		if _, err := f.Hash(); err != nil {
			c.env.Log.Warn("an order of the bulk file is left out", "order", number(o.ID), "error", err)
			return nil
		}
		return emit(f)
	})
	if err == nil && len(doubts) > 0 {
		err = again()
	}
	return err
}

// openFile asks for the file and returns its body unread.
func (c *channel) openFile(req *http.Request) (io.ReadCloser, time.Time, error) {
	client := c.env.Files
	if client == nil {
		client = c.env.Client
	}
	if c.env.Pace != nil {
		if err := c.env.Pace(req.Context(), driver.OpBulk); err != nil {
			return nil, time.Time{}, &driver.Error{Class: driver.Retry, Op: driver.OpBulk, Cause: err}
		}
	}
	start := c.now()
	seen := driver.Exchange{At: start, Op: driver.OpBulk}
	resp, err := client.Do(req)
	var fail *driver.Error
	switch {
	case err != nil: // the address is a secret for as long as it works, so the error that names it stays here
		fail = &driver.Error{Class: driver.Retry, Op: driver.OpBulk, Message: "the bulk file does not answer"}
	case resp.StatusCode != http.StatusOK:
		resp.Body.Close()
		fail = &driver.Error{Class: driver.Retry, Op: driver.OpBulk, Status: resp.StatusCode, Message: "the bulk file cannot be had: " + strconv.Itoa(resp.StatusCode)}
	}
	seen.Took = c.now().Sub(start)
	if resp != nil {
		seen.Status = resp.StatusCode
	}
	if fail != nil {
		seen.Err = fail.Error()
	}
	if c.env.Seen != nil {
		c.env.Seen(seen)
	}
	if fail != nil {
		return nil, time.Time{}, fail
	}
	at, _ := http.ParseTime(resp.Header.Get("Date")) // zero where it does not say
	return resp.Body, at.UTC(), nil
}
