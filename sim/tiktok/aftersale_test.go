package tiktok

import (
	"fmt"
	"testing"
	"time"
)

type cancelsPage struct {
	Rows []struct {
		ID     string `json:"cancel_id"`
		Type   string `json:"cancel_type"`
		Status string `json:"cancel_status"`
		Role   string `json:"role"`
		Next   []struct {
			Action   string `json:"action"`
			Deadline int64  `json:"deadline"`
		} `json:"seller_next_action_response"`
	} `json:"cancellations"`
}

const cancellations = "/return_refund/202309/cancellations"

func TestBuyerCancellation(t *testing.T) {
	r := newRig(t)
	held := r.place("MUG-B", 1)
	_, err := r.sim.Cancel(held, "BUYER", "")
	r.must(err)
	r.is(held, cancelled) // without the seller
	late, no, yes, gone := r.ready("MUG-B", 1), r.ready("MUG-B", 1), r.ready("MUG-B", 1), r.ready("MUG-B", 1)
	request := map[string]string{}
	for _, id := range []string{late, no, yes, gone} {
		request[id], err = r.sim.Cancel(id, "BUYER", "")
		r.must(err)
		r.is(id, awaitingShipment)
	}
	if _, err := r.sim.Cancel(late, "BUYER", ""); err == nil {
		t.Error("asked twice")
	}
	var page cancelsPage
	r.ok(&page, "POST", cancellations+"/search", fmt.Sprintf(`{"order_ids":[%q]}`, late))
	if c := page.Rows[0]; c.Type != "BUYER_CANCEL" || c.Status != cancelPending || c.Next[0].Deadline != start.Add(48*time.Hour).Unix() {
		t.Errorf("%+v", page.Rows)
	}
	r.refused(codeAfterSaleOpen, "POST", path("/fulfillment/202309/orders/%s/packages", late), `{"tracking_number":"TRACK100","shipping_provider_id":"1"}`)
	r.refused(codeReasonUnknown, "POST", path(cancellations+"/%s/reject", request[no]), `{"reject_reason":"no"}`)
	r.ok(nil, "POST", path(cancellations+"/%s/reject", request[no]), `{"reject_reason":"seller_reject_apply_product_has_been_packed"}`)
	r.refused(codeNoReject, "POST", path(cancellations+"/%s/reject", request[no]), `{"reject_reason":"seller_reject_apply_product_has_been_packed"}`)
	r.ok(nil, "POST", path(cancellations+"/%s/approve", request[yes]), "", "idempotency_key", "k1")
	r.ok(nil, "POST", path(cancellations+"/%s/approve", request[yes]), "", "idempotency_key", "k1")
	r.refused(codeAlreadyCancelled, "POST", path(cancellations+"/%s/approve", request[yes]), "")
	r.must(r.sim.WithdrawCancel(gone))
	r.clock.Advance(48*time.Hour - time.Second)
	r.is(late, awaitingShipment)
	r.clock.Advance(time.Second)
	r.is(late, cancelled)
	r.is(no, awaitingShipment)
	r.is(yes, cancelled)
	r.is(gone, awaitingShipment)
	r.ok(&page, "POST", cancellations+"/search", `{"cancel_status":["CANCELLATION_REQUEST_CANCEL"]}`)
	if len(page.Rows) != 2 || page.Rows[0].Status != "CANCELLATION_REQUEST_CANCELLED" {
		t.Errorf("%+v", page.Rows)
	}
}

func TestSellerCancellation(t *testing.T) {
	r := newRig(t)
	cancel := func(code int, order, reason, more string) {
		t.Helper()
		r.refused(code, "POST", cancellations, fmt.Sprintf(`{"order_id":%q,"cancel_reason":%q%s}`, order, reason, more))
	}
	held, some := r.place("MUG-B", 1), r.ready("MUG-B", 3)
	const stock, price = "seller_cancel_reason_out_of_stock", "seller_cancel_reason_wrong_price"
	cancel(codeReasonStatus, held, price, "")
	cancel(codeReasonUnknown, some, "because", "")
	cancel(codeReasonNotSeller, some, "ecom_order_to_ship_canceled_reason_no_longer_needed", "")
	cancel(codeReasonStatus, some, "seller_cancel_unpaid_reason_out_of_stock", "")
	cancel(codeAfterForeign, "17", stock, "")
	lineID := r.sim.orders[some].lines[0].id
	cancel(codeLinesAlone, some, price, fmt.Sprintf(`,"order_line_item_ids":[%q]`, lineID))
	cancel(codeAfterInput, some, stock, `,"order_line_item_ids":["17"]`)
	cancel(codeAfterInput, some, stock, fmt.Sprintf(`,"skus":[{"sku_id":%q,"quantity":4}]`, r.sku("MUG-B").ID))
	cancel(0, some, stock, fmt.Sprintf(`,"skus":[{"sku_id":%q,"quantity":2}]`, r.sku("MUG-B").ID))
	r.is(some, awaitingShipment)
	if k := r.sku("MUG-B"); k.Available != 48 || k.Active != 2 || k.Committed != 2 {
		t.Errorf("%+v", k)
	}
	r.must(r.sim.Ship(some, "", ""))
	r.must(r.sim.Scan(some))
	cancel(codeAfterStatus, some, stock, "")
	cancel(0, held, stock, "")
	cancel(codeAfterOver, held, stock, "")
}

