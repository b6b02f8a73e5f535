package bench

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// hotArticle is what every caller wants, scarceArticle what there is too little of.
var hotArticle, scarceArticle = stage.Article{SKU: "hot", Title: "Hot", Cents: 1999}, stage.Article{SKU: "scarce", Title: "Scarce", Cents: 1999}

// shopSpec is what the other process is asked to serve. A second one on the same database finds the items there.
type shopSpec struct {
	Home     string `json:"home"`
	Database string `json:"database"`
	Scarce   int64  `json:"scarce"` // units of the scarce article
	Second   bool   `json:"second"`
}

// shopNews is where it listens and what lets callers in; after each word it says how many units of the scarce article are held, and whether the
// journal equals the balances.
type shopNews struct {
	Addr  string `json:"addr,omitempty"`
	Token string `json:"token,omitempty"`
	Held  int64  `json:"held"`
	Wrong int    `json:"wrong"`
}

// ShopAPI is the other process of HTTP: the program as it is, with two articles in stock.
func ShopAPI(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	var spec shopSpec
	told, err := hear(in, &spec)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{Home: spec.Home, Database: spec.Database, Listen: "127.0.0.1:0", OpsListen: "off", Loopback: true, Log: log})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	if !spec.Second {
		place := stock.Location{ID: "main", Name: "Main", Kind: stock.Own, Active: true}
		if err := a.Store().Update(ctx, func(tx *store.Tx) error { return tx.LocationPut(place) }); err != nil {
			return errs.Wrap("bench.ShopAPI", "place", err)
		}
		units := func(i int) int64 { return []int64{1_000_000_000, spec.Scarce}[i] }
		if err := stage.Furnish(ctx, a, []stage.Article{hotArticle, scarceArticle}, units, actor); err != nil {
			return err
		}
	}
	news := shopNews{Addr: host(a.URL())}
	if news.Token, _, err = a.Ops().NewToken(ctx, "bench", actor); err != nil {
		return err
	}
	say := json.NewEncoder(out)
	if err := say.Encode(news); err != nil {
		return errs.Wrap("bench.ShopAPI", "news", err)
	}
	for {
		if err := told.word(); err != nil {
			return told.over(err)
		}
		v, err := a.Ops().Availability(ctx, scarceArticle.SKU)
		if err != nil {
			return err
		}
		proof, err := a.Ops().Prove(ctx)
		if err != nil {
			return err
		}
		if err := say.Encode(shopNews{Held: v.Reserved, Wrong: len(proof.Ledger)}); err != nil {
			return errs.Wrap("bench.ShopAPI", "news", err)
		}
	}
}

// ask is one reservation of ours as JSON.
func ask(id, article string) []byte {
	return []byte(`{"id":` + strconv.Quote(id) + `,"lines":[{"item":"` + article + `","quantity":1}]}`)
}
