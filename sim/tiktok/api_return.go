package tiktok

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

func (s *Sim) searchReturns(c *call) (any, *failure) {
	var in afterFilter
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	p, f := c.page("returns", 10, 50, "ASC")
	if f != nil {
		return nil, f
	}
	out := rows[fields]{paging: p, list: []fields{}}
	c.shop.walkAfter(p.desc, func(a *aftersale) {
		if !a.ret || !in.match(a) || len(in.ReturnIDs) > 0 && !slices.Contains(in.ReturnIDs, a.id) ||
			len(in.ReturnTypes) > 0 && !slices.Contains(in.ReturnTypes, a.kind) ||
			len(in.ReturnStatus) > 0 && !slices.Contains(in.ReturnStatus, a.status) {
			return
		}
		out.add(a.place, func() fields { return wireReturn(a) })
	})
	return fields{"next_page_token": out.next(), "total_count": out.total, "return_orders": out.list}, nil
}

func wireReturn(a *aftersale) fields {
	lines := []fields{}
	for _, l := range a.lines {
		lines = append(lines, fields{"return_line_item_id": a.id + l.id[len(l.id)-4:], "order_line_item_id": l.id, "sku_id": l.sku.id,
			"sku_name": l.sku.name, "product_name": l.sku.product.title, "seller_sku": l.sku.sellerSKU,
			"refund_amount": a.order.refundOf([]*line{l})})
	}
	out := fields{"return_id": a.id, "order_id": a.order.id, "return_type": a.kind, "return_status": a.status, "role": a.role,
		"return_reason": a.reason, "return_reason_text": reasonText(a.reason), "create_time": a.created, "update_time": a.updated,
		"seller_next_action_response": a.nextAction(), "return_line_items": lines, "refund_amount": a.order.refundOf(a.lines),
		"can_buyer_keep_item": a.keepItem, "is_combined_return": false}
	if a.kind == "RETURN_AND_REFUND" {
		out["shipment_type"], out["handover_method"], out["return_method"] = "PLATFORM", "DROP_OFF", "BUYER_SHIPPED"
	}
	if a.tracking != "" {
		v := provider(a.order.shop.region, "")
		out["return_tracking_number"], out["return_provider_name"], out["return_provider_id"] = a.tracking, v.name, v.id
	}
	if a.arbitration != "" {
		out["arbitration_status"] = a.arbitration
	}
	if a.partial > 0 {
		out["seller_proposed_return_type"] = "PARTIAL_REFUND"
		out["partial_refund"] = fields{"currency": a.order.shop.currency, "amount": amount(a.partial)}
	}
	return out
}

func (s *Sim) returnRecords(c *call) (any, *failure) {
	a, f := c.afterOf(c.vars["return_id"], true)
	if f != nil {
		return nil, f
	}
	out := []fields{}
	for _, r := range a.records {
		out = append(out, fields{"event": r.event, "role": r.role, "description": reasonText(r.event), "reason_text": reasonText(a.reason),
			"note": r.note, "create_time": r.at, "images": []fields{}, "videos": []fields{}})
	}
	return fields{"records": out}, nil
}

