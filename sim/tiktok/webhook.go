package tiktok

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// hook is one webhook address a shop has set.
type hook struct {
	address          string
	created, updated int64
}

// settable are the event types a shop may set through the API; the others are set in the developer console only.
var settable = []string{"ORDER_STATUS_CHANGE", "RECIPIENT_ADDRESS_UPDATE", "PACKAGE_UPDATE", "PRODUCT_STATUS_CHANGE",
	"SELLER_DEAUTHORIZATION", "UPCOMING_AUTHORIZATION_EXPIRATION", "CANCELLATION_STATUS_CHANGE", "RETURN_STATUS_CHANGE",
	"NEW_CONVERSATION", "NEW_MESSAGE", "PRODUCT_INFORMATION_CHANGE", "PRODUCT_CREATION"}

// Names of the events that only the developer console sets; the documentation names their topic, not an identifier.
const (
	eventInbound      = "FBT_INBOUND_STATUS_CHANGE"
	eventFBTInventory = "FBT_INVENTORY_CHANGE"
	eventStockStatus  = "INVENTORY_STATUS_CHANGE"
)

// SetConsoleWebhook sets the address of an event ("*" for all) for every shop that has not set its own, as the
// developer console does. An empty address removes it.
func (s *Sim) SetConsoleWebhook(event, address string) error {
	if address != "" && !goodAddress(address) {
		return errs.New(errs.Invalid, "tiktok.SetConsoleWebhook", event, "A webhook address is https with a domain and no port, or a loopback address.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if address == "" {
		delete(s.console, event)
		return nil
	}
	s.console[event] = address
	return nil
}

// goodAddress applies the documented rules, and allows any loopback address besides, http and ports included: the
// simulator would be of little use without.
func goodAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || len(address) > 255 {
		return false
	}
	host := u.Hostname()
	if loopbackHost(host) {
		return u.Scheme == "http" || u.Scheme == "https"
	}
	return u.Scheme == "https" && u.Port() == "" && net.ParseIP(host) == nil && strings.Contains(host, ".")
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// webhookSign is the lower-case hexadecimal HMAC-SHA256 of app key and raw body under the app secret.
func webhookSign(appKey, appSecret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(appKey))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// envelope is the outside of every webhook.
type envelope struct {
	Type           int    `json:"type"`
	NotificationID string `json:"tts_notification_id"`
	ShopID         string `json:"shop_id,omitempty"`
	SellerOpenID   string `json:"seller_open_id,omitempty"` // FBT events, in place of the shop
	Timestamp      int64  `json:"timestamp"`
	Data           any    `json:"data"`
}

// notify sends an event to the shop's address for it, if there is one. The caller holds the lock.
func (s *Sim) notify(sh *shop, kind int, event string, data any) {
	address := s.console[event]
	if address == "" {
		address = s.console["*"]
	}
	if h := sh.hooks[event]; h != nil {
		address = h.address
	}
	if address == "" || s.stopped {
		return
	}
	e := envelope{Type: kind, NotificationID: s.ids.of("notice"), ShopID: sh.id, Timestamp: s.now(), Data: data}
	if event == eventInbound || event == eventFBTInventory {
		e.ShopID, e.SellerOpenID = "", sh.seller.openID
	}
	body, err := json.Marshal(e)
	if err != nil {
		s.o.Log.Error("webhook not encoded", "event", event, "err", err)
		return
	}
	s.courier.Send(world.Message{ID: e.NotificationID, Event: event, Shop: sh.id, URL: address, Body: body})
}

// fields keeps the data of one webhook close to the words of its documentation. encoding/json writes its keys sorted,
// which is as good an order as any to a receiver.
type fields map[string]any

func (s *Sim) orderChanged(o *order) {
	s.notify(o.shop, 1, "ORDER_STATUS_CHANGE", fields{"order_id": o.id, "order_status": hookStatus(o.status),
		"is_on_hold_order": o.status == onHold, "update_time": o.updated})
}

// hookStatus is the webhook's spelling, which differs from the API's for one status.
func hookStatus(status string) string {
	if status == cancelled {
		return "CANCEL"
	}
	return status
}

func (s *Sim) addressChanged(o *order) {
	s.notify(o.shop, 3, "RECIPIENT_ADDRESS_UPDATE", fields{"order_id": o.id, "update_time": o.updated})
}

// parcelsChanged announces a split or the undoing of one.
func (s *Sim) parcelsChanged(o *order, kind, role string) {
	s.packagesChanged(o.shop, o.parcels, kind, role)
}

// packagesChanged announces what became of some packages.
func (s *Sim) packagesChanged(sh *shop, ps []*parcel, kind, role string) {
	list := []fields{}
	for _, p := range ps {
		list = append(list, fields{"package_id": p.id, "order_id_list": p.orderIDs()})
	}
	s.notify(sh, 4, "PACKAGE_UPDATE", fields{"sc_type": kind, "role_type": role, "package_list": list, "update_time": s.now()})
}

// productChanged carries the product id as a number, as the platform's sample does.
func (s *Sim) productChanged(p *product) {
	status, reason := "PRODUCT_STATUS_CHANGED", ""
	if p.status == "FAILED" {
		status, reason = "PRODUCT_AUDIT_FAILURE", "The listing does not meet the listing policy."
	}
	s.notify(p.shop, 5, "PRODUCT_STATUS_CHANGE", fields{"product_id": json.Number(p.id), "status": status,
		"suspended_reason": reason, "update_time": p.updated})
}

func (s *Sim) deauthorized(sh *shop) {
	s.notify(sh, 6, "SELLER_DEAUTHORIZATION", fields{"message": "The seller has withdrawn the authorization of the app."})
}

func (s *Sim) expiring(sh *shop, at time.Time) {
	s.notify(sh, 7, "UPCOMING_AUTHORIZATION_EXPIRATION", fields{"message": "The authorization of the app is about to expire.",
		"expiration_time": strconv.FormatInt(at.Unix(), 10)})
}

func (s *Sim) aftersaleChanged(a *aftersale) {
	role := a.role
	if !slices.Contains([]string{"BUYER", "SELLER"}, role) {
		role = "SYSTEM"
	}
	if !a.ret {
		status := a.status
		if status == cancelRefused {
			status = "CANCELLATION_REQUEST_CANCELLED" // the webhook's spelling
		}
		s.notify(a.order.shop, 11, "CANCELLATION_STATUS_CHANGE", fields{"order_id": a.order.id, "cancellations_role": role,
			"cancel_status": status, "cancel_id": a.id, "create_time": a.created})
		return
	}
	status := a.status
	if status == returnCancelled {
		status = "RETURN_OR_REFUND_REQUEST_CANCELLED" // the webhook's spelling
	}
	s.notify(a.order.shop, 12, "RETURN_STATUS_CHANGE", fields{"order_id": a.order.id, "return_role": role, "return_type": a.kind,
		"return_status": status, "return_id": a.id, "create_time": a.created, "update_time": a.updated})
}

// stockChanged announces what a change of stock calls for: the new quantity of an FBT warehouse, and a fall of the
// SKU to low or none, counted from the total before.
func (s *Sim) stockChanged(k *sku, before int, st *stock) {
	if st != nil && st.warehouse.fbt {
		s.notify(k.product.shop, 24, eventFBTInventory, fields{"goods_id": k.goodsID, "sku_id": k.id,
			"fbt_warehouse_inventory": []fields{{"fbt_warehouse_id": st.warehouse.id, "on_hand_detail": fields{
				"total_quantity": st.available + st.committed, "reserved_quantity": st.committed, "available_quantity": st.available}}},
			"update_time": s.now()})
	}
	was, is := s.level(before), s.level(k.total())
	if is == was || is == "SUFFICIENT_STOCK" || was == "OUT_OF_STOCK" {
		return
	}
	s.notify(k.product.shop, 27, eventStockStatus, fields{"product_id": k.product.id, "sku_id": k.id,
		"trigger_reason":           fields{"alert_type": "REALTIME", "low_stock_threshold": max(s.o.LowStock, 0)},
		"current_inventory_status": is, "inventory_distribution": fields{"total_quantity": k.total() + k.committed(),
			"available_quantity": k.total(), "creator_reserved_quantity": 0, "campaign_reserved_quantity": 0,
			"committed_quantity": k.committed()}, "update_time": s.now()})
}

func (s *Sim) level(n int) string {
	switch {
	case n <= 0:
		return "OUT_OF_STOCK"
	case n <= s.o.LowStock:
		return "LOW_STOCK"
	}
	return "SUFFICIENT_STOCK"
}
