package drivertest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

func (h *Harness) bareToken(context.Context) (string, error) { return h.Grant.AccessToken, nil }

// raw opens the driver's channel without the portable side, to see its own errors.
func (h *Harness) raw(t *testing.T) driver.Channel {
	t.Helper()
	c, err := h.Vendor.Open(h.Connection, driver.Env{
		Client: h.client(), Files: h.client(), Token: h.bareToken, Now: h.now,
		Pace: func(context.Context, driver.Operation) error { return nil },
		Log:  slog.New(slog.DiscardHandler), Seen: func(driver.Exchange) {},
		Pseudonym: func(string) string { return "" },
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return c
}