func TestCancelledStockCanStayOffSale(t *testing.T) {
	r := newRig(t, func(o *Options) { o.KeepStockOnCancel = true })
	_, err := r.sim.Cancel(r.place("MUG-B", 2), "SYSTEM", "")
	r.must(err)
	if k := r.sku("MUG-B"); k.Available != 48 || k.Active != 0 || k.Committed != 0 {
		t.Errorf("%+v", k)
	}
}

const returns = "/return_refund/202309/returns"

func (r *rig) delivered() string {
	r.Helper()
	id := r.ready("MUG-B", 1)
	r.must(r.sim.Ship(id, "", ""))
	r.must(r.sim.Scan(id))
	r.must(r.sim.Deliver(id))
	return id
}

func (r *rig) returnIs(id, want string) {
	r.Helper()
	r.sim.mu.Lock()
	got := r.sim.shops[r.shop.ID].after[id].status
	r.sim.mu.Unlock()
	if got != want {
		r.Errorf("return is %s, want %s", got, want)
	}
}

func TestReturns(t *testing.T) {
	r := newRig(t)
	back, err := r.sim.RequestReturn(r.delivered(), "RETURN_AND_REFUND", "")
	r.must(err)
	r.refused(codeDecisionType, "POST", path(returns+"/%s/approve", back), `{"decision":"APPROVE_REFUND"}`)
	r.ok(nil, "POST", path(returns+"/%s/approve", back), `{"decision":"APPROVE_RETURN"}`)
	r.returnIs(back, awaitingBuyerShip)
	r.must(r.sim.BuyerShipsReturn(back))
	r.refused(codeNoReject, "POST", path(returns+"/%s/reject", back), `{"decision":"REJECT_RECEIVED_PACKAGE","reject_reason":"reverse_reject_return_parcel_reason_1"}`)
	r.must(r.sim.ReturnArrives(back))
	r.clock.Advance(48 * time.Hour)
	r.returnIs(back, returnSuccess) // nobody answered
	r.clock.Advance(refundDelay)
	r.returnIs(back, returnDone)

	kept, err := r.sim.RequestReturn(r.delivered(), "RETURN_AND_REFUND", "")
	r.must(err)
	r.ok(nil, "POST", path(returns+"/%s/approve", kept), `{"decision":"APPROVE_RETURN","buyer_keep_item":true}`)
	r.returnIs(kept, returnSuccess)

}

func TestReturnsRejectedForgottenAndWithdrawn(t *testing.T) {
	r := newRig(t)
	fought, err := r.sim.RequestReturn(r.delivered(), "REFUND", "")
	r.must(err)
	r.refused(codeReasonUnknown, "POST", path(returns+"/%s/reject", fought), `{"decision":"REJECT_REFUND","reject_reason":"no"}`)
	r.ok(nil, "POST", path(returns+"/%s/reject", fought), `{"decision":"REJECT_REFUND","reject_reason":"reverse_reject_request_reason_2"}`)
	r.returnIs(fought, returnRejected)
	r.must(r.sim.Arbitrate(fought))
	r.returnIs(fought, returnSuccess)

	forgotten, err := r.sim.RequestReturn(r.delivered(), "REFUND", "")
	r.must(err)
	r.clock.Advance(48 * time.Hour)
	r.returnIs(forgotten, returnSuccess)

}

func TestPartialRefundOffer(t *testing.T) {
	r := newRig(t)
	offered, err := r.sim.RequestReturn(r.delivered(), "REFUND", "")
	r.must(err)
	offer := func(code int, amount string) {
		r.refused(code, "POST", path(returns+"/%s/approve", offered), `{"decision":"OFFER_PARTIAL_REFUND","partial_refund":{"currency":"USD","amount":"`+amount+`"}}`,
			"idempotency_key", "o"+amount)
	}
	offer(codeTooMuch, "500.00")
	offer(codeTooMuch, "500.00") // a refused call is not remembered as done
	offer(0, "5.00")
	offer(0, "5.00")
	r.returnIs(offered, awaitingBuyerResponse)
	r.must(r.sim.AnswerOffer(offered, false))
	r.returnIs(offered, returnPending)
	offer(0, "6.00")
	r.must(r.sim.AnswerOffer(offered, true))
	r.returnIs(offered, returnSuccess)
}

func TestReturnOnceAndRefundBeforeDelivery(t *testing.T) {
	r := newRig(t)
	taken := r.delivered()
	id, err := r.sim.RequestReturn(taken, "REFUND", "")
	r.must(err)
	if _, err := r.sim.RequestReturn(taken, "REFUND", ""); err == nil {
		t.Error("returned twice")
	}
	r.must(r.sim.WithdrawReturn(id))
	r.returnIs(id, returnCancelled)

	lost := r.ready("MUG-B", 1)
	r.must(r.sim.Ship(lost, "", ""))
	r.refused(codeTooMuch, "POST", returns, fmt.Sprintf(`{"order_id":%q,"return_type":"REFUND","return_reason":"x","refund_total":"99.99"}`, lost))
	r.ok(nil, "POST", returns, fmt.Sprintf(`{"order_id":%q,"return_type":"REFUND","return_reason":"seller_shipped_refund_package_lost"}`, lost), "idempotency_key", "a")
	r.is(lost, completed) // refunded in full before delivery
	r.ok(nil, "POST", returns, fmt.Sprintf(`{"order_id":%q,"return_type":"REFUND","return_reason":"seller_shipped_refund_package_lost"}`, lost), "idempotency_key", "a")
}
