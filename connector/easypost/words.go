package easypost

import "github.com/spillway/spillway/domain/tracking"

// words says what a tracker's status and its detail mean. The vendor has no status for a first scan and a late parcel: the detail tells.
var words = tracking.Mapping{Source: "easypost", Rows: []tracking.Row{
	{Code: "unknown", Status: tracking.Unknown},
	{Code: "pre_transit", Status: tracking.LabelCreated},
	{Code: "in_transit", Status: tracking.InTransit},
	{Code: "in_transit", Detail: "received_at_origin_facility", Status: tracking.Accepted},
	{Code: "in_transit", Detail: "delayed", Status: tracking.Delayed},
	{Code: "in_transit", Detail: "weather_delay", Status: tracking.Delayed},
	{Code: "in_transit", Detail: "held", Status: tracking.Delayed},
	{Code: "in_transit", Detail: "missorted", Status: tracking.Delayed},
	{Code: "in_transit", Detail: "delivery_exception", Status: tracking.Attempted},
	{Code: "in_transit", Detail: "transit_exception", Status: tracking.Exception},
	{Code: "in_transit", Detail: "address_correction", Status: tracking.Exception},
	{Code: "in_transit", Detail: "awaiting_information", Status: tracking.Exception},
	{Code: "out_for_delivery", Status: tracking.OutForDelivery},
	{Code: "delivered", Status: tracking.Delivered},
	{Code: "available_for_pickup", Status: tracking.ReadyForPickup},
	{Code: "return_to_sender", Status: tracking.Returning},
	{Code: "failure", Status: tracking.Exception},
	{Code: "failure", Detail: "delivery_exception", Status: tracking.Attempted},
	{Code: "error", Status: tracking.Exception},
	{Code: "cancelled", Status: tracking.Cancelled},
}}
