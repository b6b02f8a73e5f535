// Package shippo is the connector to Shippo, a broker that sells labels of many carriers.
//
// It promises that no booking is paid twice although the vendor takes no idempotency key and sells a rate as often as it is asked: a transaction
// bears the booking's id as its metadata and is read before another is made. A label that failed is an answer (HTTP 201) and no error; one that is being
// made is pending. Sizes and weights go out in metric units as they are, and money is decimal text.
//
// It must not import a simulator or another vendor's connector.
package shippo
