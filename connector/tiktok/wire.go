package tiktok

import "encoding/json"

// The types of this file mirror documented answers and name only the fields that are read. Personal data (name, street, e-mail,
// telephone, notes) is never named but in wireAddress, so it is skipped over without being copied. Of the recipient's address only country, state
// and three characters of the postal code go further; see region and order.PostalPrefix.

type wireShops struct {
	Shops []struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		Region     string `json:"region"`
		SellerType string `json:"seller_type"`
		Cipher     string `json:"cipher"`
		Code       string `json:"code"`
	} `json:"shops"`
}

// wireToken is the answer of the token host (facts, section 2). Both expiry fields are absolute Unix seconds, whatever
// their names say.
type wireToken struct {
	AccessToken          string   `json:"access_token"`
	AccessTokenExpireIn  int64    `json:"access_token_expire_in"`
	RefreshToken         string   `json:"refresh_token"`
	RefreshTokenExpireIn int64    `json:"refresh_token_expire_in"`
	OpenID               string   `json:"open_id"`
	SellerName           string   `json:"seller_name"`
	SellerBaseRegion     string   `json:"seller_base_region"`
	GrantedScopes        []string `json:"granted_scopes"`
}

type wireOrderSearch struct {
	UpdateTimeGE int64 `json:"update_time_ge,omitempty"`
}

// wireOrders keeps each order's own bytes: one that cannot be read does not hide the others, and one known by its bytes is not read.
type wireOrders struct {
	NextPageToken string            `json:"next_page_token"`
	Orders        []json.RawMessage `json:"orders"`
}

type wireOrder struct {
	ID                    string `json:"id"`
	Status                string `json:"status"`
	FulfillmentType       string `json:"fulfillment_type"`
	DeliveryType          string `json:"delivery_type"`
	ShippingType          string `json:"shipping_type"`
	OrderType             string `json:"order_type"`
	SplitOrCombineTag     string `json:"split_or_combine_tag"`
	WarehouseID           string `json:"warehouse_id"`
	UserID                string `json:"user_id"`
	CancelReason          string `json:"cancel_reason"`
	CancellationInitiator string `json:"cancellation_initiator"`
	ReplacedOrderID       string `json:"replaced_order_id"`
	ExchangeSourceOrderID string `json:"exchange_source_order_id"`

	CreateTime         int64 `json:"create_time"`
	PaidTime           int64 `json:"paid_time"`
	UpdateTime         int64 `json:"update_time"`
	RTSSLATime         int64 `json:"rts_sla_time"`
	RTSTime            int64 `json:"rts_time"`
	TTSSLATime         int64 `json:"tts_sla_time"`
	CollectionTime     int64 `json:"collection_time"`
	DeliveryTime       int64 `json:"delivery_time"`
	CancelTime         int64 `json:"cancel_time"`
	RequestCancelTime  int64 `json:"request_cancel_time"`
	ShippingDueTime    int64 `json:"shipping_due_time"`
	CollectionDueTime  int64 `json:"collection_due_time"`
	DeliveryDueTime    int64 `json:"delivery_due_time"`
	DeliverySLATime    int64 `json:"delivery_sla_time"`
	RequiredDelivery   int64 `json:"delivery_option_required_delivery_time"`
	PickUpCutOffTime   int64 `json:"pick_up_cut_off_time"`
	FastDispatchSLA    int64 `json:"fast_dispatch_sla_time"`
	IsCOD              bool  `json:"is_cod"`
	IsSampleOrder      bool  `json:"is_sample_order"`
	IsReplacementOrder bool  `json:"is_replacement_order"`
	IsExchangeOrder    bool  `json:"is_exchange_order"`
	IsOnHoldOrder      bool  `json:"is_on_hold_order"`
	IsBuyerCancel      bool  `json:"is_buyer_request_cancel"`

	Payment   wirePayment   `json:"payment"`
	Recipient wireRecipient `json:"recipient_address"`
	LineItems []wireLine    `json:"line_items"`
}

// wireRecipient is left out or empty while an order is held, and masked for many others, the postal code too; country and state are not.
type wireRecipient struct {
	RegionCode string         `json:"region_code"`
	Postal     string         `json:"postal_code"`
	Districts  []wireDistrict `json:"district_info"`
}

