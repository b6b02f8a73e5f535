package easypost

import (
	"encoding/json"
	"time"
)

// Wire forms, in the vendor's names. Lengths are inches, weights ounces.

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
	Residential *bool  `json:"residential,omitempty"`
}

type wireParcel struct {
	Length json.Number `json:"length,omitempty"`
	Width  json.Number `json:"width,omitempty"`
	Height json.Number `json:"height,omitempty"`
	Weight json.Number `json:"weight"`
}

type wireCustoms struct {
	EelPfc          string     `json:"eel_pfc,omitempty"`
	ContentsType    string     `json:"contents_type"`
	Explanation     string     `json:"contents_explanation,omitempty"`
	CustomsCertify  bool       `json:"customs_certify"`
	CustomsSigner   string     `json:"customs_signer,omitempty"`
	NonDelivery     string     `json:"non_delivery_option,omitempty"`
	RestrictionType string     `json:"restriction_type"`
	CustomsItems    []wireItem `json:"customs_items"`
}

// wireItem has the value and the weight of the whole line.
type wireItem struct {
	Description string      `json:"description"`
	Quantity    int64       `json:"quantity"`
	Value       json.Number `json:"value"`
	Weight      json.Number `json:"weight"`
	Tariff      string      `json:"hs_tariff_number,omitempty"`
	Code        string      `json:"code,omitempty"`
	Origin      string      `json:"origin_country,omitempty"`
	Currency    string      `json:"currency"`
}

type wireOptions struct {
	LabelFormat string `json:"label_format,omitempty"`
	LabelSize   string `json:"label_size,omitempty"`
	LabelDate   string `json:"label_date,omitempty"`
	Custom1     string `json:"print_custom_1,omitempty"`
	Incoterm    string `json:"incoterm,omitempty"`
}

type newShipment struct {
	To       wireAddress   `json:"to_address"`
	From     wireAddress   `json:"from_address"`
	Return   *wireAddress  `json:"return_address,omitempty"`
	Parcel   wireParcel    `json:"parcel"`
	Customs  *wireCustoms  `json:"customs_info,omitempty"`
	Options  wireOptions   `json:"options"`
	Ref      string        `json:"reference,omitempty"`
	Accounts []wireAccount `json:"carrier_accounts,omitempty"`
}

type wireAccount struct {
	ID string `json:"id"`
}

type wireRate struct {
	ID           string `json:"id"`
	Carrier      string `json:"carrier"`
	Service      string `json:"service"`
	Rate         string `json:"rate"`
	Currency     string `json:"currency"`
	DeliveryDays *int   `json:"delivery_days"`
	EstDays      *int   `json:"est_delivery_days"`
}

type wireShipment struct {
	ID        string      `json:"id"`
	Reference string      `json:"reference"`
	Tracking  string      `json:"tracking_code"`
	Refund    string      `json:"refund_status"`
	CreatedAt time.Time   `json:"created_at"`
	To        wireAddress `json:"to_address"`
	Parcel    wireParcel  `json:"parcel"`
	Options   wireOptions `json:"options"`
	Rates     []wireRate  `json:"rates"`
	Selected  *wireRate   `json:"selected_rate"`
	Label     *wireLabel  `json:"postage_label"`
	Forms     []wireForm  `json:"forms"`
	Messages  []wireWord  `json:"messages"`
	Tracker   *struct {
		URL string `json:"public_url"`
	} `json:"tracker"`
}

type wireLabel struct {
	CreatedAt time.Time `json:"created_at"`
	URL       string    `json:"label_url"`
	PDF       string    `json:"label_pdf_url"`
	ZPL       string    `json:"label_zpl_url"`
	FileType  string    `json:"label_file_type"`
}

type wireForm struct {
	Type string `json:"form_type"`
	URL  string `json:"form_url"`
}

// wireWord is what a carrier adds; its message is text as a rule.
type wireWord struct {
	Carrier string          `json:"carrier"`
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

type wireTracker struct {
	ID       string       `json:"id"`
	Code     string       `json:"tracking_code"`
	Status   string       `json:"status"`
	Detail   string       `json:"status_detail"`
	Shipment string       `json:"shipment_id"`
	Updated  time.Time    `json:"updated_at"`
	Details  []wireDetail `json:"tracking_details"`
}

type wireDetail struct {
	Message string    `json:"message"`
	Status  string    `json:"status"`
	Detail  string    `json:"status_detail"`
	At      time.Time `json:"datetime"`
	Where   struct {
		City    string `json:"city"`
		State   string `json:"state"`
		Country string `json:"country"`
	} `json:"tracking_location"`
}

type wireEvent struct {
	ID          string          `json:"id"`
	Description string          `json:"description"`
	CreatedAt   time.Time       `json:"created_at"`
	Result      json.RawMessage `json:"result"`
}
