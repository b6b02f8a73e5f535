package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

// saidAtOnce is how many things a page has unless fewer are asked for.
const saidAtOnce = 200

// unitSaid is what one unit of an item is like, field by field as ops.Physical.
type unitSaid struct {
	Grams    int64         `json:"grams,omitempty" doc:"Of one unit as it is packed; missing: not known."`
	LengthMM int64         `json:"length_mm,omitempty" doc:"As the unit stands by itself; all three sides or none."`
	WidthMM  int64         `json:"width_mm,omitempty"`
	HeightMM int64         `json:"height_mm,omitempty"`
	Stance   ops.Stance    `json:"stance,omitempty" doc:"up: this way up; never: not on its end; missing: on any side."`
	Fragile  bool          `json:"fragile,omitempty" doc:"Nothing may lie on it."`
	Alone    bool          `json:"alone,omitempty" doc:"Every unit is a parcel by itself."`
	Needs    []ops.Ability `json:"needs,omitempty" doc:"What a node must be able to handle for it."`
	Origin   string        `json:"origin,omitempty" doc:"Country it was made in, two letters."`
	HSCode   string        `json:"hs_code,omitempty" doc:"Of the Harmonized System: 6 to 10 digits."`
	Equals   []string      `json:"equals,omitempty" maxItems:"8" doc:"Items that are the same thing to a buyer, best first: sent where none of this one is found."`
}

type itemHandling struct {
	Item    string     `json:"item"`
	Version int64      `json:"version" doc:"Send it with a change. 0: nothing was ever said of this item."`
	Actor   string     `json:"actor,omitempty" doc:"Who said it."`
	At      *time.Time `json:"at,omitempty"`
	Said    unitSaid   `json:"said"`
	Billed  []unitBill `json:"billed,omitempty" doc:"What one unit weighs on carriers' bills today, by itself and unwrapped. Only where one item is asked for whose sides are known."`
}

type unitBill struct {
	Carrier  string   `json:"carrier"`
	Rates    string   `json:"rates,omitempty"`
	Pounds   int64    `json:"pounds" doc:"The larger of weight and size."`
	ByVolume bool     `json:"by_volume" doc:"Its size decides."`
	Divisor  int64    `json:"divisor" doc:"Cubic inches to a pound."`
	Above    int64    `json:"above,omitempty" doc:"Cubic inches: what is not larger is billed by weight alone."`
	Since    string   `json:"since" doc:"First day of these terms."`
	Over     []string `json:"over,omitempty" doc:"Limits of the carrier it is over."`
}

type handlingAnswer struct{ Body itemHandling }

type handlingList struct {
	Body struct {
		Items []itemHandling `json:"items" doc:"In the order of item; those nothing was ever said of are left out."`
		Next  string         `json:"next,omitempty" doc:"Ask with after=next for what comes after; missing on the last page."`
	}
}

type handlingPut struct {
	Item string `path:"item" maxLength:"200"`
	Body struct {
		Version int64    `json:"version" minimum:"0" doc:"The one that was read; 0 for the first."`
		Said    unitSaid `json:"said" doc:"All that is to be said of it; what is left out is not said any more."`
	}
}

// paged is what every list is asked with.
type paged struct {
	After string `query:"after" maxLength:"300" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"At most so many."`
}

func (p paged) limit() int {
	if p.Limit <= 0 {
		return saidAtOnce
	}
	return p.Limit
}

// Versioned names the version that a thing is removed at. It is exported because parameters of other embedded structs are not seen.
type Versioned struct {
	Version int64 `query:"version" required:"true" minimum:"1" doc:"The one that was read."`
}

