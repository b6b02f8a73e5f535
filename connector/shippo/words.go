package shippo

import "github.com/spillway/spillway/domain/tracking"

// statuses says what a status and its substatus mean. Most of what matters on the road is told by the substatus alone.
var statuses = tracking.Mapping{Source: "shippo", Rows: []tracking.Row{
	{Code: "UNKNOWN", Status: tracking.Unknown},
	{Code: "PRE_TRANSIT", Status: tracking.LabelCreated},
	{Code: "TRANSIT", Status: tracking.InTransit},
	{Code: "TRANSIT", Detail: "package_accepted", Status: tracking.Accepted},
	{Code: "TRANSIT", Detail: "out_for_delivery", Status: tracking.OutForDelivery},
	{Code: "TRANSIT", Detail: "delivery_attempted", Status: tracking.Attempted},
	{Code: "TRANSIT", Detail: "notice_left", Status: tracking.Attempted},
	{Code: "TRANSIT", Detail: "location_inaccessible", Status: tracking.Attempted},
	{Code: "TRANSIT", Detail: "pickup_available", Status: tracking.ReadyForPickup},
	{Code: "TRANSIT", Detail: "delayed", Status: tracking.Delayed},
	{Code: "TRANSIT", Detail: "package_held", Status: tracking.Delayed},
	{Code: "TRANSIT", Detail: "delivery_rescheduled", Status: tracking.Delayed},
	{Code: "TRANSIT", Detail: "address_issue", Status: tracking.Exception},
	{Code: "TRANSIT", Detail: "contact_carrier", Status: tracking.Exception},
	{Code: "TRANSIT", Detail: "package_damaged", Status: tracking.Exception},
	{Code: "DELIVERED", Status: tracking.Delivered},
	{Code: "RETURNED", Status: tracking.Returning},
	{Code: "FAILURE", Status: tracking.Exception},
}}
