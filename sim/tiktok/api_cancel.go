package tiktok

import (
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// After-sales error codes, as documented.
const (
	codeAfterInput       = 25001001
	codeAfterStatus      = 25001003
	codeAfterInProcess   = 25001011
	codeReasonUnknown    = 25001014
	codeReasonNotSeller  = 25001015
	codeReasonStatus     = 25001021
	codeAfterOver        = 25001051
	codeTooMuch          = 25005005
	codeLinesAlone       = 25005010
	codeAfterUnknown     = 25007006
	codeNoReject         = 25011011
	codeNoApprove        = 25011012
	codeNoReceipt        = 25011013
	codeDecisionStatus   = 25020003
	codeDecisionType     = 25020004
	codeAfterForeign     = 25020005
	codeAlreadyCancelled = 25020009
	codeAlreadyApproved  = 25020010
)

// Reasons a seller may give for cancelling, by whether the order is paid.
var (
	paidCancelReasons = []string{"seller_cancel_reason_out_of_stock", "seller_cancel_reason_wrong_price",
		"seller_cancel_paid_reason_address_not_deliver", "seller_cancel_paid_reason_buyer_requested_cancellation"}
	unpaidCancelReasons = []string{"seller_cancel_unpaid_reason_out_of_stock", "seller_cancel_unpaid_reason_wrong_price",
		"seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed", "seller_cancel_unpaid_reason_buyer_requested_cancellation"}
)

// requestedLines are an order's open lines, or those named by id, or units of the SKUs named.
func (o *order) requestedLines(ids []string, skus []wantedSKU) ([]*line, *failure) {
	lines := o.active()
	if len(ids) > 0 {
		lines = slices.DeleteFunc(lines, func(l *line) bool { return !slices.Contains(ids, l.id) })
		if len(lines) != len(ids) {
			return nil, fail(codeAfterInput, "These are not open lines of the order.")
		}
		return lines, nil
	}
	if len(skus) == 0 {
		return lines, nil
	}
	var out []*line
	for _, k := range skus {
		left := k.Quantity
		for _, l := range lines {
			if l.sku.id == k.ID && left > 0 && !slices.Contains(out, l) {
				out = append(out, l)
				left--
			}
		}
		if left != 0 || k.Quantity < 1 {
			return nil, fail(codeAfterInput, "The order does not have %d open units of SKU %s.", k.Quantity, k.ID)
		}
	}
	return out, nil
}

type wantedSKU struct {
	ID       string `json:"sku_id"`
	Quantity int    `json:"quantity"`
}

func (s *Sim) cancelOrder(c *call) (any, *failure) {
	var in struct {
		Order  string      `json:"order_id"`
		SKUs   []wantedSKU `json:"skus"`
		Lines  []string    `json:"order_line_item_ids"`
		Reason string      `json:"cancel_reason"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o := s.orders[in.Order]
	if o == nil || o.shop != c.shop {
		return nil, fail(codeAfterForeign, "There is no such order, or no permission for it.")
	}
	if f := sellerMayCancel(o, in.Reason); f != nil {
		return nil, f
	}
	lines, f := o.requestedLines(in.Lines, in.SKUs)
	if f != nil {
		return nil, f
	}
	if len(lines) < len(o.active()) {
		if !strings.HasSuffix(in.Reason, "out_of_stock") || o.shop.region != "US" && o.shop.region != "GB" ||
			slices.ContainsFunc(lines, func(l *line) bool { return l.status != awaitingShipment }) {
			return nil, fail(codeLinesAlone, "These lines cannot be cancelled alone.")
		}
	}
	a, err := s.cancelNow(o, lines, "SELLER", in.Reason)
	if err != nil {
		return nil, fail(codeAfterStatus, "%s", errs.Safe(err))
	}
	return fields{"cancel_id": a.id, "cancel_status": a.status}, nil
}

// sellerMayCancel checks status and reason of a seller's cancellation. UK reasons carry a suffix.
func sellerMayCancel(o *order, reason string) *failure {
	plain := strings.TrimSuffix(reason, "_uk")
	paid, unpaidReason := slices.Contains(paidCancelReasons, plain), slices.Contains(unpaidCancelReasons, plain)
	switch {
	case o.status == cancelled || o.status == completed:
		return fail(codeAfterOver, "The order is completed or cancelled.")
	case o.status == inTransit || o.status == delivered || o.status == awaitingCollection && o.shop.region != "US":
		return fail(codeAfterStatus, "A %s order cannot be cancelled by the seller.", o.status)
	case !paid && !unpaidReason && (strings.HasPrefix(plain, "ecom_order_") || strings.HasPrefix(plain, "system_")):
		return fail(codeReasonNotSeller, "The reason is not one of the seller's.")
	case !paid && !unpaidReason:
		return fail(codeReasonUnknown, "The reason is unknown.")
	case unpaidReason != (o.status == unpaid):
		return fail(codeReasonStatus, "The reason does not fit the order's status.")
	case o.status == onHold && plain != "seller_cancel_reason_out_of_stock":
		return fail(codeReasonStatus, "During the hold an order can be cancelled for want of stock only.")
	}
	return nil
}

func (s *Sim) searchCancellations(c *call) (any, *failure) {
	var in afterFilter
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.page("cancellations", 10, 50, "ASC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	c.shop.walkAfter(p.desc, func(a *aftersale) {
		if a.ret || !in.match(a) || len(in.CancelIDs) > 0 && !slices.Contains(in.CancelIDs, a.id) ||
			len(in.CancelTypes) > 0 && !slices.Contains(in.CancelTypes, a.kind) ||
			len(in.CancelStatus) > 0 && !slices.Contains(in.CancelStatus, a.status) {
			return
		}
		out.add(a.place, func() fields { return wireCancellation(a) })
	})
	return fields{"next_page_token": out.next(), "total_count": out.total, "cancellations": out.list}, nil
}

// afterFilter is what the searches for cancellations and returns have in common, and their own lists.
type afterFilter struct {
	CancelIDs    []string `json:"cancel_ids"`
	CancelTypes  []string `json:"cancel_types"`
	CancelStatus []string `json:"cancel_status"`
	ReturnIDs    []string `json:"return_ids"`
	ReturnTypes  []string `json:"return_types"`
	ReturnStatus []string `json:"return_status"`
	Orders       []string `json:"order_ids"`
	Buyers       []string `json:"buyer_user_ids"`
	CreateGE     int64    `json:"create_time_ge"`
	CreateLT     int64    `json:"create_time_lt"`
	UpdateGE     int64    `json:"update_time_ge"`
	UpdateLT     int64    `json:"update_time_lt"`
}

func (in afterFilter) match(a *aftersale) bool {
	return (len(in.Orders) == 0 || slices.Contains(in.Orders, a.order.id)) && (len(in.Buyers) == 0 || slices.Contains(in.Buyers, a.order.buyer)) &&
		a.created >= in.CreateGE && (in.CreateLT == 0 || a.created < in.CreateLT) &&
		a.updated >= in.UpdateGE && (in.UpdateLT == 0 || a.updated < in.UpdateLT)
}

// walkAfter visits a shop's after-sales requests in order of making.
func (sh *shop) walkAfter(desc bool, visit func(*aftersale)) {
	for i := range sh.afters {
		if desc {
			i = len(sh.afters) - 1 - i
		}
		visit(sh.afters[i])
	}
}

// refund is what an after-sales request gives back for lines: goods and tax; the flat shipping fee when the whole
// order is concerned.
func (o *order) refundOf(lines []*line) fields {
	var goods, tax, shipping int64
	for _, l := range lines {
		goods += l.price
		tax += o.tax(l)
	}
	if len(lines) == len(o.lines) {
		shipping = shippingFee
	}
	return fields{"currency": o.shop.currency, "refund_total": amount(goods + tax + shipping), "refund_subtotal": amount(goods),
		"refund_shipping_fee": amount(shipping), "refund_tax": amount(tax), "retail_delivery_fee": "0.00"}
}

func wireCancellation(a *aftersale) fields {
	lines := []fields{}
	for _, l := range a.lines {
		lines = append(lines, fields{"cancel_line_item_id": a.id + l.id[len(l.id)-4:], "order_line_item_id": l.id, "sku_id": l.sku.id,
			"sku_name": l.sku.name, "product_name": l.sku.product.title, "seller_sku": l.sku.sellerSKU,
			"refund_amount": a.order.refundOf([]*line{l})})
	}
	status := a.status
	if status == cancelRefused {
		status = "CANCELLATION_REQUEST_CANCELLED" // the answer's spelling; the filter's is without LED
	}
	role := a.role
	if role == "OPERATOR" {
		role = "SYSTEM"
	}
	return fields{"cancel_id": a.id, "order_id": a.order.id, "cancel_type": a.kind, "cancel_status": status, "role": role,
		"cancel_reason": a.reason, "cancel_reason_text": reasonText(a.reason), "create_time": a.created, "update_time": a.updated,
		"seller_next_action_response": a.nextAction(), "refund_amount": a.order.refundOf(a.lines), "cancel_line_items": lines}
}

// nextAction is what the seller must do by when; empty when nothing is asked.
func (a *aftersale) nextAction() []fields {
	if a.deadline == 0 {
		return []fields{}
	}
	return []fields{{"action": a.action, "deadline": a.deadline}}
}

// reasonText makes words of a reason's name.
func reasonText(name string) string {
	for _, p := range []string{"ecom_order_to_ship_canceled_reason_", "ecom_order_delivered_refund_and_return_reason_",
		"ecom_order_delivered_refund_reason_", "ecom_order_shipped_refund_reason_", "seller_cancel_reason_", "seller_cancel_paid_reason_",
		"seller_cancel_unpaid_reason_", "system_cancel_order_reason_"} {
		name = strings.TrimPrefix(name, p)
	}
	return strings.ReplaceAll(name, "_", " ")
}

// maxKeys bounds the idempotency keys a shop remembers; older ones are forgotten all at once.
const maxKeys = 10_000

// repeated gives what a successful call with the same idempotency key answered for the same target.
func (c *call) repeated(target string) (result string, done bool) {
	result, done = c.shop.keys[c.key(target)]
	return result, done && c.query.Get("idempotency_key") != ""
}

// remember notes a successful call, so that repeating it has no further effect.
func (c *call) remember(target, result string) {
	if c.query.Get("idempotency_key") == "" {
		return
	}
	if len(c.shop.keys) >= maxKeys {
		clear(c.shop.keys)
	}
	c.shop.keys[c.key(target)] = result
}

func (c *call) key(target string) string {
	return c.route.path + "|" + target + "|" + c.query.Get("idempotency_key")
}

// afterOnce finds a cancellation or return and reports whether the call was done before with the same key.
func (c *call) afterOnce(id string, ret bool) (a *aftersale, done bool, f *failure) {
	if a, f = c.afterOf(id, ret); f == nil {
		_, done = c.repeated(id)
	}
	return a, done, f
}

func (s *Sim) approveCancellation(c *call) (any, *failure) {
	a, done, f := c.afterOnce(c.vars["cancel_id"], false)
	if f != nil || done {
		return nil, f
	}
	switch {
	case a.kind != "BUYER_CANCEL":
		return nil, fail(codeDecisionType, "Only a buyer's request can be approved.")
	case a.status == cancelSuccess || a.status == cancelDone:
		return nil, fail(codeAlreadyCancelled, "The order is cancelled already.")
	case a.status != cancelPending:
		return nil, fail(codeNoApprove, "The request cannot be approved any more.")
	}
	if err := s.approveCancel(a); err != nil {
		return nil, fail(codeAfterStatus, "%s", errs.Safe(err))
	}
	c.remember(a.id, "")
	return nil, nil
}

func (s *Sim) rejectCancellation(c *call) (any, *failure) {
	a, done, f := c.afterOnce(c.vars["cancel_id"], false)
	if f != nil || done {
		return nil, f
	}
	var in struct {
		Reason string `json:"reject_reason"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	switch {
	case a.status == cancelSuccess || a.status == cancelDone:
		return nil, fail(codeAlreadyApproved, "The request is approved already.")
	case a.kind != "BUYER_CANCEL" || a.status != cancelPending:
		return nil, fail(codeNoReject, "The request cannot be rejected.")
	case !slices.ContainsFunc(cancelRejects, func(r fields) bool { return r["name"] == in.Reason }):
		return nil, fail(codeReasonUnknown, "The reason is unknown.")
	}
	s.endRequest(a)
	c.remember(a.id, "")
	return nil, nil
}

// afterOf finds a cancellation or a return of the call's shop.
func (c *call) afterOf(id string, ret bool) (*aftersale, *failure) {
	if a := c.shop.after[id]; a != nil && a.ret == ret {
		return a, nil
	}
	return nil, fail(codeAfterUnknown, "There is no such request.")
}

var cancelRejects = []fields{
	{"name": "seller_reject_apply_product_has_been_packed", "text": "The product has been packed"},
	{"name": "order_manage_list_action_respond_popup_reject_reason_invalid_cancellation_reason", "text": "The reason is not valid"},
	{"name": "order_manage_list_action_respond_popup_reject_reason_delivered", "text": "The product has been delivered"},
	{"name": "order_manage_list_action_respond_popup_reject_reason_buyer_agree", "text": "Agreement with the buyer"}}

var returnRejects = []fields{
	{"name": "reverse_reject_request_reason_1", "text": "The reason is not valid"},
	{"name": "reverse_reject_request_reason_2", "text": "A change of mind is not accepted"},
	{"name": "reverse_reject_request_reason_3", "text": "Not eligible, the product was used"},
	{"name": "reverse_reject_request_reason_4", "text": "The delivery is on schedule"},
	{"name": "reverse_reject_request_reason_5", "text": "Agreement with the buyer"}}

var receiptRejects = []fields{
	{"name": "reverse_reject_return_parcel_reason_1", "text": "Not the product sent"},
	{"name": "reverse_reject_return_parcel_reason_2", "text": "Not eligible"},
	{"name": "reverse_reject_return_parcel_reason_3", "text": "Parts are missing"},
	{"name": "reverse_reject_return_parcel_reason_4", "text": "The parcel was not received"},
	{"name": "reverse_reject_return_parcel_reason_5", "text": "Damaged or used"}}

func (s *Sim) rejectReasons(c *call) (any, *failure) {
	a := c.shop.after[c.query.Get("return_or_cancel_id")]
	if a == nil {
		return nil, fail(codeAfterUnknown, "There is no such request.")
	}
	return fields{"reasons": a.rejects()}, nil
}

func (a *aftersale) rejects() []fields {
	switch {
	case !a.ret:
		return cancelRejects
	case a.status == buyerShipped:
		return receiptRejects
	}
	return returnRejects
}
