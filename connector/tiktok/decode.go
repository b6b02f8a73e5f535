package tiktok

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// Decode implements driver.Vendor. Messages are at least once and unordered; their facts carry the platform's own times.
func (Vendor) Decode(topic string, body []byte) ([]driver.Fact, error) {
	decode, ok := decoders[topic]
	if !ok {
		return nil, nil
	}
	return decode(body)
}

// decoders are by topic.
var decoders = map[string]func(body []byte) ([]driver.Fact, error){
	orderStatus:     read(decodeOrder),
	addressUpdate:   read(decodeAddress),
	packageUpdate:   read(decodePackage),
	productStatus:   read(decodeProduct),
	deauthorised:    read(decodeDeauthorised),
	expiring:        read(decodeExpiring),
	cancellation:    read(decodeCancellation),
	returnStatus:    read(decodeReturn),
	inboundStatus:   read(decodeInbound),
	fbtInventory:    read(decodeFBT),
	inventoryStatus: read(decodeInventory),
}

// read reads a message's data and hands it on with the time it was sent.
func read[T any](decode func(data T, sent time.Time) ([]driver.Fact, error)) func([]byte) ([]driver.Fact, error) {
	return func(body []byte) ([]driver.Fact, error) {
		var m struct {
			Timestamp int64 `json:"timestamp"`
			Data      T     `json:"data"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return nil, unreadable(err)
		}
		return decode(m.Data, at(m.Timestamp))
	}
}

func lacks(what string) error {
	return &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message has no " + what}
}

// notice makes the fact of an order, with the time in the data or else that of the message.
func notice(id text, updated int64, sent time.Time, fill func(*order.Fact)) ([]driver.Fact, error) {
	f := &order.Fact{ExternalID: string(id), UpdatedAt: at(updated)}
	if f.UpdatedAt.IsZero() {
		f.UpdatedAt = sent
	}
	if f.ExternalID == "" || f.UpdatedAt.IsZero() {
		return nil, lacks("order id or no time")
	}
	fill(f)
	return []driver.Fact{{Order: f}}, nil
}

type orderData struct {
	OrderID       text   `json:"order_id"`
	OrderStatus   string `json:"order_status"`
	IsOnHoldOrder bool   `json:"is_on_hold_order"`
	UpdateTime    int64  `json:"update_time"`
}

func decodeOrder(d orderData, sent time.Time) ([]driver.Fact, error) {
	return notice(d.OrderID, d.UpdateTime, sent, func(f *order.Fact) {
		f.Kind, f.Status, f.StatusText = order.StatusNotice, statusOf(d.OrderStatus, d.IsOnHoldOrder), d.OrderStatus
		if f.Status == "" {
			f.Kind = order.TouchNotice // a word of tomorrow: the order is read instead
		}
	})
}

type addressData struct {
	OrderID    text  `json:"order_id"`
	UpdateTime int64 `json:"update_time"`
}

func decodeAddress(d addressData, sent time.Time) ([]driver.Fact, error) {
	return notice(d.OrderID, d.UpdateTime, sent, func(f *order.Fact) { f.Kind = order.AddressNotice })
}

type packageData struct {
	PackageList []struct {
		OrderIDList []text `json:"order_id_list"`
	} `json:"package_list"`
	UpdateTime int64 `json:"update_time"`
}

// decodePackage asks for the orders to be read: which line went into which package stands only there.
func decodePackage(d packageData, sent time.Time) ([]driver.Fact, error) {
	var out []driver.Fact
	var seen []text
	for _, p := range d.PackageList {
		for _, id := range p.OrderIDList {
			if slices.Contains(seen, id) || len(seen) >= order.MaxUnits {
				continue
			}
			seen = append(seen, id)
			facts, err := notice(id, d.UpdateTime, sent, func(f *order.Fact) { f.Kind = order.TouchNotice })
			if err != nil {
				return nil, err
			}
			out = append(out, facts...)
		}
	}
	return out, nil
}

type productData struct {
	ProductID       text   `json:"product_id"`
	Status          string `json:"status"`
	SuspendedReason string `json:"suspended_reason"`
	UpdateTime      int64  `json:"update_time"`
}

func decodeProduct(d productData, sent time.Time) ([]driver.Fact, error) {
	if d.ProductID == "" {
		return nil, lacks("product id")
	}
	return []driver.Fact{{Listing: &driver.ListingState{
		ProductID: string(d.ProductID), Status: d.Status, Reason: d.SuspendedReason, UpdatedAt: or(d.UpdateTime, sent),
	}}}, nil
}

func or(seconds int64, sent time.Time) time.Time {
	if t := at(seconds); !t.IsZero() {
		return t
	}
	return sent
}

type authData struct {
	Message        string `json:"message"`
	ExpirationTime text   `json:"expiration_time"`
}

func decodeDeauthorised(d authData, _ time.Time) ([]driver.Fact, error) {
	return []driver.Fact{{Auth: &driver.AuthNotice{Withdrawn: true, Message: d.Message}}}, nil
}

func decodeExpiring(d authData, _ time.Time) ([]driver.Fact, error) {
	return []driver.Fact{{Auth: &driver.AuthNotice{ExpiresAt: expiry(string(d.ExpirationTime)), Message: d.Message}}}, nil
}

// expiry reads a time whose form is not documented beyond being a text; zero where it is none we know.
func expiry(text string) time.Time {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return at(seconds)
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

type cancelData struct {
	OrderID  text   `json:"order_id"`
	Role     string `json:"cancellations_role"`
	Status   string `json:"cancel_status"`
	CancelID text   `json:"cancel_id"`
	Created  int64  `json:"create_time"`
}

// cancelStates are the platform's words; the documentation spells the withdrawn one in two ways.
var cancelStates = map[string]order.CancelState{
	"CANCELLATION_REQUEST_PENDING": order.CancelPending, "CANCELLATION_REQUEST_SUCCESS": order.CancelAccepted,
	"CANCELLATION_REQUEST_CANCEL": order.CancelWithdrawn, "CANCELLATION_REQUEST_CANCELLED": order.CancelWithdrawn,
	"CANCELLATION_REQUEST_COMPLETE": order.CancelDone,
}

func decodeCancellation(d cancelData, sent time.Time) ([]driver.Fact, error) {
	return notice(d.OrderID, 0, or(d.Created, sent), func(f *order.Fact) {
		state, ok := cancelStates[d.Status]
		if !sent.IsZero() {
			f.UpdatedAt = sent
		}
		if !ok || d.CancelID == "" {
			f.Kind, f.StatusText = order.TouchNotice, d.Status
			return
		}
		f.Kind = order.CancelNotice
		f.Cancellation = &order.Cancellation{ID: string(d.CancelID), State: state, Role: roles[d.Role], CreatedAt: at(d.Created)}
	})
}

type returnData struct {
	OrderID    text   `json:"order_id"`
	Role       string `json:"return_role"`
	Type       string `json:"return_type"`
	Status     string `json:"return_status"`
	ReturnID   text   `json:"return_id"`
	UpdateTime int64  `json:"update_time"`
}

var returnKinds = map[string]string{"REFUND": "refund", "RETURN_AND_REFUND": "return", "REPLACEMENT": "replacement"}

func decodeReturn(d returnData, sent time.Time) ([]driver.Fact, error) {
	return notice(d.OrderID, d.UpdateTime, sent, func(f *order.Fact) {
		if d.ReturnID == "" {
			f.Kind = order.TouchNotice
			return
		}
		f.Kind = order.ReturnNotice
		f.Return = &order.Return{ID: string(d.ReturnID), Kind: returnKinds[d.Type], StatusText: d.Status, Role: roles[d.Role]}
	})
}

type inboundData struct {
	InboundOrderID text   `json:"inbound_order_id"`
	OrderStatus    string `json:"order_status"`
	UpdateTime     int64  `json:"update_time"`
}

func decodeInbound(d inboundData, sent time.Time) ([]driver.Fact, error) {
	if d.InboundOrderID == "" {
		return nil, lacks("inbound order id")
	}
	return []driver.Fact{{Note: &driver.Note{
		Subject: string(d.InboundOrderID), Kind: "inbound", Text: d.OrderStatus, At: or(d.UpdateTime, sent),
	}}}, nil
}

type fbtData struct {
	SKUID     text `json:"sku_id"`
	Inventory []struct {
		WarehouseID text `json:"fbt_warehouse_id"`
		OnHand      struct {
			Total    int64 `json:"total_quantity"`
			Reserved int64 `json:"reserved_quantity"`
		} `json:"on_hand_detail"`
	} `json:"fbt_warehouse_inventory"`
	UpdateTime int64 `json:"update_time"`
}

func decodeFBT(d fbtData, sent time.Time) ([]driver.Fact, error) {
	if d.SKUID == "" {
		return nil, lacks("SKU id")
	}
	out := make([]driver.Fact, 0, len(d.Inventory))
	for _, i := range d.Inventory {
		out = append(out, driver.Fact{Stock: &driver.PlatformStock{
			SKUID: string(d.SKUID), LocationID: string(i.WarehouseID), OnHand: i.OnHand.Total, Reserved: i.OnHand.Reserved,
			UpdatedAt: or(d.UpdateTime, sent),
		}})
	}
	return out, nil
}

type inventoryData struct {
	ProductID    text   `json:"product_id"`
	SKUID        text   `json:"sku_id"`
	Status       string `json:"current_inventory_status"`
	Distribution *struct {
		Total     int64 `json:"total_quantity"`
		Committed int64 `json:"committed_quantity"`
	} `json:"inventory_distribution"`
	UpdateTime int64 `json:"update_time"`
}

// decodeInventory reports what can still be sold: the total less what is committed, so including what is held for campaigns
// and creators, as the inventory search counts it.
func decodeInventory(d inventoryData, sent time.Time) ([]driver.Fact, error) {
	if d.SKUID == "" {
		return nil, lacks("SKU id")
	}
	if d.Distribution == nil {
		return []driver.Fact{{Note: &driver.Note{
			Subject: string(d.SKUID), Kind: "inventory", Text: d.Status, At: or(d.UpdateTime, sent),
		}}}, nil
	}
	i := d.Distribution
	if i.Total < i.Committed || i.Committed < 0 {
		return nil, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: fmt.Sprintf("a total of %d cannot hold %d committed units", i.Total, i.Committed)}
	}
	return []driver.Fact{{Quantity: &driver.Quantity{
		Ref: driver.ListingRef{ProductID: string(d.ProductID), SKUID: string(d.SKUID)}, Available: i.Total - i.Committed,
		Committed: i.Committed, At: or(d.UpdateTime, sent),
	}}}, nil
}
