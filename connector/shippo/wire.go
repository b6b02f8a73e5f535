package shippo

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/money"
)

// Wire forms, in the vendor's names.

type wireAddress struct {
	Name        string `json:"name,omitempty"`
	Company     string `json:"company,omitempty"`
	Street1     string `json:"street1"`
	Street2     string `json:"street2,omitempty"`
	City        string `json:"city"`
	State       string `json:"state,omitempty"`
	Zip         string `json:"zip,omitempty"`
	Country     string `json:"country"`
	Phone       string `json:"phone,omitempty"`
	Email       string `json:"email,omitempty"`
	Residential *bool  `json:"is_residential,omitempty"`
}

type wireParcel struct {
	Length   string `json:"length"`
	Width    string `json:"width"`
	Height   string `json:"height"`
	Distance string `json:"distance_unit"`
	Weight   string `json:"weight"`
	Mass     string `json:"mass_unit"`
}

type wireCustoms struct {
	Certify     bool       `json:"certify"`
	Signer      string     `json:"certify_signer"`
	Contents    string     `json:"contents_type"`
	NonDelivery string     `json:"non_delivery_option"`
	EelPfc      string     `json:"eel_pfc,omitempty"`
	Incoterm    string     `json:"incoterm,omitempty"`
	Items       []wireItem `json:"items"`
}

// wireItem has the value and the weight of the whole line.
type wireItem struct {
	Description string `json:"description"`
	Quantity    int64  `json:"quantity"`
	NetWeight   string `json:"net_weight"`
	Mass        string `json:"mass_unit"`
	Value       string `json:"value_amount"`
	Currency    string `json:"value_currency"`
	Origin      string `json:"origin_country"`
	HSCode      string `json:"hs_code,omitempty"`
	SKU         string `json:"sku_code,omitempty"`
}

type wireExtra struct {
	Reference string `json:"reference_1,omitempty"`
}

type newShipment struct {
	From     wireAddress  `json:"address_from"`
	To       wireAddress  `json:"address_to"`
	Return   *wireAddress `json:"address_return,omitempty"`
	Parcels  []wireParcel `json:"parcels"`
	Customs  *wireCustoms `json:"customs_declaration,omitempty"`
	Accounts []string     `json:"carrier_accounts,omitempty"`
	Date     string       `json:"shipment_date,omitempty"`
	Async    bool         `json:"async"`
	Extra    wireExtra    `json:"extra"`
}

type wireRate struct {
	ID       string `json:"object_id"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Provider string `json:"provider"`
	Service  struct {
		Token string `json:"token"`
		Name  string `json:"name"`
	} `json:"servicelevel"`
	Token    string `json:"servicelevel_token"` // in a transaction
	Days     int    `json:"estimated_days"`
	Account  string `json:"carrier_account"`
	Shipment string `json:"shipment"`
}

func (r wireRate) price() (money.Amount, bool) {
	a, err := money.Parse(r.Amount, r.Currency)
	return a, err == nil && a.Minor >= 0 && r.Currency != ""
}

func (r wireRate) service() string {
	if r.Service.Token != "" {
		return r.Service.Token
	}
	return r.Token
}

// rateOr is a rate or the id of one: the vendor shows either.
type rateOr struct{ wireRate }

// UnmarshalJSON implements json.Unmarshaler.
func (r *rateOr) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &r.ID)
	}
	return json.Unmarshal(b, &r.wireRate)
}

type wireText struct {
	Source string `json:"source"`
	Code   string `json:"code"`
	Text   string `json:"text"`
}

// wireTransaction is the purchase of a label.
type wireTransaction struct {
	ID       string     `json:"object_id"`
	Created  time.Time  `json:"object_created"`
	Status   string     `json:"status"`
	Metadata string     `json:"metadata"`
	Rate     rateOr     `json:"rate"`
	Tracking string     `json:"tracking_number"`
	URL      string     `json:"tracking_url_provider"`
	Label    string     `json:"label_url"`
	Invoice  string     `json:"commercial_invoice_url"`
	Messages []wireText `json:"messages"`
}

// states are what a transaction's words mean for a booking.
var states = map[string]driver.BookedState{
	"SUCCESS": driver.BookingDone, "REFUNDREJECTED": driver.BookingDone, "WAITING": driver.BookingPending, "QUEUED": driver.BookingPending,
	"ERROR": driver.BookingFailed, "REFUNDED": driver.BookingVoided, "REFUNDPENDING": driver.BookingVoided,
}

// state is that of a booking. A word of tomorrow is not decided.
func (w *wireTransaction) state() driver.BookedState {
	if s := states[w.Status]; s != "" {
		return s
	}
	return driver.BookingPending
}

func (w *wireTransaction) booked(id string) driver.Booked {
	out := driver.Booked{ID: id, Ref: w.ID, Carrier: w.Rate.Provider, Service: w.Rate.service(), Tracking: w.Tracking, URL: w.URL, At: w.Created, State: w.state(), Messages: words(w.Messages)}
	out.Price, _ = w.Rate.price()
	return out
}

// maxWords bounds how many of the carriers' messages are shown.
const maxWords = 20

func words(messages []wireText) (out []string) {
	for _, m := range messages[:min(len(messages), maxWords)] {
		text := m.Text
		if m.Source != "" {
			text = m.Source + ": " + text
		}
		out = append(out, clip(text))
	}
	return out
}

// maxText bounds each text in bytes.
const maxText = 400

func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
