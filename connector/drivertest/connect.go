package drivertest

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
)

func testDescribe(t *testing.T, h *Harness) {
	d := h.Vendor.Describe()
	if d.Vendor == "" || d.Vendor != strings.ToLower(d.Vendor) || strings.ContainsAny(d.Vendor, " /") {
		t.Errorf("Vendor %q must be a short lower-case word", d.Vendor)
	}
	if d.Title == "" || d.Docs == "" || d.Owner == "" {
		t.Error("Title, Docs and Owner must be set")
	}
	if !slices.Contains([]driver.WriteKind{driver.Absolute, driver.CompareAndSet, driver.DeltaWrite}, d.Write) {
		t.Errorf("Write is %q", d.Write)
	}
	if d.RequestLifetime <= 0 || d.Timestamps <= 0 {
		t.Error("RequestLifetime and Timestamps must be set")
	}
	seen := map[string]bool{}
	for _, c := range d.Capabilities {
		if seen[c.Name] {
			t.Errorf("capability %q is declared twice", c.Name)
		}
		seen[c.Name] = true
		if !slices.Contains(driver.CapabilityNames, c.Name) {
			t.Errorf("capability %q is not a known name", c.Name)
		}
		if !slices.Contains([]driver.Support{driver.Yes, driver.No, driver.NotYet}, c.Support) || c.Why == "" {
			t.Errorf("capability %q must say %q, %q or %q, and why", c.Name, driver.Yes, driver.No, driver.NotYet)
		}
	}
	for _, name := range driver.CapabilityNames {
		if !seen[name] {
			t.Errorf("capability %q is not declared", name)
		}
	}
	l := d.Limits
	if l.Default <= 0 || l.Burst <= 0 || l.OrderIDs <= 0 || l.OrderPage <= 0 || l.ReadQuantities <= 0 || l.SetQuantities <= 0 || l.MaxQuantity <= 0 {
		t.Errorf("every limit must be declared: %+v", l)
	}
	names := map[string]bool{}
	for _, set := range slices.Concat(d.AppSettings, d.ShopSettings) {
		if set.Name == "" || set.Help == "" || names[set.Name] {
			t.Errorf("setting %q must have a name of its own and a help text", set.Name)
		}
		names[set.Name] = true
	}
}

func testConnect(t *testing.T, h *Harness) {
	const redirect, state = "https://shop.example/connect/done", "state+with/odd=signs"
	address, err := h.Vendor.ConsentURL(h.App, redirect, state)
	if err != nil {
		t.Fatalf("ConsentURL: %v", err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("state") != state {
		t.Fatalf("consent address %q does not carry the state: %v", address, err)
	}
	if h.App.Secret != "" && strings.Contains(address, h.App.Secret) {
		t.Fatal("the consent address contains the app's secret")
	}
	answer := h.Consent(t, address, true)
	if answer.Get("state") != state {
		t.Errorf("state came back as %q", answer.Get("state"))
	}
	grant, err := h.Vendor.Exchange(t.Context(), h.App, h.client(), answer)
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	if grant.AccessToken == "" || len(grant.Shops) == 0 {
		t.Fatalf("the grant has no token or no shops: %d shops", len(grant.Shops))
	}
	now := h.now()
	if !grant.AccessExpiresAt.IsZero() && !grant.AccessExpiresAt.After(now) {
		t.Errorf("the access token ends at %v, before now (%v)", grant.AccessExpiresAt, now)
	}
	for _, shop := range grant.Shops {
		if shop.ExternalID == "" || shop.Name == "" {
			t.Errorf("shop %+v has no id or name", shop)
		}
	}
	// The new grant works.
	h.Grant = grant
	c := h.Connection
	c.Shop = grant.Shops[slices.IndexFunc(grant.Shops, func(s driver.Shop) bool { return s.ExternalID == c.Shop.ExternalID })]
	if _, err := h.openWith(t, c).Locations(t.Context()); err != nil {
		t.Errorf("a call with the new grant: %v", err)
	}
}

func testConsentRefused(t *testing.T, h *Harness) {
	address, err := h.Vendor.ConsentURL(h.App, "https://shop.example/connect/done", "s")
	if err != nil {
		t.Fatalf("ConsentURL: %v", err)
	}
	_, err = h.Vendor.Exchange(t.Context(), h.App, h.client(), h.Consent(t, address, false))
	class(t, err, driver.AskHuman)
	_, err = h.Vendor.Exchange(t.Context(), h.App, h.client(), url.Values{"code": {"made-up"}, "state": {"s"}, "shop": {h.Connection.Shop.ExternalID}})
	if err == nil {
		t.Fatal("a code that was made up was exchanged")
	}
	if c := driver.ClassOf(err); c != driver.AskHuman && c != driver.GiveUp && c != driver.Forged {
		t.Errorf("a made-up code failed with class %q: %v", c, err)
	}
}

func testSubscribe(t *testing.T, h *Harness) {
	h.supports(t, "webhook registration")
	s := h.open(t)
	const address = "https://hooks.example/in/shop-1"
	for range 2 { // the second changes nothing
		subs, err := s.SubscribeWebhooks(t.Context(), address)
		if err != nil {
			t.Fatalf("SubscribeWebhooks: %v", err)
		}
		topics := map[string]bool{}
		for _, sub := range subs {
			if sub.Address == address {
				if topics[sub.Topic] {
					t.Errorf("topic %s is subscribed twice", sub.Topic)
				}
				topics[sub.Topic] = true
			}
		}
		if len(topics) == 0 {
			t.Fatalf("nothing is subscribed at the address: %v", subs)
		}
	}
}
