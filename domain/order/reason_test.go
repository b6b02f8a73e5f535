package order

import "testing"

func TestFaultOf(t *testing.T) {
	for _, c := range []struct {
		role   Role
		reason string
		want   Fault
	}{
		{RoleSeller, "seller_cancel_reason_out_of_stock", FaultSeller},
		{RoleSeller, "seller_cancel_reason_out_of_stock_uk", FaultSeller},
		{"", "seller_cancel_reason_wrong_price", FaultSeller},
		{RoleSeller, "seller_cancel_paid_reason_buyer_requested_cancellation", FaultBuyer},
		{RoleSystem, "system_cancel_order_untracked", FaultSeller},
		{RoleOperator, "package_lost", FaultCarrier},
		{RoleSystem, "system_cancel_order_reason_potential_fraud", FaultPlatform},
		{RoleBuyer, "ecom_order_to_ship_canceled_reason_better_price", FaultBuyer},
		{RoleBuyer, "ecom_order_to_ship_canceled_reason_not_shipped_on_time", FaultUnknown},
		{RoleBuyer, "buyer_return_and_refund_item_doesn't_fit", FaultBuyer},
		{RoleBuyer, "seller_cancel_reason_out_of_stock", FaultUnknown}, // a buyer cannot give it
		{RoleSeller, "something new", FaultUnknown},
		{RoleSeller, "", FaultUnknown},
	} {
		if got := FaultOf(c.role, c.reason); got != c.want {
			t.Errorf("FaultOf(%s, %s) = %s, want %s", c.role, c.reason, got, c.want)
		}
	}
}

func TestReasonsAreDistinctAndComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons {
		if seen[r.Name] || r.Name == "" || r.Role == "" || r.Fault == "" || FaultOf(r.Role, r.Name) != r.Fault {
			t.Errorf("%+v: doubled, incomplete, or not found as itself", r)
		}
		seen[r.Name] = true
	}
}

func TestCancelTakesReasonFromWhoeverKnows(t *testing.T) {
	stated := shot(Cancelled, 5, func(d *Detail) {
		d.CancelReport = Cancel{Role: RoleSystem, Reason: "system_cancel_order_reason_shipping_timeout"}
	})
	if o := mergeAll(t, stated); o.Cancel.Fault != FaultSeller || o.Cancel.Role != RoleSystem {
		t.Errorf("from the snapshot: %+v", o.Cancel)
	}
	searched := cancelNotice("c", CancelDone, 4)
	searched.Cancellation.Reason = "ecom_order_to_ship_canceled_reason_no_longer_needed"
	if o := mergeAll(t, shot(Cancelled, 5), cancelNotice("c", CancelAccepted, 4), searched); o.Cancel.Fault != FaultBuyer || o.Cancel.Role != RoleBuyer {
		t.Errorf("from the cancellation: %+v", o.Cancel)
	}
	part := cancelNotice("z", CancelDone, 3)
	part.Cancellation.Role, part.Cancellation.Reason = RoleSeller, "seller_cancel_reason_out_of_stock"
	if o := mergeAll(t, shot(Cancelled, 5), searched, part); o.Cancel.Fault != FaultBuyer || o.Cancel.Role != RoleBuyer {
		t.Errorf("the last cancellation is the one that ended the order: %+v", o.Cancel)
	}
	known := shot(Cancelled, 5, func(d *Detail) { d.CancelReport = Cancel{Reason: "INVENTORY", Fault: FaultSeller} })
	if o := mergeAll(t, known); o.Cancel.Fault != FaultSeller {
		t.Errorf("from the connector: %+v", o.Cancel)
	}
	if o := mergeAll(t, shot(AwaitingShipment, 3), cancelNotice("c", CancelPending, 4), notice(Cancelled, 5)); o.Cancel.RequestOpen {
		t.Errorf("nobody waits for an answer about a cancelled order: %+v", o.Cancel)
	}
	if o := mergeAll(t, shot(AwaitingShipment, 5), searched); o.Cancel.Reason != "" {
		t.Errorf("a part cancelled is not the order's reason: %+v", o.Cancel)
	}
}
