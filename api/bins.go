package api

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

type binPlace struct {
	Code    string `json:"bin" doc:"As on the shelf's label: A-01-03."`
	Walk    int64  `json:"walk,omitempty" doc:"The shelf's place in the walking order, the same for all items on it; missing: by its code."`
	Primary bool   `json:"primary,omitempty" doc:"Where a picker looks first; one of an item at a node."`
}

type binList struct {
	Body struct {
		Bins []ops.Bin `json:"bins" doc:"In the order of item, node and bin."`
		Next string    `json:"next,omitempty" doc:"Ask with after=next for what comes after; missing on the last page."`
	}
}

type binsAnswer struct {
	Body struct {
		Node string     `json:"node"`
		Item string     `json:"item"`
		Bins []binPlace `json:"bins" doc:"The one to look at first first, then as one walks; none: nobody has said where it lies."`
	}
}

// BinsPath is exported because parameters of other embedded structs are not seen.
type BinsPath struct {
	Node string `path:"node" maxLength:"200"`
	Item string `path:"item" maxLength:"200"`
}

type binsPut struct {
	BinsPath
	Body struct {
		Bins []binPlace `json:"bins" maxItems:"20"`
	}
}

// binCursor names the last bin of a page so that it fits an address.
func binCursor(b ops.Bin) string {
	return base64.RawURLEncoding.EncodeToString([]byte(b.ItemID + "\x00" + b.Node + "\x00" + b.Code))
}

func binAfter(cursor string) (ops.Bin, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	f := strings.Split(string(raw), "\x00")
	switch {
	case cursor == "":
		return ops.Bin{}, nil
	case err != nil || len(f) != 3:
		return ops.Bin{}, huma.Error400BadRequest("after: is not the next of a page; leave it out to begin")
	}
	return ops.Bin{ItemID: f[0], Node: f[1], Code: f[2]}, nil
}

func (s *service) binList(ctx context.Context, in *struct {
	After string `query:"after" maxLength:"1000" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"At most so many."`
}) (*binList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	after, err := binAfter(in.After)
	if err != nil {
		return nil, err
	}
	limit := paged{Limit: in.Limit}.limit()
	got, err := s.x.Bins(ctx, after, limit+1)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &binList{}
	if len(got) > limit {
		got = got[:limit]
		out.Body.Next = binCursor(got[limit-1])
	}
	out.Body.Bins = append([]ops.Bin{}, got...)
	return out, nil
}

func (s *service) binsRead(ctx context.Context, at BinsPath) (*binsAnswer, error) {
	h, err := s.x.HandlingOf(ctx, at.Item)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &binsAnswer{}
	out.Body.Node, out.Body.Item, out.Body.Bins = at.Node, at.Item, []binPlace{}
	for _, b := range h.Bins {
		if b.Node == at.Node {
			out.Body.Bins = append(out.Body.Bins, binPlace{Code: b.Code, Walk: b.Walk, Primary: b.Primary})
		}
	}
	return out, nil
}

func (s *service) binsOf(ctx context.Context, in *BinsPath) (*binsAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.binsRead(ctx, *in)
}

func (s *service) binsPut(ctx context.Context, in *binsPut) (*binsAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	said := ops.BinsSaid{Items: []string{in.Item}}
	for _, b := range in.Body.Bins {
		said.Bins = append(said.Bins, ops.Bin{Node: in.Node, ItemID: in.Item, Code: b.Code, Walk: b.Walk, Primary: b.Primary})
	}
	if err := s.x.SayHandling(ctx, ops.Said{Bins: map[string]ops.BinsSaid{in.Node: said}}, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	return s.binsRead(ctx, in.BinsPath)
}

func (s *service) binsDelete(ctx context.Context, in *BinsPath) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.SayHandling(ctx, ops.Said{Bins: map[string]ops.BinsSaid{in.Node: {Items: []string{in.Item}}}}, caller(ctx)))
}
