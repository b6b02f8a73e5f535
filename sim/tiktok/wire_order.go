package tiktok

import (
	"slices"
	"strings"
)

// wireOrder is an order as both the search and the detail call write it. Times that have not happened are left out.
type wireOrder struct {
	ID                   string         `json:"id"`
	UserID               string         `json:"user_id"`
	BuyerEmail           string         `json:"buyer_email"`
	BuyerMessage         string         `json:"buyer_message"`
	Status               string         `json:"status"`
	OrderType            string         `json:"order_type"`
	FulfillmentType      string         `json:"fulfillment_type"`
	ShippingType         string         `json:"shipping_type"`
	DeliveryType         string         `json:"delivery_type"`
	DeliveryOptionID     string         `json:"delivery_option_id"`
	DeliveryOptionName   string         `json:"delivery_option_name"`
	ShippingProvider     string         `json:"shipping_provider"`
	ShippingProviderID   string         `json:"shipping_provider_id"`
	TrackingNumber       string         `json:"tracking_number"`
	WarehouseID          string         `json:"warehouse_id"`
	CommercePlatform     string         `json:"commerce_platform"`
	PaymentMethodName    string         `json:"payment_method_name"`
	SplitOrCombineTag    string         `json:"split_or_combine_tag,omitempty"`
	CancelReason         string         `json:"cancel_reason,omitempty"`
	CancelledBy          string         `json:"cancellation_initiator,omitempty"`
	SellerNote           string         `json:"seller_note"`
	IsCOD                bool           `json:"is_cod"`
	IsSample             bool           `json:"is_sample_order"`
	IsOnHold             bool           `json:"is_on_hold_order"`
	IsReplacement        bool           `json:"is_replacement_order"`
	IsExchange           bool           `json:"is_exchange_order"`
	BuyerAskedCancel     bool           `json:"is_buyer_request_cancel"`
	AddressChanged       bool           `json:"has_updated_recipient_address"`
	CreateTime           int64          `json:"create_time"`
	UpdateTime           int64          `json:"update_time"`
	PaidTime             int64          `json:"paid_time,omitempty"`
	RTSSLATime           int64          `json:"rts_sla_time,omitempty"`
	TTSSLATime           int64          `json:"tts_sla_time,omitempty"`
	RTSTime              int64          `json:"rts_time,omitempty"`
	CollectionTime       int64          `json:"collection_time,omitempty"`
	ShippingDueTime      int64          `json:"shipping_due_time,omitempty"`
	CollectionDueTime    int64          `json:"collection_due_time,omitempty"`
	DeliverySLATime      int64          `json:"delivery_sla_time,omitempty"`
	DeliveryDueTime      int64          `json:"delivery_due_time,omitempty"`
	DeliveryRequiredTime int64          `json:"delivery_option_required_delivery_time,omitempty"`
	DeliveryTime         int64          `json:"delivery_time,omitempty"`
	CancelTime           int64          `json:"cancel_time,omitempty"`
	RequestCancelTime    int64          `json:"request_cancel_time,omitempty"`
	Handling             *wireHandling  `json:"handling_duration,omitempty"`
	Payment              wirePayment    `json:"payment"`
	Recipient            *wireRecipient `json:"recipient_address,omitempty"`
	Packages             []wireID       `json:"packages"`
	Lines                []wireLine     `json:"line_items"`
}

type wireID struct {
	ID string `json:"id"`
}

type wireHandling struct {
	Days string `json:"days"`
	Type string `json:"type"`
}

type wirePayment struct {
	Currency         string `json:"currency"`
	Total            string `json:"total_amount"`
	SubTotal         string `json:"sub_total"`
	Shipping         string `json:"shipping_fee"`
	SellerDiscount   string `json:"seller_discount"`
	PlatformDiscount string `json:"platform_discount"`
	OriginalProduct  string `json:"original_total_product_price"`
	OriginalShipping string `json:"original_shipping_fee"`
	ShippingSeller   string `json:"shipping_fee_seller_discount"`
	ShippingPlatform string `json:"shipping_fee_platform_discount"`
	Tax              string `json:"tax"`
	ProductTax       string `json:"product_tax"`
	ShippingTax      string `json:"shipping_fee_tax"`
	RetailDelivery   string `json:"retail_delivery_fee"`
}