// wireDistrict is one level of an address: L0 the country, L1 its states, deeper ones are not for us.
type wireDistrict struct {
	Level string `json:"address_level"`
	Name  string `json:"address_name"`
}

type wirePayment struct {
	Currency         string `json:"currency"`
	SubTotal         string `json:"sub_total"`
	ShippingFee      string `json:"shipping_fee"`
	SellerDiscount   string `json:"seller_discount"`
	PlatformDiscount string `json:"platform_discount"`
	Tax              string `json:"tax"`
	TotalAmount      string `json:"total_amount"`
}

// wireLine is one unit: the platform has a line item for each piece.
type wireLine struct {
	ID              string     `json:"id"`
	ProductID       string     `json:"product_id"`
	SKUID           string     `json:"sku_id"`
	SellerSKU       string     `json:"seller_sku"`
	ProductName     string     `json:"product_name"`
	SKUName         string     `json:"sku_name"`
	SalePrice       string     `json:"sale_price"`
	Currency        string     `json:"currency"`
	DisplayStatus   string     `json:"display_status"`
	CancelReason    string     `json:"cancel_reason"`
	CancelUser      string     `json:"cancel_user"`
	PackageID       string     `json:"package_id"`
	PackageStatus   string     `json:"package_status"`
	Provider        string     `json:"shipping_provider_name"`
	Tracking        string     `json:"tracking_number"`
	CombinedListing []wirePart `json:"combined_listing_skus"`
}

type wirePart struct {
	ProductID string `json:"product_id"`
	SKUID     string `json:"sku_id"`
	SellerSKU string `json:"seller_sku"`
	SKUCount  int64  `json:"sku_count"`
}

type wireWarehouses struct {
	Warehouses []struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		EffectStatus string `json:"effect_status"`
		Type         string `json:"type"`
		IsDefault    bool   `json:"is_default"`
	} `json:"warehouses"`
}

type wireProductSearch struct {
	Status string `json:"status,omitempty"`
}

type wireProducts struct {
	NextPageToken string        `json:"next_page_token"`
	Products      []wireProduct `json:"products"`
}

type wireProduct struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"`
	SKUs   []struct {
		ID        string `json:"id"`
		SellerSKU string `json:"seller_sku"`
		Inventory []struct {
			WarehouseID string `json:"warehouse_id"`
			Quantity    int64  `json:"quantity"`
		} `json:"inventory"`
		StatusInfo struct {
			Status string `json:"status"`
		} `json:"status_info"`
	} `json:"skus"`
}

type wireInventorySearch struct {
	SKUIDs []string `json:"sku_ids,omitempty"`
}

type wireInventory struct {
	Inventory []struct {
		ProductID string         `json:"product_id"`
		SKUs      []wireSKUStock `json:"skus"`
	} `json:"inventory"`
}

type wireSKUStock struct {
	ID                 string `json:"id"`
	TotalAvailable     int64  `json:"total_available_quantity"`
	TotalCommitted     int64  `json:"total_committed_quantity"`
	WarehouseInventory []struct {
		WarehouseID string `json:"warehouse_id"`
		Available   int64  `json:"available_quantity"`
	} `json:"warehouse_inventory"`
}

type wireUpdate struct {
	SKUs []wireUpdateSKU `json:"skus"`
}

type wireUpdateSKU struct {
	ID        string                `json:"id"`
	Inventory []wireUpdateWarehouse `json:"inventory"`
}

type wireUpdateWarehouse struct {
	WarehouseID string `json:"warehouse_id,omitempty"`
	Quantity    int64  `json:"quantity"`
}

type wireUpdateAnswer struct {
	Errors []wireUpdateError `json:"errors"`
}

type wireUpdateError struct {
	Code    int64  `json:"code"`
	Message string `json:"message"`
	Detail  struct {
		SKUID       string `json:"sku_id"`
		ExtraErrors []struct {
			WarehouseID string `json:"warehouse_id"`
			Code        int64  `json:"code"`
			Message     string `json:"message"`
		} `json:"extra_errors"`
	} `json:"detail"`
}

type wireWebhooks struct {
	Webhooks []struct {
		EventType string `json:"event_type"`
		Address   string `json:"address"`
	} `json:"webhooks"`
}

type wireWebhook struct {
	EventType string `json:"event_type,omitempty"`
	Address   string `json:"address,omitempty"`
}