// createReturn is the seller starting a refund or return; it needs nobody's approval.
func (s *Sim) createReturn(c *call) (any, *failure) {
	var in struct {
		Order  string      `json:"order_id"`
		SKUs   []wantedSKU `json:"skus"`
		Lines  []string    `json:"order_line_item_ids"`
		Reason string      `json:"return_reason"`
		Type   string      `json:"return_type"`
		Total  string      `json:"refund_total"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o := s.orders[in.Order]
	if o == nil || o.shop != c.shop {
		return nil, fail(codeAfterForeign, "There is no such order, or no permission for it.")
	}
	if in.Reason == "" {
		return nil, fail(codeReasonUnknown, "A reason is required.")
	}
	if id, done := c.repeated(o.id); done {
		return fields{"return_id": id, "return_status": c.shop.after[id].status}, nil
	}
	lines, f := o.requestedLines(in.Lines, in.SKUs)
	if f != nil {
		return nil, f
	}
	most, _ := cents(o.refundOf(lines)["refund_total"].(string))
	if n, ok := cents(in.Total); in.Total != "" && (!ok || n > most) {
		return nil, fail(codeTooMuch, "The amount is more than can be refunded.")
	}
	a, err := s.openReturn(o, in.Type, "SELLER", in.Reason, lineIDs(lines))
	switch {
	case errs.Is(err, errs.Invalid):
		return nil, fail(codeAfterInput, "%s", errs.Safe(err))
	case err != nil:
		return nil, fail(codeAfterInProcess, "%s", errs.Safe(err))
	}
	if err := s.approveReturn(a); err != nil {
		return nil, fail(codeAfterStatus, "%s", errs.Safe(err))
	}
	c.remember(o.id, a.id)
	return fields{"return_id": a.id, "return_status": a.status}, nil
}

func (s *Sim) approveReturnCall(c *call) (any, *failure) {
	a, done, f := c.afterOnce(c.vars["return_id"], true)
	if f != nil || done {
		return nil, f
	}
	var in struct {
		Decision string `json:"decision"`
		Keep     bool   `json:"buyer_keep_item"`
		Partial  opt[struct {
			Currency string `json:"currency"`
			Amount   string `json:"amount"`
		}] `json:"partial_refund"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	var err error
	switch {
	case a.status == buyerShipped && in.Decision == "APPROVE_RECEIVED_PACKAGE":
		err = s.refund(a)
	case a.status != returnPending:
		return nil, fail(codeNoApprove, "The return's status does not allow an approval.")
	case in.Decision == "APPROVE_REFUND" && a.kind == "REFUND", in.Decision == "APPROVE_RETURN" && a.kind == "RETURN_AND_REFUND":
		a.keepItem = in.Keep
		err = s.approveReturn(a)
	case in.Decision == "OFFER_PARTIAL_REFUND":
		n, ok := cents(in.Partial.v.Amount)
		most, _ := cents(a.order.refundOf(a.lines)["refund_total"].(string))
		if !ok || n == 0 || n > most {
			return nil, fail(codeTooMuch, "The offer is not an amount that can be refunded.")
		}
		a.partial = n
		err = s.moveReturn(a, awaitingBuyerResponse, "", nil)
	case in.Decision == "APPROVE_RECEIVED_PACKAGE":
		return nil, fail(codeNoReceipt, "No returned parcel has arrived.")
	default:
		return nil, fail(codeDecisionType, "The decision does not fit the return's type.")
	}
	if err != nil {
		return nil, fail(codeAfterStatus, "%s", errs.Safe(err))
	}
	c.remember(a.id, "")
	return nil, nil
}

func (s *Sim) rejectReturn(c *call) (any, *failure) {
	a, done, f := c.afterOnce(c.vars["return_id"], true)
	if f != nil || done {
		return nil, f
	}
	var in struct {
		Decision string `json:"decision"`
		Reason   string `json:"reject_reason"`
		Comment  string `json:"comment"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	if !slices.ContainsFunc(a.rejects(), func(r fields) bool { return r["name"] == in.Reason }) {
		return nil, fail(codeReasonUnknown, "The reason is unknown.")
	}
	var err error
	switch {
	case a.status == buyerShipped && a.arrived && in.Decision == "REJECT_RECEIVED_PACKAGE":
		err = s.moveReturn(a, receiptRejected, "", nil)
	case a.status != returnPending:
		return nil, fail(codeNoReject, "The return's status does not allow a rejection.")
	case in.Decision == "REJECT_REFUND" && a.kind == "REFUND", in.Decision == "REJECT_RETURN" && a.kind == "RETURN_AND_REFUND":
		err = s.moveReturn(a, returnRejected, "", nil)
	default:
		return nil, fail(codeDecisionType, "The decision does not fit the return's type.")
	}
	if err != nil {
		return nil, fail(codeAfterStatus, "%s", errs.Safe(err))
	}
	a.records[len(a.records)-1].note = in.Comment
	c.remember(a.id, "")
	return nil, nil
}

func (s *Sim) eligibility(c *call) (any, *failure) {
	o := s.orders[c.vars["order_id"]]
	if o == nil || o.shop != c.shop {
		return nil, fail(codeAfterUnknown, "The order does not exist.")
	}
	out := []fields{}
	seen := map[*sku]bool{}
	for _, first := range o.lines {
		if seen[first.sku] {
			continue
		}
		seen[first.sku] = true
		ids := []string{}
		for _, l := range o.lines {
			if l.sku == first.sku && l.open() {
				ids = append(ids, l.id)
			}
		}
		shipped := slices.Contains([]string{awaitingCollection, inTransit, delivered, completed}, o.status)
		row := func(kind string, yes bool) fields {
			r := fields{"request_type": kind, "order_line_items_ids": ids, "eligible": yes && len(ids) > 0}
			if !yes || len(ids) == 0 {
				r["ineligible_code"], r["ineligible_reason"] = codeAfterStatus, "The order's status does not allow it."
			}
			return r
		}
		out = append(out, fields{"sku_id": first.sku.id, "line_item_eligibility": []fields{
			row("CANCEL", slices.Contains(moves[o.status], cancelled) && o.status != inTransit),
			row("RETURN", shipped), row("RETURN_AND_REFUND", shipped)}})
	}
	return fields{"sku_eligibility": out}, nil
}

func (s *Sim) calculateRefund(c *call) (any, *failure) {
	var in struct {
		Order string      `json:"order_id"`
		Lines []string    `json:"order_line_item_ids"`
		SKUs  []wantedSKU `json:"skus"`
	}
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	o := s.orders[in.Order]
	if o == nil || o.shop != c.shop {
		return nil, fail(codeAfterUnknown, "The order does not exist.")
	}
	lines, f := o.requestedLines(in.Lines, in.SKUs)
	if f != nil {
		return nil, f
	}
	return fields{"order_refund_amount": o.refundOf(lines)}, nil
}