type wireRecipient struct {
	FullAddress  string         `json:"full_address"`
	Phone        string         `json:"phone_number"`
	Name         string         `json:"name"`
	FirstName    string         `json:"first_name"`
	LastName     string         `json:"last_name"`
	Detail       string         `json:"address_detail"`
	Line1        string         `json:"address_line1"`
	Line2        string         `json:"address_line2"`
	Line3        string         `json:"address_line3"`
	Line4        string         `json:"address_line4"`
	PostalCode   string         `json:"postal_code"`
	RegionCode   string         `json:"region_code"`
	DistrictInfo []wireDistrict `json:"district_info"`
}

type wireDistrict struct {
	Level string `json:"address_level"`
	Title string `json:"address_level_name"`
	Name  string `json:"address_name"`
}

type wireLine struct {
	ID               string    `json:"id"`
	SKUID            string    `json:"sku_id"`
	ProductID        string    `json:"product_id"`
	ProductName      string    `json:"product_name"`
	SKUName          string    `json:"sku_name"`
	SKUImage         string    `json:"sku_image"`
	SellerSKU        string    `json:"seller_sku"`
	SKUType          string    `json:"sku_type"`
	DisplayStatus    string    `json:"display_status"`
	OriginalPrice    string    `json:"original_price"`
	SalePrice        string    `json:"sale_price"`
	PlatformDiscount string    `json:"platform_discount"`
	SellerDiscount   string    `json:"seller_discount"`
	Currency         string    `json:"currency"`
	IsGift           bool      `json:"is_gift"`
	ItemTax          []wireTax `json:"item_tax"`
	PackageID        string    `json:"package_id,omitempty"`
	PackageStatus    string    `json:"package_status,omitempty"`
	Provider         string    `json:"shipping_provider_name,omitempty"`
	ProviderID       string    `json:"shipping_provider_id,omitempty"`
	Tracking         string    `json:"tracking_number,omitempty"`
	RTSTime          int64     `json:"rts_time,omitempty"`
	CancelReason     string    `json:"cancel_reason,omitempty"`
	CancelUser       string    `json:"cancel_user,omitempty"`
}

type wireTax struct {
	Type   string `json:"tax_type"`
	Amount string `json:"tax_amount"`
	Rate   string `json:"tax_rate"`
}

// standardDelivery is the one delivery option of every warehouse; the seller's own comes second in listings.
const (
	standardDelivery = "7091146663229654785"
	sellerDelivery   = "7091146663229654786"
)

func (s *Sim) wireOrder(o *order) wireOrder {
	w := wireOrder{ID: o.id, UserID: o.buyer, BuyerEmail: "v" + o.buyer[len(o.buyer)-min(8, len(o.buyer)):] + "@buyer.example",
		BuyerMessage: o.note, Status: o.status, OrderType: o.kind, FulfillmentType: "FULFILLMENT_BY_SELLER", ShippingType: o.ship,
		DeliveryType: "HOME_DELIVERY", DeliveryOptionID: standardDelivery, DeliveryOptionName: "Standard shipping",
		WarehouseID: o.lines[0].stock.warehouse.id, CommercePlatform: "TIKTOK_SHOP", PaymentMethodName: "Card",
		CancelReason: o.cancelReason, CancelledBy: o.cancelBy, IsSample: o.sample, IsOnHold: o.status == onHold,
		BuyerAskedCancel: o.request != nil && o.request.open(), AddressChanged: o.newAddress,
		CreateTime: o.created, UpdateTime: o.updated, PaidTime: o.paid, RTSSLATime: o.due.rtsSLA, TTSSLATime: o.due.ttsSLA,
		RTSTime: o.rts, CollectionTime: o.collected, ShippingDueTime: o.due.shippingDue, CollectionDueTime: o.due.collectionDue,
		DeliverySLATime: o.due.deliverySLA, DeliveryDueTime: o.due.deliveryDue, DeliveryRequiredTime: o.due.deliverySLA,
		DeliveryTime: o.deliveredAt, CancelTime: o.cancelledAt, RequestCancelTime: o.askedCancel,
		Payment: o.payment(), Recipient: o.recipient(s.now()), Packages: []wireID{}, Lines: make([]wireLine, 0, len(o.lines))}
	if o.fbt {
		w.FulfillmentType = "FULFILLMENT_BY_TIKTOK"
	}
	if o.cancelBy == "OPERATOR" {
		w.CancelledBy = "SYSTEM" // the order knows no operator, only its lines do
	}
	if o.handlingDays > 0 {
		w.Handling = &wireHandling{Days: itoa(o.handlingDays), Type: "BUSINESS_DAY"}
	}
	switch {
	case len(o.parcels) > 1:
		w.SplitOrCombineTag = "SPLIT"
	case len(o.parcels) == 1 && len(o.parcels[0].with) > 0:
		w.SplitOrCombineTag = "COMBINED"
	}
	for _, p := range o.parcels {
		w.Packages = append(w.Packages, wireID{p.id})
		if w.TrackingNumber == "" && p.tracking != "" {
			w.TrackingNumber, w.ShippingProvider, w.ShippingProviderID = p.tracking, p.provider.name, p.provider.id
		}
	}
	for _, l := range o.lines {
		w.Lines = append(w.Lines, o.wireLine(l))
	}
	return w
}

