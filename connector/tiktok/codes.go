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
	after time.Duration // with RetryAfter, where the platform names no time and a second is too soon
}

// codes are the documented codes that ask for something else than giving up (facts, sections 5, 9.2 and 12.2), and those
// that deserve a sentence.
var codes = map[int64]known{
	codeThrottled:    {class: driver.RetryAfter, what: "too many requests"},
	codeInternal:     {class: driver.Retry, what: "internal error of the platform"},
	codeTimeout:      {class: driver.Retry, what: "the platform's own time ran out"},
	codeBadParameter: {class: driver.AskHuman, what: "app key, secret, shop or clock is wrong"},
	36009009:         {class: driver.GiveUp, what: "unknown path"},
	36009010:         {class: driver.GiveUp, what: "wrong method"},
	36009021:         {class: driver.GiveUp, what: "file too large"},
	36009022:         {class: driver.GiveUp, what: "wrong content type"},
	36009023:         {class: driver.GiveUp, what: "wrong content type"},
	36009033:         {class: driver.AskHuman, what: "our address is not on the app's allow list"},
	101000:           {class: driver.AskHuman, what: "the shop's cipher does not fit; connect the shop again"},
	105002:           {class: driver.RefreshLogin, what: "the access token has ended"},
	105005:           {class: driver.AskHuman, what: "the seller has not granted this scope"},
	106001:           {class: driver.AskHuman, what: "the signature is wrong: check the app's secret"},
	106013:           {class: driver.AskHuman, what: "the shop's cipher is missing; connect the shop again"},

	21001001: {class: driver.GiveUp, what: "invalid parameters"},
	21008025: {class: driver.GiveUp, what: "fulfilled by the platform"},
	21008111: {class: driver.GiveUp, what: "an order does not exist"},
	21011006: {class: driver.GiveUp, what: "already shipped"},
	21011020: {class: driver.GiveUp, what: "already shipped"},
	21011007: {driver.RetryAfter, afterSales, askAgain},
	21011005: {class: driver.GiveUp, what: "the package is not in a state that allows it"},
	21011029: {class: driver.GiveUp, what: "the order is not in the package"},
	21011031: {class: driver.GiveUp, what: "these orders cannot be combined, or not any more"},
	21011035: {class: driver.GiveUp, what: "the order cannot be split, or not so"},
	21011022: {class: driver.GiveUp, what: "tracking number or provider is invalid"},
	21011025: {class: driver.GiveUp, what: "tracking number is used already"},
	21011028: {class: driver.GiveUp, what: "order of another shop"},
	21011041: {class: driver.GiveUp, what: "order is cancelled"},
	21011044: {driver.RetryAfter, held, askAgain},
	21011048: {class: driver.GiveUp, what: "order has several packages"},
	21011050: {class: driver.GiveUp, what: "time for changing the tracking number is over"},
	21011051: {class: driver.GiveUp, what: "tracking number was changed already"},
	21022025: {class: driver.GiveUp, what: "label is bought already"},
	21022026: {class: driver.GiveUp, what: "label cannot be bought"},
	11021009: {class: driver.GiveUp, what: "no shipping service for it"},
	11028006: {class: driver.GiveUp, what: "carrier does not fit the tracking number"},
	11034037: {driver.RetryAfter, "document is not ready yet", documentWait},
	21042102: {class: driver.GiveUp, what: "no document any more: the carrier has the parcel"},
	21042104: {class: driver.GiveUp, what: "documents exist for the platform's own labels only"},
	21023035: {class: driver.GiveUp, what: "no document yet: the parcel is not arranged"},
	21001011: {class: driver.GiveUp, what: "the package does not exist"},
	21008116: {class: driver.GiveUp, what: "the delivery option does not exist"},

	25001001: {class: driver.GiveUp, what: "invalid parameter"},
	25001003: {class: driver.GiveUp, what: "order status does not allow it"},
	25001010: {class: driver.GiveUp, what: "a return is done already"},
	25001011: {class: driver.GiveUp, what: "a return is in process, or the order is cancelled"},
	25001028: {class: driver.RetryAfter, what: "locked for a moment"},
	25005020: {class: driver.GiveUp, what: "cannot be reviewed any more"},
	25007006: {class: driver.GiveUp, what: "order not found"},
	25011010: {class: driver.AskHuman, what: "passed to an operator of the platform"},
	25020005: {class: driver.AskHuman, what: "no permission for the order"},
	25020009: {class: driver.GiveUp, what: "already cancelled"},
	25020010: {class: driver.GiveUp, what: "already approved"},
	25020011: {class: driver.GiveUp, what: "already received"},
}

// What waits for somebody else, with how long to leave it alone: a hold is over after an hour, an open request after two days at the most.
const (
	held       = "the order is in its hour of grace: nothing ships before that is over"
	afterSales = "the buyer has asked to cancel: nothing ships before that is decided"
	askAgain   = 10 * time.Minute
	// documentWait is what to wait for a document that is being made; no time is documented.
	documentWait = 3 * time.Second
)

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
		e.After = max(retryAfter(a.Header), codes[code].after)
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

// documentedRefusal reports whether a code is among those listed for calls that change something, which refuse the whole call.
func documentedRefusal(code int64) bool {
	return slices.Contains(updateRefusals, code) || slices.Contains(shipRefusals, code)
}

// shipRefusals are the codes documented for the calls that ship and tell, but for the gateway's.
var shipRefusals = []int64{
	10007002, 11001002, 11001027, 11001031, 11003011, 11005004, 11005010, 11006005, 11006013, 11006014, 11006021, 11006026, 11021009, 11021010,
	11021011, 11021012, 11021013, 11021014, 11021015, 11021016, 11021017, 11021018, 11021019, 11021020, 11021021, 11021022, 11021023, 11021024,
	11021025, 11028006, 11050001, 21001001, 21001003, 21001008, 21001011, 21001029, 21001043, 21001055, 21004006, 21004008, 21004010, 21004012,
	21004015, 21004016, 21004017, 21004019, 21004020, 21004024, 21008025, 21008042, 21008044, 21008099, 21008106, 21008300, 21011003, 21011004,
	21011005, 21011006, 21011007, 21011008, 21011012, 21011013, 21011020, 21011022, 21011025, 21011026, 21011027, 21011028, 21011029, 21011030, 21011031, 21011033,
	21011035, 21011036, 21011037, 21011040, 21011041, 21011042, 21011043, 21011046, 21011048, 21011049, 21011050, 21011051, 21011052, 21011053,
	21011054, 21014009, 21021010, 21022025, 21022026, 21022028, 21022029, 21022030, 21022032, 21030005, 21030006, 21032001, 21034006, 21034012,
	21042001, 21042056, 21042057, 21042067, 21042076, 25001010,
}

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
