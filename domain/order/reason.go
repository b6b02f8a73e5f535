package order

import (
	"slices"
	"strings"
)

// Role is who did something. The empty Role means it was not told.
type Role string

const (
	RoleBuyer    Role = "buyer"
	RoleSeller   Role = "seller"
	RoleOperator Role = "operator" // a person at the platform
	RoleSystem   Role = "system"   // the platform's machinery
)

// Fault is whose doing a cancellation or a return was. It is our reading of the platforms' policies, not a field of theirs.
type Fault string

const (
	FaultUnknown  Fault = "unknown"
	FaultSeller   Fault = "seller"
	FaultBuyer    Fault = "buyer"
	FaultPlatform Fault = "platform"
	FaultCarrier  Fault = "carrier"
)

// Reason is what one of the platforms' reason names means.
type Reason struct {
	Name       string
	Role       Role // who may give it
	Fault      Fault
	Unpaid     bool // for orders not paid for: outside the seller's cancellation rate
	Unverified bool // the policy leaves it open; do not build an appeal on it
}

// Reasons lists the reason names of cancellations, returns and refunds (facts of the marketplace API, section 12.3). The UK
// adds the suffix _uk to most of them. Names are opaque: they hold commas, apostrophes and ampersands.
var Reasons = slices.Concat(
	Reason{Role: RoleSeller, Fault: FaultSeller}.names("seller_cancel_reason_", "out_of_stock", "wrong_price"),
	Reason{Role: RoleSeller, Fault: FaultBuyer}.names("seller_cancel_paid_reason_", "address_not_deliver", "buyer_requested_cancellation"),
	Reason{Role: RoleSeller, Fault: FaultSeller, Unpaid: true}.names("seller_cancel_unpaid_reason_", "out_of_stock", "wrong_price"),
	Reason{Role: RoleSeller, Fault: FaultBuyer, Unpaid: true}.names("seller_cancel_unpaid_reason_",
		"buyer_hasnt_paid_within_time_allowed", "buyer_requested_cancellation"),
	Reason{Role: RoleSystem, Fault: FaultSeller}.names("system_cancel_order_", "reason_shipping_timeout", "untracked"),
	Reason{Role: RoleSystem, Fault: FaultCarrier, Unverified: true}.names("", "package_lost", "package_damaged", "package_scrap",
		"threepl_breach", "returned_to_shipper_refused", "returned_to_shipper_other", "system_cancel_order_exceed_edt_not_arrive"),
	Reason{Role: RoleSystem, Fault: FaultBuyer, Unpaid: true}.names("", "system_cancel_unpaid_time_out", "ecom_order_unpaid_canceled_reason_not_want_pay"),
	Reason{Role: RoleSystem, Fault: FaultBuyer}.names("", "system_cancel_add_address_overtime"),
	Reason{Role: RoleSystem, Fault: FaultPlatform}.names("", "system_cancel_anti_span_block", "package_cancel", "platform_cancel"),
	Reason{Role: RoleOperator, Fault: FaultPlatform}.names("", "system_cancel_order_reason_potential_fraud",
		"system_cancel_order_reason_experience_related", "operator_cancel_risk_control_block"),
	Reason{Role: RoleOperator, Fault: FaultUnknown, Unverified: true}.names("", "system_cancel_order_reason_nrr_related"),
	Reason{Role: RoleBuyer, Fault: FaultBuyer}.names("ecom_order_to_ship_canceled_reason_", "change_payment_method", "discount_not_expected",
		"created_by_mistakes", "high_delivery_costs", "better_price", "wrong_delivery_info", "no_longer_needed", "forgot_to_apply_coupons"),
	Reason{Role: RoleBuyer, Fault: FaultUnknown, Unverified: true}.names("ecom_order_to_ship_canceled_reason_", "not_shipped_on_time"),
	Reason{Role: RoleBuyer, Fault: FaultBuyer}.names("ecom_order_delivered_refund_and_return_reason_", "no_need"),
	Reason{Role: RoleBuyer, Fault: FaultSeller}.names("ecom_order_delivered_refund_and_return_reason_", "not_match_description",
		"missing_product", "defective", "wrong_product"),
	Reason{Role: RoleBuyer, Fault: FaultCarrier}.names("ecom_order_delivered_refund_and_return_reason_", "damaged"),
	Reason{Role: RoleBuyer, Fault: FaultBuyer}.names("buyer_return_and_refund_", "item_doesn't_fit",
		"fabric,_material_or_style_not_as_expected", "color_or_pattern_not_as_expected"),
	Reason{Role: RoleBuyer, Fault: FaultCarrier}.names("buyer_return_and_refund_", "shipping_box_damaged,_but_item_is_ok", "item_arrived_too_late"),
	Reason{Role: RoleBuyer, Fault: FaultCarrier}.names("ecom_order_", "shipped_refund_reason_not_arrive_on_time",
		"delivered_refund_reason_not_received", "delivered_refund_reason_damaged"),
	Reason{Role: RoleBuyer, Fault: FaultSeller}.names("ecom_order_delivered_refund_reason_", "defective"),
)

// names makes a Reason like r of each name with prefix.
func (r Reason) names(prefix string, names ...string) []Reason {
	out := make([]Reason, 0, len(names))
	for _, n := range names {
		r.Name = prefix + n
		out = append(out, r)
	}
	return out
}

var reasonByName = func() map[string]Reason {
	m := make(map[string]Reason, len(Reasons))
	for _, r := range Reasons {
		m[r.Name] = r
	}
	return m
}()

// LookUpReason finds a reason name, with or without the UK's suffix.
func LookUpReason(name string) (Reason, bool) {
	r, ok := reasonByName[name]
	if !ok {
		r, ok = reasonByName[strings.TrimSuffix(name, "_uk")]
	}
	return r, ok
}

// FaultOf says whose doing a cancellation or return with that reason was. A name not in Reasons, or one that the role cannot
// have given, is FaultUnknown. An empty role matches any; an operator and the system both speak for the platform.
func FaultOf(role Role, name string) Fault {
	r, ok := LookUpReason(name)
	if !ok || (role != "" && role.side() != r.Role.side()) {
		return FaultUnknown
	}
	return r.Fault
}

func (r Role) side() Role {
	if r == RoleOperator {
		return RoleSystem
	}
	return r
}