func (o *order) wireLine(l *line) wireLine {
	w := wireLine{ID: l.id, SKUID: l.sku.id, ProductID: l.sku.product.id, ProductName: l.sku.product.title, SKUName: l.sku.name,
		SellerSKU: l.sku.sellerSKU, SKUType: "NORMAL", DisplayStatus: l.status, OriginalPrice: amount(l.price), SalePrice: amount(l.price),
		PlatformDiscount: "0.00", SellerDiscount: "0.00", Currency: o.shop.currency, ItemTax: []wireTax{}, RTSTime: l.rts,
		CancelReason: l.cancelReason, CancelUser: l.cancelBy}
	if slices.Contains([]string{"PRE_ORDER", "MADE_TO_ORDER"}, o.kind) {
		w.SKUType = o.kind
	}
	if t := o.tax(l); t > 0 {
		w.ItemTax = append(w.ItemTax, wireTax{"SALES_TAX", amount(t), itoa(usTaxRate) + ".00"})
	}
	if p := l.parcel; p != nil {
		w.PackageID, w.PackageStatus, w.Provider, w.ProviderID, w.Tracking = p.id, p.status, p.provider.name, p.provider.id, p.tracking
	}
	return w
}

func (o *order) payment() wirePayment {
	v := o.sums()
	return wirePayment{Currency: o.shop.currency, Total: amount(v.total()), SubTotal: amount(v.goods), Shipping: amount(v.shipping),
		SellerDiscount: "0.00", PlatformDiscount: "0.00", OriginalProduct: amount(v.goods), OriginalShipping: amount(v.shipping),
		ShippingSeller: "0.00", ShippingPlatform: "0.00", Tax: amount(v.tax), ProductTax: amount(v.tax), ShippingTax: "0.00",
		RetailDelivery: "0.00"}
}

// hideAfter is how long after completion an address can be read in the US.
const hideAfter = 30 * 24 * 3600

// recipient follows the US rules: none while on hold; masked when unpaid, cancelled, sold from platform stock, or
// long completed; phone and street masked for orders on platform labels.
func (o *order) recipient(now int64) *wireRecipient {
	if o.status == onHold {
		return nil
	}
	a := o.address
	all := o.status == unpaid || o.status == cancelled || o.fbt || o.status == completed && now-o.updated > hideAfter
	if all {
		a.first, a.last, a.city, a.postal = mask(a.first), mask(a.last), mask(a.city), mask(a.postal)
	}
	if all || o.shop.region == "US" && o.ship == "TIKTOK" {
		a.street, a.phone = mask(a.street), mask(a.phone)
	}
	return &wireRecipient{FullAddress: strings.Join([]string{a.street, a.city, a.state, a.postal, a.country}, ", "), Phone: a.phone,
		Name: a.first + " " + a.last, FirstName: a.first, LastName: a.last, Detail: a.street, Line1: a.street, PostalCode: a.postal,
		RegionCode: a.country, DistrictInfo: []wireDistrict{{"L0", "country", a.country}, {"L1", "state", a.state}, {"L3", "city", a.city}}}
}

// mask leaves the first character of a text.
func mask(text string) string {
	if text == "" {
		return ""
	}
	return text[:1] + strings.Repeat("*", min(len(text)-1, 8))
}
