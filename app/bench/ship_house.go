package bench

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/connector/all"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/shipbob"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/depot"
	simeasypost "github.com/spillway/spillway/sim/easypost"
	simshipbob "github.com/spillway/spillway/sim/shipbob"
	simshiphero "github.com/spillway/spillway/sim/shiphero"
	simshippo "github.com/spillway/spillway/sim/shippo"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// The network: two warehouses of the seller's, each with an account for labels, and two providers.
const (
	nodeEast, nodeWest = "main", "west"
	nodeHero, nodeBob  = "hero", "bob"
)

// ourNodes are those whose floor is ours.
var ourNodes = []string{nodeEast, nodeWest}

// shipItems says where each item lies. The fourth lies everywhere, cheapest with a provider.
var shipItems = [6][]string{{nodeEast}, {nodeWest}, {nodeEast, nodeWest}, {nodeEast, nodeWest, nodeHero}, {nodeHero}, {nodeBob}}

// shipUnits of each item lie in each of its places: more than all orders ask.
const shipUnits = 5_000

// shipHouse is who ships: brokers of labels and logistics providers.
type shipHouse struct {
	easypost *simeasypost.Sim
	shippo   *simshippo.Sim
	hero     *simshiphero.Sim
	bob      *simshipbob.Sim
	faults   map[string]*world.Faults
	undo     []func()
	ended    int // times that tokens were ended
}

func (h *shipHouse) stop() {
	for _, f := range slices.Backward(h.undo) {
		f()
	}
}

// carriers are all there are; those that look at a clock look at this one.
func shipCarriers(clock world.Clock) []driver.Carrier {
	out := all.Carriers()
	for i, c := range out {
		if _, ok := c.(shipbob.Carrier); ok {
			out[i] = shipbob.Carrier{Now: clock.Now}
		}
	}
	return out
}

func newShipHouse(seed uint64, clock world.Clock) *shipHouse {
	work := depot.Options{Pick: 3 * time.Minute, Pack: 2 * time.Minute, Ship: 5 * time.Minute}
	h := &shipHouse{easypost: simeasypost.New(clock, seed), shippo: simshippo.New(clock, seed+1), hero: simshiphero.New(clock, seed+2, work), bob: simshipbob.New(clock, seed+3, work)}
	h.faults = map[string]*world.Faults{"easypost": h.easypost.Faults, "shippo": h.shippo.Faults, "shiphero": h.hero.Faults, "shipbob": h.bob.Faults}
	h.undo = []func(){h.easypost.Stop, h.shippo.Stop, h.hero.Stop, h.bob.Stop}
	return h
}

// furnish connects everything as a person would, waits until the shops show what there is, and only then lets things fail.
func (s *ship) furnish(ctx context.Context) error {
	s.house = newShipHouse(s.o.Seed+10, s.clock)
	o := s.app.Ops()
	if err := s.openShops(); err != nil {
		return err
	}
	listings := 0
	for _, c := range s.shops {
		ids, err := stage.Connect(ctx, s.app, c.app, actor)
		if err != nil {
			return err
		}
		c.conn = ids[0]
		listings += len(c.skus)
	}
	if err := s.openNodes(ctx); err != nil {
		return err
	}
	var items []catalog.Item
	var moves []stock.Movement
	for i, places := range shipItems {
		items = append(items, catalog.Item{ID: sku(i + 1), SKU: sku(i + 1), Title: "Article " + sku(i+1)})
		for _, p := range places {
			moves = append(moves, stock.Movement{ID: id.New(), At: s.clock.Now(), Kind: stock.Receive, ItemID: sku(i + 1), LocationID: p, OnHand: shipUnits, Ref: "delivery"})
			switch p {
			case nodeHero:
				s.house.hero.Floor.Stow("w1", sku(i+1), shipUnits, 0)
			case nodeBob:
				s.house.bob.Floor.Stow("w1", sku(i+1), shipUnits, 0)
			}
		}
	}
	if err := o.PutItems(ctx, items); err != nil {
		return err
	}
	inner, outer := catalog.Sides{LengthMM: 300, WidthMM: 200, HeightMM: 150}, catalog.Sides{LengthMM: 306, WidthMM: 206, HeightMM: 160}
	said := ops.Said{Cartons: []store.Carton{{Carton: catalog.Carton{ID: "B1", Name: "B1", Inner: inner, Outer: outer, Grams: 120, Active: true}}}}
	for _, it := range items {
		said.Physicals = append(said.Physicals, store.Physical{ItemID: it.ID, Physical: catalog.Physical{Grams: 140, LengthMM: 90, WidthMM: 80, HeightMM: 60}})
	}
	if err := o.SayHandling(ctx, said, actor); err != nil {
		return err
	}
	if err := o.Move(ctx, actor, moves, nil); err != nil {
		return err
	}
	if err := stage.WaitTold(ctx, s.app, listings); err != nil {
		return err
	}
	return s.breaks()
}

