package tiktok

import "github.com/spillway/spillway/connector/driver"

// wireShipping is of an order what shipping it needs: no more of it is decoded, and nothing personal.
type wireShipping struct {
	ID               string `json:"id"`
	Status           string `json:"status"`
	FulfillmentType  string `json:"fulfillment_type"`
	ShippingType     string `json:"shipping_type"`
	DeliveryOptionID string `json:"delivery_option_id"`
	IsOnHoldOrder    bool   `json:"is_on_hold_order"`
	IsBuyerCancel    bool   `json:"is_buyer_request_cancel"`
	RTSTime          int64  `json:"rts_time"`
	Combined         string `json:"split_or_combine_tag"`

	LineItems []wireShipLine `json:"line_items"`
}

type wireShipLine struct {
	ID            string `json:"id"`
	DisplayStatus string `json:"display_status"`
	PackageID     string `json:"package_id"`
	PackageStatus string `json:"package_status"`
	ProviderID    string `json:"shipping_provider_id"`
	Provider      string `json:"shipping_provider_name"`
	Tracking      string `json:"tracking_number"`
	RTSTime       int64  `json:"rts_time"`
}

type wireShippings struct {
	Orders []wireShipping `json:"orders"`
}

// wireAddress is the one type that holds personal data. It lives as long as the call that asks for it.
type wireAddress struct {
	Status          string `json:"status"`
	FulfillmentType string `json:"fulfillment_type"`
	ShippingType    string `json:"shipping_type"`
	IsOnHoldOrder   bool   `json:"is_on_hold_order"`
	Recipient       *struct {
		Name      string         `json:"name"`
		Phone     string         `json:"phone_number"`
		Line1     string         `json:"address_line1"`
		Line2     string         `json:"address_line2"`
		Line3     string         `json:"address_line3"`
		Line4     string         `json:"address_line4"`
		Detail    string         `json:"address_detail"`
		PostTown  string         `json:"post_town"`
		Postal    string         `json:"postal_code"`
		Region    string         `json:"region_code"`
		Districts []wireDistrict `json:"district_info"`
	} `json:"recipient_address"`
}

type wireAddresses struct {
	Orders []wireAddress `json:"orders"`
}

type wireWeight struct {
	Value string `json:"value"`
	Unit  string `json:"unit"`
}

type wireSize struct {
	Length string `json:"length"`
	Width  string `json:"width"`
	Height string `json:"height"`
	Unit   string `json:"unit"`
}

type wireServiceQuery struct {
	Lines  []string    `json:"order_line_item_ids,omitempty"`
	Weight *wireWeight `json:"weight,omitempty"`
	Size   *wireSize   `json:"dimension,omitempty"`
}

type wireServices struct {
	Services []wireService `json:"shipping_services"`
}

type wireService struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Price    string `json:"price"`
	Currency string `json:"currency"`
	Earliest int64  `json:"earliest_delivery_days"`
	Latest   int64  `json:"latest_delivery_days"`
	Provider string `json:"shipping_provider_name"`
}

type wireCreate struct {
	OrderID   string      `json:"order_id"`
	Lines     []string    `json:"order_line_item_ids,omitempty"`
	Weight    *wireWeight `json:"weight,omitempty"`
	Size      *wireSize   `json:"dimension,omitempty"`
	ServiceID string      `json:"shipping_service_id,omitempty"`
}

type wireCreated struct {
	PackageID string      `json:"package_id"`
	Service   wireService `json:"shipping_service_info"`
}

type wireSlots struct {
	CanPickup  bool `json:"can_pickup"`
	CanDropOff bool `json:"can_drop_off"`
	Pickups    []struct {
		Start int64 `json:"start_time"`
		End   int64 `json:"end_time"`
		Free  bool  `json:"avaliable"` // the platform's own spelling
	} `json:"pickup_slots"`
}

type wireShip struct {
	Handover string          `json:"handover_method,omitempty"`
	Slot     *wireShipSlot   `json:"pickup_slot,omitempty"`
	Self     *wireShipNumber `json:"self_shipment,omitempty"`
}

type wireShipSlot struct {
	Start int64 `json:"start_time"`
	End   int64 `json:"end_time"`
}

type wireShipNumber struct {
	Tracking   string `json:"tracking_number"`
	ProviderID string `json:"shipping_provider_id"`
}

type wireMark struct {
	Lines      []string `json:"order_line_item_ids,omitempty"`
	Tracking   string   `json:"tracking_number"`
	ProviderID string   `json:"shipping_provider_id"`
}

type wireMarked struct {
	PackageID string `json:"package_id"`
	Warning   struct {
		Message string `json:"message"`
	} `json:"warning"`
}

type wireDocument struct {
	URL string `json:"doc_url"`
}

type wirePackage struct {
	Status string    `json:"package_status"`
	Orders []wireRef `json:"orders"`
}

type wireRef struct {
	ID string `json:"id"`
}

type wireSplittable struct {
	Orders []struct {
		OrderID   string          `json:"order_id"`
		CanSplit  bool            `json:"can_split"`
		Reason    string          `json:"reason"`
		MustSplit bool            `json:"must_split"`
		Because   []wireSplitRule `json:"must_split_reasons"`
	} `json:"split_attributes"`
}

// wireSplitRule is why an order must be split. Which types there are is not documented.
type wireSplitRule struct {
	Type     string `json:"type"`
	Category string `json:"category_id"`
	Most     string `json:"max_count"`
}

type wireSplit struct {
	Groups []wireSplitGroup `json:"splittable_groups"`
}

type wireSplitGroup struct {
	ID    string   `json:"id"`
	Lines []string `json:"order_line_item_ids"`
}

type wireSplitDone struct {
	Packages []struct {
		Group string `json:"splittable_group_id"`
		ID    string `json:"id"`
	} `json:"packages"`
}

type wireCombinables struct {
	All  []wireCombinable `json:"combinable_packages"`
	Next string           `json:"next_page_token"`
}

type wireCombinable struct {
	ID     string   `json:"id"`
	Orders []string `json:"order_ids"`
}

type wireCombine struct {
	Entries []wireCombinable `json:"combinable_packages"`
}

type wireCombineDone struct {
	Packages []wireCombinable `json:"packages"`
	Errors   []struct {
		Code    int64  `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

type wireUncombine struct {
	Orders []string `json:"order_ids"`
}

type wireUncombined struct {
	Packages []wireCombinable `json:"packages"`
}

type wireBundling struct {
	Orders   []string `json:"order_ids"`
	Handover string   `json:"handover_method"`
}

type wireBundle struct {
	ID     string `json:"first_mile_bundle_id"`
	URL    string `json:"url"`
	Errors []struct {
		Message string `json:"message"`
		Detail  struct {
			OrderID string `json:"order_id"`
		} `json:"detail"`
	} `json:"errors"`
}

type wireProviders struct {
	Providers []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"shipping_providers"`
}

// documentTypes are the platform's words for what is printed.
var documentTypes = map[driver.DocumentKind]string{
	driver.LabelDocument: "SHIPPING_LABEL", driver.SlipDocument: "PACKING_SLIP", driver.HazmatLabelDocument: "HAZMAT_LABEL",
	driver.CommercialInvoice: "INVOICE_LABEL",
}

// markRegions are the markets in which a seller's own shipment is marked by order and may be split by line items while it is (facts, section 9.1). In the
// others it goes by the package the platform made.
var markRegions = map[string]bool{"US": true, "GB": true, "JP": true, "DE": true, "FR": true, "IT": true, "ES": true, "IE": true, "AT": true, "BE": true, "NL": true,
	"PL": true, "PT": true, "SE": true}
