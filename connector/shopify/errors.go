package shopify

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Failures come in three layers: the HTTP status, "errors" beside the data (with status 200), and "userErrors" inside a
// mutation's payload. judge classes the first two, userError.fail the third.

const (
	defaultAfter = 2 * time.Second // where Shopify refuses for a while and names no time; its own libraries wait 1 to 2 s
	maxAfter     = 5 * time.Minute // a longer wait in a header is a mistake
	maxMessage   = 300             // bytes of the vendor's text that are kept

	accessDenied = "ACCESS_DENIED" // a field or an object the app has no leave for
)

// topError is one entry of "errors".
type topError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// errorList is "errors": a list in GraphQL answers, one text (or an object) where the request did not get that far.
type errorList []topError

// UnmarshalJSON implements json.Unmarshaler.
func (l *errorList) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && b[0] == '[':
		return json.Unmarshal(b, (*[]topError)(l))
	case len(b) > 0 && b[0] == '"':
		*l = errorList{{}}
		return json.Unmarshal(b, &(*l)[0].Message)
	}
	*l = errorList{{Message: string(b)}}
	return nil
}

// judge reads an answer and classes its failure; nil for success.
func judge(a *driver.Answer, rep *reply, mutation bool) *driver.Error {
	a.RequestID = a.Header.Get("X-Request-Id")
	broken := json.Unmarshal(a.Body, rep)
	fail := judgeStatus(a, mutation)
	switch {
	case fail != nil:
	case broken != nil:
		fail = &driver.Error{Class: driver.Retry, Applied: mutation, Message: "the answer cannot be read", Cause: broken}
	case len(rep.Errors) > 0 && !rep.onlyAddressDenied():
		fail = rep.Errors[0].fail(rep, mutation)
	case len(rep.Data) == 0 || string(rep.Data) == "null":
		fail = &driver.Error{Class: driver.Retry, Applied: mutation, Message: "the answer has neither data nor errors"}
	}
	if fail == nil {
		return nil
	}
	if fail.Message == "" && len(rep.Errors) > 0 {
		fail.Message = cut(rep.Errors[0].Message)
	}
	a.Code = fail.Code
	return fail
}

// onlyAddressDenied: an app without leave for protected data may be refused the address, with the rest of the answer in place. An order's
// region is not worth failing for; it stays empty.
func (r *reply) onlyAddressDenied() bool {
	for _, e := range r.Errors {
		if e.Extensions.Code != accessDenied || !slices.ContainsFunc(e.Path, func(p any) bool { return p == "shippingAddress" }) {
			return false
		}
	}
	return len(r.Data) > 0 && string(r.Data) != "null"
}

// judgeStatus classes by the HTTP status alone.
func judgeStatus(a *driver.Answer, mutation bool) *driver.Error {
	switch s := a.Status; {
	case s == http.StatusOK:
		return nil
	case s == http.StatusTooManyRequests || s == 430: // 430: Shopify's own, for traffic that looks like an attack
		return &driver.Error{Class: driver.RetryAfter, After: retryAfter(a.Header)}
	case s == http.StatusUnauthorized:
		return &driver.Error{Class: driver.RefreshLogin}
	case s == http.StatusPaymentRequired || s == http.StatusForbidden || s == http.StatusNotFound || s == http.StatusLocked:
		// Shop frozen for want of payment, scope missing, no such shop or version, shop locked.
		return &driver.Error{Class: driver.AskHuman}
	case s == http.StatusRequestTimeout || s >= 500:
		return &driver.Error{Class: driver.Retry, Applied: mutation}
	case s >= 300 && s < 400:
		return &driver.Error{Class: driver.AskHuman, Message: "the shop's address redirects; connect it by its myshopify.com name"}
	case s > 200 && s < 300:
		return nil
	}
	return &driver.Error{Class: driver.GiveUp}
}

// fail classes an entry of "errors".
func (e topError) fail(rep *reply, mutation bool) *driver.Error {
	code := e.Extensions.Code
	f := &driver.Error{Class: driver.GiveUp, Code: code}
	switch {
	case code == "THROTTLED":
		f.Class, f.After = driver.RetryAfter, restoredAfter(rep)
	case code == accessDenied || code == "SHOP_INACTIVE":
		f.Class = driver.AskHuman
	case strings.HasPrefix(code, "MAX_") || code == "BAD_REQUEST" || strings.HasPrefix(code, "INVALID_") || code == "PARSE_ERROR":
	case code != "" && code[0] >= 'a' && code[0] <= 'z':
		// Codes of static validation, such as undefinedField, are the only ones written like this.
	default: // INTERNAL_SERVER_ERROR, TIMEOUT and whatever is new: it may have happened while the mutation ran
		f.Class, f.Applied = driver.Retry, mutation
	}
	return f
}

// restoredAfter is how long the bucket takes to hold what the refused request costs.
func restoredAfter(rep *reply) time.Duration {
	c := rep.Extensions.Cost
	if c == nil || c.Requested == nil || c.Throttle == nil || c.Throttle.Restore <= 0 {
		return defaultAfter
	}
	return untilRestored(max(0, min(*c.Requested, c.Throttle.Maximum)-c.Throttle.Left), c.Throttle.Restore)
}

// retryAfter reads the header of a refusal: seconds, with decimals.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || !(s > 0) {
		return defaultAfter
	}
	return time.Duration(min(s, maxAfter.Seconds()) * float64(time.Second))
}

// userError is one entry of a payload's "userErrors".
type userError struct {
	Field   []string `json:"field"`
	Message string   `json:"message"`
	Code    string   `json:"code"`
}

// fail classes a user error: the mutation was not applied.
func (e userError) fail(op driver.Operation, a *driver.Answer) *driver.Error {
	f := &driver.Error{Class: driver.GiveUp, Op: op, Status: a.Status, Code: e.Code, Message: cut(e.Message), RequestID: a.RequestID}
	switch e.Code {
	case "CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "ADJUST_QUANTITIES_FAILED",
		"SERVICE_UNAVAILABLE":
		f.Class = driver.Retry
	case "IDEMPOTENCY_CONCURRENT_REQUEST", "OPERATION_IN_PROGRESS", "LIMIT_REACHED":
		f.Class, f.After = driver.RetryAfter, defaultAfter
	case "ITEM_NOT_STOCKED_AT_LOCATION", "NON_MUTABLE_INVENTORY_ITEM", "INVALID_LOCATION", "INVALID_INVENTORY_ITEM":
		f.Class = driver.AskHuman // the listing or the location is not what we think it is
	}
	return f
}

func cut(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "")
	}
	return s
}