// openShops starts the shops: one on labels of its platform, one of the same platform that ships itself, a store, and one with close deadlines.
func (s *ship) openShops() error {
	seed := s.o.Seed
	for _, open := range []func() (*shipShop, error){
		func() (*shipShop, error) { return tiktokShip("labels", seed+1, s.clock, "TIKTOK", []int{1, 2, 3, 4}) },
		func() (*shipShop, error) {
			return tiktokShip("seller", seed+2, s.clock, "SELLER", []int{1, 2, 3, 4, 5, 6})
		},
		func() (*shipShop, error) { return shopifyShip("store", seed+3, s.clock, []int{1, 2, 3, 4, 5, 6}) },
		func() (*shipShop, error) { return dummyShip("close", seed+4, s.clock) },
	} {
		c, err := open()
		if err != nil {
			return err
		}
		s.shops = append(s.shops, c)
	}
	return nil
}

// openNodes adds the accounts and says what the nodes are.
func (s *ship) openNodes(ctx context.Context) error {
	h := s.house
	secret := map[string]string{"webhook_secret": "whsec_bench"}
	for _, n := range []struct {
		id, carrier, path string
		kind              network.Kind
		cents             int64 // of an order
		settings          map[string]string
		serves            http.Handler
		tells             func(address string) // where news goes
	}{
		{nodeEast, "easypost", "/v2", network.Own, 200, map[string]string{"api_key": simeasypost.APIKey, "webhook_secret": secret["webhook_secret"]}, h.easypost.Handler(),
			func(at string) { h.easypost.Webhook(at, secret["webhook_secret"]) }},
		{nodeWest, "shippo", "", network.Own, 210, map[string]string{"api_key": simshippo.APIKey}, h.shippo.Handler(), h.shippo.Webhook},
		{nodeHero, "shiphero", "", network.ThreePL, 100, map[string]string{"refresh_token": simshiphero.RefreshToken, "webhook_secret": simshiphero.Secret}, h.hero.Handler(), h.hero.Subscribe},
		{nodeBob, "shipbob", "", network.ThreePL, 150, map[string]string{"token": simshipbob.Token, "channel_id": simshipbob.ChannelID, "webhook_secret": simshipbob.Secret}, h.bob.Handler(),
			h.bob.Subscribe},
	} {
		url, stop, err := serveSim(n.serves)
		if err != nil {
			return err
		}
		h.undo = append(h.undo, stop)
		n.settings["base_url"] = url + n.path
		account, err := s.app.Ops().AddCarrier(ctx, ops.NewCarrierAccount{Carrier: n.carrier, Name: n.carrier, Settings: n.settings, Actor: actor})
		if err != nil {
			return err
		}
		n.tells(s.app.Ops().WebhookOf(account))
		if err := s.sayNode(ctx, n.id, n.kind, n.cents, account.ID); err != nil {
			return err
		}
	}
	return nil
}

// sayNode says that a node works around the clock, so that what is late is late by our doing.
func (s *ship) sayNode(ctx context.Context, id string, kind network.Kind, cents int64, account string) error {
	n := network.Node{ID: id, Name: id, Kind: kind, Active: true, Zone: "America/New_York", Account: account, Costs: network.Costs{PerOrder: money.Amount{Minor: cents, Currency: "USD"}},
		Place: network.Place{Company: "Bench", Line1: "1 Dock Road", City: "New York", State: "NY", Postal: "10001", Country: "US", Phone: "+12125550100"},
		Lanes: []network.Lane{{Carrier: "USPS", Days: [10]int{5, 1, 2, 3, 3, 4, 4, 5, 5, 5}}}}
	for day := time.Sunday; day <= time.Saturday; day++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 0, Until: 86399, PerHour: 2_000})
	}
	said, err := s.app.Ops().Node(ctx, id)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	version := int64(0)
	if said.Said != nil {
		version = said.Said.Version
	}
	_, err = s.app.Ops().SaveNode(ctx, n, version, actor)
	return err
}

// lateBy is how long after its connection was cut a call is carried out: within every shipper's word on how long that may take.
const lateBy = 20 * time.Second

// breaks lets every simulator fail in each way it knows.
func (s *ship) breaks() error {
	all := maps.Clone(s.house.faults)
	for _, c := range s.shops {
		all[c.name] = c.faults
	}
	for _, f := range all {
		for _, kind := range world.Kinds() {
			r := world.Rule{Point: "*", Kind: kind, Probability: s.o.Failing}
			switch kind {
			case world.TokenExpired: // a token ends for all calls at once, see expire
				continue
			case world.Delay:
				r.Delay = world.Duration(2 * time.Second)
			case world.LateEffect:
				r.Delay = world.Duration(lateBy)
			case world.Reorder, world.Duplicate, world.Drop:
				r.Point = "webhook:*"
			}
			if _, err := f.Add(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// The tokens of whom has such end in this round, and again after so many: in life they last days, and a call that was tried again for a minute met one
// such end at most.
const expireFirst, expireEvery = 30, 300

func (h *shipHouse) expire(shops []*shipShop, round int) error {
	if round%expireEvery != expireFirst {
		return nil
	}
	h.ended++
	h.hero.EndToken()
	for _, c := range shops {
		if err := c.expire(); err != nil {
			return err
		}
	}
	return nil
}