func (s *service) handling(a huma.API) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		o := huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Security: security, Tags: []string{"handling"},
			Errors: append(errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)}
		if method == http.MethodDelete {
			o.DefaultStatus = http.StatusNoContent
		}
		return o
	}
	const bad, gone, clash = http.StatusBadRequest, http.StatusNotFound, http.StatusConflict
	huma.Register(a, op("itemSizes", http.MethodGet, "/handling", "What items are like: weight, sides, how to handle them"), s.handlingList)
	huma.Register(a, op("itemSize", http.MethodGet, "/handling/{item}", "What one item is like", gone), s.handlingOf)
	huma.Register(a, op("sayItemSize", http.MethodPut, "/handling/{item}", "Say what an item is like", bad, gone, clash), s.handlingPut)
	huma.Register(a, op("forgetItemSize", http.MethodDelete, "/handling/{item}", "Say nothing of an item any more", gone, clash), s.handlingDelete)

	huma.Register(a, op("cartons", http.MethodGet, "/cartons", "The boxes and bags parcels are packed in"), s.cartonList)
	huma.Register(a, op("carton", http.MethodGet, "/cartons/{id}", "One of them", gone), s.cartonOf)
	huma.Register(a, op("sayCarton", http.MethodPut, "/cartons/{id}", "Add a carton, or change one", bad, gone, clash), s.cartonPut)
	huma.Register(a, op("removeCarton", http.MethodDelete, "/cartons/{id}", "Remove a carton: parcels packed in it keep its name", gone, clash), s.cartonDelete)

	huma.Register(a, op("bins", http.MethodGet, "/bins", "On which shelves items lie", bad), s.binList)
	huma.Register(a, op("binsOfItem", http.MethodGet, "/bins/{node}/{item}", "Where an item lies at a node", gone), s.binsOf)
	huma.Register(a, op("sayBins", http.MethodPut, "/bins/{node}/{item}", "Say where an item lies at a node, in place of what was said", bad, gone), s.binsPut)
	huma.Register(a, op("forgetBins", http.MethodDelete, "/bins/{node}/{item}", "Say that an item lies nowhere at a node", gone), s.binsDelete)

	s.tables(a, op)
}

func (s *service) handlingList(ctx context.Context, in *paged) (*handlingList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	got, err := s.x.Physicals(ctx, in.After, in.limit()+1)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &handlingList{}
	if len(got) > in.limit() {
		got = got[:in.limit()]
		out.Body.Next = got[len(got)-1].ItemID
	}
	out.Body.Items = make([]itemHandling, 0, len(got))
	for _, p := range got {
		out.Body.Items = append(out.Body.Items, itemHandlingOf(p))
	}
	return out, nil
}

func itemHandlingOf(p ops.ItemSaid) itemHandling {
	return itemHandling{Item: p.ItemID, Version: p.Version, Actor: p.Actor, At: moment(p.At), Said: unitSaid(p.Physical)}
}

func (s *service) handlingRead(ctx context.Context, item string) (*handlingAnswer, error) {
	h, err := s.x.HandlingOf(ctx, item)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &handlingAnswer{itemHandlingOf(h.Physical)}
	for _, b := range h.Bills {
		out.Body.Billed = append(out.Body.Billed, unitBill{Carrier: b.Terms.Carrier, Rates: b.Terms.Rates, Pounds: b.Pounds, ByVolume: b.ByVolume(), Divisor: b.Terms.Divisor, Above: b.Terms.Above,
			Since: b.Terms.From.String(), Over: b.Over})
	}
	return out, nil
}

func (s *service) handlingOf(ctx context.Context, in *struct {
	Item string `path:"item" maxLength:"200"`
}) (*handlingAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.handlingRead(ctx, in.Item)
}

func (s *service) handlingPut(ctx context.Context, in *handlingPut) (*handlingAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	said := ops.Said{Physicals: []ops.ItemSaid{{ItemID: in.Item, Version: in.Body.Version, Physical: ops.Physical(in.Body.Said)}}}
	if err := s.x.SayHandling(ctx, said, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	return s.handlingRead(ctx, in.Item)
}

func (s *service) handlingDelete(ctx context.Context, in *struct {
	Item string `path:"item" maxLength:"200"`
	Versioned
}) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.SayHandling(ctx, ops.Said{Physicals: []ops.ItemSaid{{ItemID: in.Item, Version: in.Version}}}, caller(ctx)))
}
