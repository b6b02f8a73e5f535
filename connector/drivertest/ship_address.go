package drivertest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
)

// LogBook keeps what is logged.
type LogBook struct {
	mu   sync.Mutex
	text strings.Builder
}

// Enabled implements slog.Handler.
func (*LogBook) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (b *LogBook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b.text, " %s", a); return true })
	b.text.WriteByte('\n')
	return nil
}

// WithAttrs implements slog.Handler; what stands in every line is not looked at.
func (b *LogBook) WithAttrs([]slog.Attr) slog.Handler { return b }

// WithGroup implements slog.Handler.
func (b *LogBook) WithGroup(string) slog.Handler { return b }

func (b *LogBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// recipients skips the test unless the channel tells where orders go.
func (h *Shipping) recipients(t *testing.T) {
	t.Helper()
	if h.Session == nil || h.Recipient == nil {
		t.Skip("it does not tell where orders go")
	}
}

func testRecipient(t *testing.T, h *Shipping) {
	h.recipients(t)
	id, want := h.Recipient(t)
	ask := func() driver.Address {
		t.Helper()
		got, ok, err := h.Session.Recipient(t.Context(), id)
		if err != nil || !ok {
			t.Fatalf("Recipient: %v, %v", ok, err)
		}
		return got
	}
	got := ask()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("where it goes (-simulator +read):\n%s", diff)
	}
	if got.Name == "" || got.Line1 == "" || got.City == "" || len(got.Country) != 2 {
		t.Error("an address without a name, a street, a city or a country")
	}
	if h.Arrange(t, LostReply, driver.OpOrder, 1) {
		ask()
	}
	h.Arrange(t, TokenExpired, driver.OpOrder, 10)
	_, _, err := h.Session.Recipient(t.Context(), id)
	said := fmt.Sprintf("%s %v %v", h.Log, err, h.Session.Recent().Errors()) + fmt.Sprint(got)
	for _, secret := range []string{got.Name, got.Line1, got.Phone, got.Email} {
		if secret != "" && strings.Contains(said, secret) {
			t.Errorf("the buyer's %q stands in a log or an error", secret)
		}
	}
	if _, _, err := h.Session.Recipient(t.Context(), "999999999999999999"); err == nil {
		t.Error("an order that never was goes somewhere")
	}
}

func testMasked(t *testing.T, h *Shipping) {
	h.recipients(t)
	if h.Masked == nil {
		t.Skip("no address is masked here")
	}
	_, ok, err := h.Session.Recipient(t.Context(), h.Masked(t))
	if !ok {
		t.Fatal("the channel tells of nobody")
	}
	refused(t, "a masked address", err)
}
