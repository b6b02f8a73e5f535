package tiktok

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Codes of the gateway (facts, section 5) and of stock updates.
const (
	codeThrottled    = 36009002
	codeInternal     = 36009003
	codeBadParameter = 36009004
	codeTimeout      = 36009007
	codePartial      = 12052990 // of a batch some were not done; the data says which

	codeNoOrder = "21008111" // an order of those asked for does not exist
)

// known says what to do about a code. what is our sentence for people; the platform's own text stays in Message.
type known struct {
	class driver.Class
	what  string
}

// codes are the documented codes that ask for something else than giving up (facts, sections 5, 9.2 and 12.2), and those
// that deserve a sentence.
var codes = map[int64]known{
	codeThrottled:    {driver.RetryAfter, "too many requests"},
	codeInternal:     {driver.Retry, "internal error of the platform"},
	codeTimeout:      {driver.Retry, "the platform's own time ran out"},
	codeBadParameter: {driver.AskHuman, "app key, secret, shop or clock is wrong"},
	36009009:         {driver.GiveUp, "unknown path"},
	36009010:         {driver.GiveUp, "wrong method"},
	36009021:         {driver.GiveUp, "file too large"},
	36009022:         {driver.GiveUp, "wrong content type"},
	36009023:         {driver.GiveUp, "wrong content type"},
	36009033:         {driver.AskHuman, "our address is not on the app's allow list"},
	101000:           {driver.AskHuman, "the shop's cipher does not fit; connect the shop again"},
	105002:           {driver.RefreshLogin, "the access token has ended"},
	105005:           {driver.AskHuman, "the seller has not granted this scope"},
	106001:           {driver.AskHuman, "the signature is wrong: check the app's secret"},
	106013:           {driver.AskHuman, "the shop's cipher is missing; connect the shop again"},

	21001001: {driver.GiveUp, "invalid parameters"},
	21008025: {driver.GiveUp, "fulfilled by the platform"},
	21008111: {driver.GiveUp, "an order does not exist"},
	21011006: {driver.GiveUp, "already shipped"},
	21011020: {driver.GiveUp, "already shipped"},
	21011007: {driver.GiveUp, "an after-sales request is open"},
	21011022: {driver.GiveUp, "tracking number or provider is invalid"},
	21011025: {driver.GiveUp, "tracking number is used already"},
	21011028: {driver.GiveUp, "order of another shop"},
	21011041: {driver.GiveUp, "order is cancelled"},
	21011044: {driver.GiveUp, "order is on hold"},
	21011048: {driver.GiveUp, "order has several packages"},
	21011050: {driver.GiveUp, "time for changing the tracking number is over"},
	21011051: {driver.GiveUp, "tracking number was changed already"},
	21022025: {driver.GiveUp, "label is bought already"},
	21022026: {driver.GiveUp, "label cannot be bought"},
	11021009: {driver.GiveUp, "no shipping service for it"},
	11028006: {driver.GiveUp, "carrier does not fit the tracking number"},
	11034037: {driver.RetryAfter, "document is not ready yet"},

	25001001: {driver.GiveUp, "invalid parameter"},
	25001003: {driver.GiveUp, "order status does not allow it"},
	25001010: {driver.GiveUp, "a return is done already"},
	25001011: {driver.GiveUp, "a return is in process, or the order is cancelled"},
	25001028: {driver.RetryAfter, "locked for a moment"},
	25005020: {driver.GiveUp, "cannot be reviewed any more"},
	25007006: {driver.GiveUp, "order not found"},
	25011010: {driver.AskHuman, "passed to an operator of the platform"},
	25020005: {driver.AskHuman, "no permission for the order"},
	25020009: {driver.GiveUp, "already cancelled"},
	25020010: {driver.GiveUp, "already approved"},
	25020011: {driver.GiveUp, "already received"},
}

// shortWait is what to wait where the platform names no time: its window for requests is a second.
const shortWait = time.Second

// judge classes an answer by code first, and by HTTP status where there is no code. It returns nil for success. write says
// that the request changes something.
func judge(a *driver.Answer, code int64, message string, unreadable error, write bool, also []int64) *driver.Error {
	e := &driver.Error{Status: a.Status, Code: a.Code, Message: message, RequestID: a.RequestID}
	switch k, ok := codes[code]; {
	case unreadable != nil:
		byStatus(e, write)
		e.Message, e.Cause = "the answer cannot be read", shape(unreadable)
	case code == 0 && a.Status < 300, slices.Contains(also, code):
		return nil
	case code == 0:
		byStatus(e, write)
	case code == codeThrottled && a.Status == http.StatusServiceUnavailable:
		e.Class = driver.Retry // overload of the platform, not our rate; turned away before anything was done
	case ok:
		e.Class = k.class
		e.Applied = write && (code == codeInternal || code == codeTimeout)
		if e.Message == "" {
			e.Message = k.what
		}
	case a.Status >= 500:
		byStatus(e, write)
	case a.Status == http.StatusUnauthorized:
		e.Class = driver.RefreshLogin
	default:
		e.Class = driver.GiveUp
		// A code nobody documents says nothing about what was done: better read back than guess.
		e.Applied = write && !documentedRefusal(code)
	}
	if e.Class == driver.RetryAfter {
		e.After = retryAfter(a.Header)
	}
	return e
}

func byStatus(e *driver.Error, write bool) {
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.Class = driver.RetryAfter
	case e.Status == http.StatusUnauthorized:
		e.Class = driver.RefreshLogin
	case e.Status == http.StatusRequestTimeout, e.Status >= 500, e.Status < 300:
		e.Class, e.Applied = driver.Retry, write
	default:
		e.Class = driver.GiveUp // redirects, too: the API has none
	}
}

// documentedRefusal reports whether a code is among those listed for stock updates, which refuse the whole call.
func documentedRefusal(code int64) bool { return slices.Contains(updateRefusals, code) }

// updateRefusals are the codes documented for the inventory update but for the partial one and the gateway's.
var updateRefusals = []int64{
	12019022, 12019024, 12019028, 12052031, 12052032, 12052036, 12052037, 12052048, 12052050, 12052055, 12052094, 12052096,
	12052097, 12052115, 12052141, 12052160, 12052207, 12052260, 12052308, 12052364, 12052371, 12052393, 12052403, 12052465,
	12052530, 12052531, 12052532, 12052533, 12052535, 12052553, 12052556, 12052700, 12052703, 12052704, 12052849, 12052850,
	12052901, 12052902, 12052921,
}

func retryAfter(h http.Header) time.Duration {
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return shortWait
}

// shape keeps what an unreadable answer had at which field, and drops the text itself, which may hold personal data.
func shape(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errors.New(t.Field + " is a " + t.Value)
	}
	return errors.New("it is not JSON")
}
