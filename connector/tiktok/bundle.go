package tiktok

import (
	"context"

	"github.com/spillway/spillway/connector/driver"
)

// maxBundle orders go in one bag: the platform names no bound, and a person carries it.
const maxBundle = 200

// Bundles implements driver.Bundler. In the US the platform fetches parcels themselves, or the carrier does.
func (c *channel) Bundles() bool { return c.conn.Shop.Region != "US" }

// Bundle implements driver.Bundler. No call reads a bag back, so an answer that was lost is not asked for again.
func (c *channel) Bundle(ctx context.Context, b driver.Bundling) (driver.Bundle, error) {
	if n := len(b.Orders); n == 0 || n > maxBundle {
		return driver.Bundle{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBundle, Message: "a bag holds 1 to 200 orders"}
	}
	body := wireBundling{Orders: b.Orders, Handover: "PICKUP"}
	if b.DropOff {
		body.Handover = "DROP_OFF"
	}
	data, _, err := call[wireBundle](ctx, c, driver.OpBundle, firstMile, firstMile.path, nil, body)
	if err != nil {
		return driver.Bundle{}, err
	}
	out := driver.Bundle{ID: data.ID, URL: data.URL, Refused: map[string]string{}}
	for _, e := range data.Errors {
		out.Refused[e.Detail.OrderID] = e.Message
	}
	return out, nil
}

// BundleDocument implements driver.Bundler.
func (c *channel) BundleDocument(ctx context.Context, b driver.Bundle) (driver.Document, error) {
	return c.download(ctx, driver.ManifestDocument, b.URL)
}
