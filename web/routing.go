package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// maxLimits is how many limits a form is read for; the rules hold as many.
const maxLimits = 1000

// routing shows what the seller wants of routing, and the last plan of all open orders.
func (s *Site) routing(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Routing(ctx)
	if err != nil {
		return page{}, err
	}
	return routingPageOf(v, routingAnswer{}), nil
}

// routingAnswer is what was said to a form that was sent.
type routingAnswer struct {
	nodeAnswer
	preview view.RoutingPreview
}

func routingPageOf(v view.Routing, a routingAnswer) page {
	return page{Title: "Routing", Nav: "/nodes", Topics: []string{view.TopicRouting, view.TopicNode}, Fixed: a.asked,
		Parts: []part{{id: "ro-wave", c: waveBox(v)}, {id: "ro-history", c: routingHistory(v)}},
		body:  func(p page) templ.Component { return routingPage(p, v, a) }}
}

// saveRouting shows what a form would change, or what is wrong with it beside each field, and on the second step saves it.
func (s *Site) saveRouting(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := f.routing()
	d.Actor = s.user(ctx)
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.SaveRouting(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/routing")
	}
	v, err := s.b.Routing(ctx)
	if err != nil {
		return err
	}
	a := routingAnswer{nodeAnswer: nodeAnswer{asked: true, fields: f.all()}}
	if a.preview, err = s.b.PreviewRouting(ctx, d); err != nil {
		return err
	}
	a.nodeAnswer.preview.Wrong = a.preview.Wrong
	if !d.Reset {
		currency := v.Form.Currency
		v.Form = d.RoutingForm
		v.Form.Currency, v.Form.Limits = currency, append(v.Form.Limits, view.LimitForm{})
	}
	status := http.StatusOK
	if len(a.preview.Wrong) > 0 || a.preview.Refused != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.show(w, r.WithContext(ctx), status, routingPageOf(v, a))
}

// routing reads the form of rules.
func (f *form) routing() view.RoutingDraft {
	line := func(name string) string { return f.text(name, name, false) }
	d := view.RoutingDraft{Reset: line("reset") == "yes", RoutingForm: view.RoutingForm{LateDispatch: line("latedispatch"), LateDelivery: line("latedelivery"), LateCancel: line("latecancel"), LeftUnit: line("leftunit"),
		LeftAny: line("leftany"), Move: line("move"), Short: line("short"), Parts: line("parts"), Days: line("days"), Slip: line("slip"), RoadSlip: line("roadslip"), Unknown: line("unknown"), Plain: line("first") != "yes",
		Version: f.whole("version", "Version", 0, 1<<53, false)}}
	for i := range maxLimits {
		at := limitField(i, "")
		if !f.r.PostForm.Has(at + "nodes") {
			break
		}
		l := view.LimitForm{Kind: line(at + "kind"), Nodes: line(at + "nodes"), Item: line(at + "item"), Shop: line(at + "shop"), Region: line(at + "region"), Reason: line(at + "reason")}
		if l != (view.LimitForm{}) || f.r.PostForm.Has(limitField(i+1, "nodes")) {
			d.Limits = append(d.Limits, l)
		}
	}
	return d
}

func limitField(i int, name string) string { return "limit" + strconv.Itoa(i) + "." + name }

// startWave has all open orders planned together.
func (s *Site) startWave(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	if f.err != nil {
		return f.err
	}
	d := view.WaveDraft{Nodes: slices.Clone(f.r.PostForm["node"]), Apply: f.r.PostForm.Get("apply") == "yes", Actor: s.user(ctx)}
	done, err := s.b.StartWave(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/routing")
}

// capacity shows what will be late, and what can be done about it.
func (s *Site) capacity(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Capacity(ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Capacity", Nav: "/nodes", Topics: []string{view.TopicNode, view.TopicRouting},
		Parts: []part{{id: "ca-load", c: capacityLoad(v)}, {id: "ca-late", c: capacityLate(v)}, {id: "ca-do", held: true, c: capacityDo(v)}, {id: "ca-done", c: capacityDone(v)}},
		body:  func(p page) templ.Component { return capacityPage(p, v) }}, nil
}

// applyProposal shows what a proposal does, and on the second step does it.
func (s *Site) applyProposal(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.ProposalDraft{ID: f.text("id", "Proposal", true), Finish: f.r.PostForm.Get("finish") == "yes", Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	if f.confirmed() || d.Finish {
		done, err := s.b.ApplyProposal(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/capacity")
	}
	v, err := s.b.PreviewProposal(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: "Capacity", back: "/capacity", action: "/capacity", verb: "Do it", fields: f.carried("id")})
}

// behindOf is what cannot be done by the end of a day.
func behindOf(n view.CapacityNode, day int) int64 {
	if day < len(n.Behind) {
		return n.Behind[day]
	}
	return 0
}
