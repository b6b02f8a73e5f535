package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/tiktok"
)

type sandboxCmd struct {
	TikTok  sandboxTikTok  `cmd:"" name:"tiktok" help:"A TikTok Shop: signed API, webhooks, and a page to place orders and arrange faults."`
	Shopify sandboxShopify `cmd:"" name:"shopify" help:"A Shopify store: Admin GraphQL, webhooks, and a control API."`
}

// sandboxAddr is common to the simulators. Port 0 takes a free one.
type sandboxAddr struct {
	Addr string `help:"Address to listen on." default:"127.0.0.1:7080"`
	Seed uint64 `help:"Decides ids, keys and everything left to chance." default:"1"`
}

type sandboxTikTok struct {
	sandboxAddr
	Webhook string        `help:"Address of webhooks that a client has not set itself."`
	Hold    time.Duration `help:"Remorse period of a paid order; negative for none." default:"1h"`
	Quota   int           `help:"Requests an hour and shop, 1000 on the platform's sandbox shops; 0 for no limit." default:"0"`
}

func (c *sandboxTikTok) Run(e *env) error {
	sim, err := tiktok.New(tiktok.Options{Seed: c.Seed, Log: e.log, Hold: c.Hold, HourlyQuota: c.Quota, WebhookURL: c.Webhook,
		Shops: []tiktok.ShopSpec{sampleShop()}})
	if err != nil {
		return err
	}
	defer sim.Stop()
	return runSandbox(e, c.Addr, sim.Handler(), sim.Describe)
}

// sampleShop is what a sandbox begins with.
func sampleShop() tiktok.ShopSpec {
	return tiktok.ShopSpec{Name: "Sandbox Shop", Warehouses: []tiktok.WarehouseSpec{{Name: "East"}, {Name: "West"}, {Name: "Returns", Returns: true}},
		Products: []tiktok.ProductSpec{
			{Title: "Ceramic mug", SKUs: []tiktok.SKUSpec{
				{SellerSKU: "MUG-WHITE", Name: "White", Price: 1290, Stock: map[string]int{"East": 60, "West": 40}},
				{SellerSKU: "MUG-BLUE", Name: "Blue", Price: 1290, Stock: map[string]int{"East": 25, "West": 25}}}},
			{Title: "Linen apron", SKUs: []tiktok.SKUSpec{{SellerSKU: "APRON", Price: 3450, Available: 30}}},
		}}
}

type sandboxShopify struct {
	sandboxAddr
	Plan string `help:"Decides the query budget." enum:"standard,advanced,plus,enterprise" default:"standard"`
}

func (c *sandboxShopify) Run(e *env) error {
	sim, err := shopify.New(shopify.Options{Seed: c.Seed, Log: e.log, Plan: shopify.Plan(c.Plan)})
	if err != nil {
		return err
	}
	defer sim.Close()
	for _, p := range []shopify.ProductInput{
		{Title: "Ceramic mug", Variants: []shopify.VariantInput{{SKU: "MUG-WHITE", Title: "White", Price: "12.90", Stock: 100}, {SKU: "MUG-BLUE", Title: "Blue", Price: "12.90", Stock: 50}}},
		{Title: "Linen apron", Variants: []shopify.VariantInput{{SKU: "APRON", Price: "34.50", Stock: 30}}},
	} {
		if _, err := sim.AddProduct(p); err != nil {
			return err
		}
	}
	return runSandbox(e, c.Addr, sim.Handler(), sim.Describe)
}

func runSandbox(e *env, addr string, h http.Handler, describe func(baseURL string) string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: "sandbox", Item: addr, Safe: "is in use; choose another with --addr", Cause: err}
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	fmt.Print(describe("http://" + l.Addr().String()))
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-e.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 2*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return srv.Close()
	}
	return nil
}
