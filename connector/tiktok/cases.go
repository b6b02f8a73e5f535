package tiktok

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// casePage is how many cases one call reads: the platform's most.
const casePage = 50

// A cursor of Cases names the search it is of: the requests to cancel come first, then the returns.
const (
	cancelCases = "c "
	returnCases = "r "
)

type wireCancellations struct {
	NextPageToken string       `json:"next_page_token"`
	Cancellations []wireCancel `json:"cancellations"`
}

type wireCancel struct {
	OrderID    string     `json:"order_id"`
	ID         string     `json:"cancel_id"`
	Status     string     `json:"cancel_status"`
	Reason     string     `json:"cancel_reason"`
	Role       string     `json:"role"`
	CreateTime int64      `json:"create_time"`
	UpdateTime int64      `json:"update_time"`
	Next       []wireNext `json:"seller_next_action_response"`
}

type wireReturns struct {
	NextPageToken string       `json:"next_page_token"`
	Returns       []wireReturn `json:"return_orders"`
}

type wireReturn struct {
	OrderID    string     `json:"order_id"`
	ID         string     `json:"return_id"`
	Type       string     `json:"return_type"`
	Status     string     `json:"return_status"`
	Role       string     `json:"role"`
	UpdateTime int64      `json:"update_time"`
	Next       []wireNext `json:"seller_next_action_response"`
}

// wireNext is something the seller must do, and until when.
type wireNext struct {
	Deadline int64 `json:"deadline"`
}

type wireCaseSearch struct {
	UpdateTimeGE int64 `json:"update_time_ge,omitempty"`
}

// Cases implements driver.CaseReader: only these searches tell until when a request wants an answer; the messages do not.
func (c *channel) Cases(ctx context.Context, from time.Time, cursor string) (page driver.CasePage, err error) {
	query := url.Values{"page_size": {strconv.Itoa(casePage)}, "sort_field": {"update_time"}, "sort_order": {"ASC"}}
	var body wireCaseSearch
	if !from.IsZero() {
		body.UpdateTimeGE = from.Unix()
	}
	if token, ok := strings.CutPrefix(cursor, returnCases); ok {
		query.Set("page_token", token)
		data, _, err := call[wireReturns](ctx, c, driver.OpCases, searchReturns, searchReturns.path, query, body)
		for i := range data.Returns {
			page.Facts = append(page.Facts, c.returned(&data.Returns[i])...)
		}
		if data.NextPageToken != "" {
			page.Next = returnCases + data.NextPageToken
		}
		return page, err
	}
	query.Set("page_token", strings.TrimPrefix(cursor, cancelCases))
	data, _, err := call[wireCancellations](ctx, c, driver.OpCases, searchCancels, searchCancels.path, query, body)
	for i := range data.Cancellations {
		page.Facts = append(page.Facts, c.cancelled(&data.Cancellations[i])...)
	}
	page.Next = returnCases
	if data.NextPageToken != "" {
		page.Next = cancelCases + data.NextPageToken
	}
	return page, err
}

// cancelled is what a request to cancel says of its order; nothing, if its words are none we know. Which units it names is left to the order
// itself, which shows what is cancelled.
func (c *channel) cancelled(w *wireCancel) []order.Fact {
	state, known := cancelStates[w.Status]
	if !known || w.OrderID == "" || w.ID == "" || w.UpdateTime <= 0 {
		c.env.Log.Warn("a request to cancel cannot be read", "order", w.OrderID, "status", w.Status)
		return nil
	}
	return []order.Fact{{Kind: order.CancelNotice, ConnectionID: c.conn.ID, ExternalID: w.OrderID, UpdatedAt: at(w.UpdateTime), Cancellation: &order.Cancellation{
		ID: w.ID, State: state, Role: roles[w.Role], Reason: w.Reason, CreatedAt: at(w.CreateTime), AnswerBy: first(w.Next)}}}
}

func (c *channel) returned(w *wireReturn) []order.Fact {
	if w.OrderID == "" || w.ID == "" || w.UpdateTime <= 0 {
		c.env.Log.Warn("a return cannot be read", "order", w.OrderID, "status", w.Status)
		return nil
	}
	return []order.Fact{{Kind: order.ReturnNotice, ConnectionID: c.conn.ID, ExternalID: w.OrderID, UpdatedAt: at(w.UpdateTime), Return: &order.Return{
		ID: w.ID, Kind: returnKinds[w.Type], StatusText: w.Status, Role: roles[w.Role], AnswerBy: first(w.Next)}}}
}

// first is the earliest thing the seller must do; zero: nothing.
func first(next []wireNext) (by time.Time) {
	for _, n := range next {
		if t := at(n.Deadline); !t.IsZero() && (by.IsZero() || t.Before(by)) {
			by = t
		}
	}
	return by
}
