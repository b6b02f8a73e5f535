// Package easypost is the connector to EasyPost, a broker that sells labels of many carriers.
//
// It promises that no booking is paid twice although the vendor takes no idempotency key: a shipment bears the booking's id as its reference, it is
// read before it is bought, and a shipment is bought once. Carriers that fail to quote are messages and no failure. Money and weights are decimal
// text, never floating point numbers. What tracker events mean is a table.
//
// It must not import a simulator or another vendor's connector.
package easypost
