package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	sim "github.com/spillway/spillway/sim/shopify"
)

// TestSubscribeMovesWhatIsThere: a new address takes over the old subscriptions instead of doubling them, every topic that
// can be subscribed is, and orders come without what is private.
func TestSubscribeMovesWhatIsThere(t *testing.T) {
	for _, v := range Versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, v)
			for _, address := range []string{"https://old.example/in", "https://new.example/in"} {
				subs, err := c.SubscribeWebhooks(t.Context(), address)
				if err != nil {
					t.Fatal(err)
				}
				var topics []string
				for _, sub := range subs {
					if sub.Address != address {
						t.Errorf("%s still leads to %s", sub.Topic, sub.Address)
					}
					topics = append(topics, sub.Topic)
				}
				want := slices.Concat(orderTopics, otherTopics)
				slices.Sort(topics)
				slices.Sort(want)
				if diff := cmp.Diff(want, topics); diff != "" {
					t.Errorf("topics (-want +got):\n%s", diff)
				}
			}
			hooks, err := c.hooks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hooks {
				if h.Topic == "ORDERS_CREATE" && !sameSet(h.Fields, orderWords) {
					t.Errorf("orders carry %v", h.Fields)
				}
			}
			before := s.Counts().Mutations
			if _, err := c.SubscribeWebhooks(t.Context(), "https://new.example/in"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, s.Counts().Mutations); diff != "" {
				t.Errorf("subscribing again changed something:\n%s", diff)
			}
		})
	}
}

func TestSubscribeAtABadAddress(t *testing.T) {
	s := newShop(t)
	_, err := s.channel(t, DefaultVersion).SubscribeWebhooks(t.Context(), "ftp://nowhere")
	if e, ok := err.(*driver.Error); !ok || e.Class != driver.AskHuman || e.Message == "" {
		t.Errorf("error %v", err)
	}
}

// TestManyLocations: listings in more locations than a page of them holds are read whole, and written whole.
func TestManyLocations(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Unthrottled = true })
	var locations []sim.LocationID
	for i := range 40 {
		l, err := s.AddLocation(fmt.Sprint("Store ", i))
		if err != nil {
			t.Fatal(err)
		}
		locations = append(locations, l)
	}
	vs, err := s.AddProduct(sim.ProductInput{Title: "Everywhere", Variants: []sim.VariantInput{{SKU: "E", Stock: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	s.variants = append(s.variants, vs...)
	for i, l := range locations {
		if err := s.SetAvailable("E", l, i); err != nil {
			t.Fatal(err)
		}
	}
	c := s.channel(t, DefaultVersion)
	var found driver.Listing
	for cursor := ""; ; {
		page, err := c.Listings(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Listings {
			if l.SellerSKU == "E" {
				found = l
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(found.Ref.Locations) != 42 || found.Quantity != 3+39*40/2 || !found.Active {
		t.Fatalf("listing %+v", found)
	}
	for _, known := range [][]string{found.Ref.Locations, found.Ref.Locations[:1], nil} {
		ref := found.Ref
		ref.Locations = known
		q, err := c.Quantities(t.Context(), []driver.ListingRef{ref})
		if err != nil || len(q) != 1 || q[0].Available != found.Quantity || len(q[0].ByLocation) != 42 || len(q[0].Ref.Locations) != 42 || q[0].At.IsZero() {
			t.Fatalf("asked with %d locations: %+v, %v", len(known), q, err)
		}
		if r := results(t, c, driver.Push{ID: "same", Ref: q[0].Ref, Kind: driver.CompareAndSet, Quantity: found.Quantity, Split: q[0].ByLocation, FromBy: q[0].ByLocation})[0]; r.Outcome != driver.Confirmed {
			t.Fatalf("push %+v", r)
		}
	}
	got, err := c.Locations(t.Context())
	if err != nil || len(got) != 42 {
		t.Fatalf("%d locations, %v", len(got), err)
	}
	defaults := 0
	for _, l := range got {
		if l.Default {
			defaults++
		}
	}
	if defaults != 1 {
		t.Errorf("%d locations are the default", defaults)
	}
}

// TestUntrackedIsNotActive: no number can be set for what Shopify does not count.
func TestUntrackedIsNotActive(t *testing.T) {
	s := newShop(t)
	vs, err := s.AddProduct(sim.ProductInput{Title: "Gift card", Variants: []sim.VariantInput{{SKU: "GIFT", Untracked: true}}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.channel(t, DefaultVersion).Listings(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page.Listings, func(l driver.Listing) bool { return l.Ref.SKUID == strconv.FormatInt(vs[0].VariantID, 10) })
	if i < 0 || page.Listings[i].Active {
		t.Errorf("listing %d of %+v", i, page.Listings)
	}
}

// TestPagesOfListings: more variants than a page holds come once each.
func TestPagesOfListings(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Unthrottled = true })
	in := sim.ProductInput{Title: "Wide"}
	for i := range 60 {
		in.Variants = append(in.Variants, sim.VariantInput{SKU: fmt.Sprint("W-", i), Stock: 1})
	}
	if _, err := s.AddProduct(in); err != nil {
		t.Fatal(err)
	}
	c := s.channel(t, DefaultVersion)
	seen := map[string]int{}
	for cursor := ""; ; {
		page, err := c.Listings(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Listings {
			seen[l.SellerSKU]++
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for sku, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", sku, n)
		}
	}
	if len(seen) != 65 {
		t.Errorf("%d listings, want 65", len(seen))
	}
}

// TestEveryQueryIsCheapEnough: by the documented formula no request can cost more than Shopify runs at all.
func TestEveryQueryIsCheapEnough(t *testing.T) {
	for doc, size := range map[*document]int{
		&docOrders: pageOrders, &docOrderHeads: pageHeads, &docOrdersByID: pageOrders, &docLines: moreLines, &docParcel: parcelLines, &docLocations: pageLocations,
		&docListings: pageListings, &docLevels: moreLevels, &docHooks: pageHooks,
	} {
		if cost := doc.base + doc.each*float64(size); cost > maxQueryCost {
			t.Errorf("%s of %d costs %v points", doc.name, size, cost)
		}
	}
}
