package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

type shopHealth struct {
	Shop     string       `json:"shop" doc:"Id of the connection."`
	Name     string       `json:"name"`
	Market   string       `json:"market" doc:"Whose rules it is judged by; empty: none are known."`
	Day      string       `json:"day" doc:"The day judged, of the market's calendar."`
	AsOf     time.Time    `json:"as_of" doc:"What was known then is counted; what was taken in within the last second may be missing."`
	Complete bool         `json:"complete" doc:"False while history is still being counted by these rules: the figures are not whole."`
	Metrics  []rateHealth `json:"metrics"`
	Outlook  *outlook     `json:"outlook,omitempty" doc:"What is to be expected; missing while nothing was foreseen yet. Of one shop only."`
	Account  *rating      `json:"account,omitempty" doc:"The account's rating; missing where the market keeps none. Of one shop only."`
	Points   *points      `json:"violation_points,omitempty" doc:"Points for breaches; missing where the market keeps none. Of one shop only."`
}

// rating is an account's rating as it was last seen, and modelled from there.
type rating struct {
	Entered  *int64 `json:"entered,omitempty" doc:"What the channel's page showed; missing: nobody has entered it, and nothing is modelled."`
	On       string `json:"entered_on,omitempty" doc:"The day of it."`
	Counting bool   `json:"counting" doc:"Orders are still being counted: nothing is modelled before that is done."`
	Low      *int64 `json:"low,omitempty" doc:"The least it can be today, as far as is known."`
	High     *int64 `json:"high,omitempty"`
	Max      int64  `json:"max" doc:"The end of the channel's scale."`
	Green    int64  `json:"green" doc:"From here on nothing is blocked."`
}

// points are what breaches cost where a market counts points. All of it is modelled.
type points struct {
	Counting bool   `json:"counting" doc:"Orders are still being counted: nothing is modelled before that is done."`
	Low      *int64 `json:"low,omitempty"`
	High     *int64 `json:"high,omitempty"`
	Unknown  int64  `json:"unknown" doc:"Breaches whose cost nobody tells."`
	Next     *int64 `json:"next,omitempty" doc:"The next step at which the channel acts."`
	Clear    string `json:"clear,omitempty" doc:"The day on which the last known point has lapsed."`
	Sentence string `json:"sentence,omitempty"`
}

type rateHealth struct {
	Metric   string      `json:"metric" enum:"ldr,vtr,sfcr,otdr"`
	State    string      `json:"state" enum:"good,watch,breach,unsure,nothing,norule" doc:"Only good is good. unsure: good as far as orders could be judged."`
	Num      int64       `json:"num" doc:"Above the line: late dispatched orders, packages with valid tracking…"`
	Den      int64       `json:"den" doc:"Below the line."`
	Unjudged int64       `json:"unjudged" doc:"Of den, not known how to count; they are counted in the shop's favour."`
	From     string      `json:"from,omitempty" doc:"First day of the window."`
	To       string      `json:"to,omitempty" doc:"Last day of the window."`
	Rule     string      `json:"rule,omitempty" doc:"Id of the definition it is counted by."`
	Limits   []rateLimit `json:"limits"`
	Sentence string      `json:"sentence"`
	Channel  *theirRate  `json:"channel,omitempty" doc:"The channel's own newest figure, as an import told it; missing: none was imported."`
}

// theirRate is the channel's own figure beside what was counted here of the same days.
type theirRate struct {
	From           string    `json:"from" doc:"First day it counts."`
	To             string    `json:"to" doc:"Last day it counts."`
	PPM            int64     `json:"ppm" doc:"Its rate in millionths."`
	Num            *int64    `json:"num,omitempty" doc:"Its count above the line, where it tells one."`
	Den            *int64    `json:"den,omitempty"`
	OursNum        int64     `json:"ours_num" doc:"Ours of the same days, when it was imported; 0 of 0 where the rules do not say how to count."`
	OursDen        int64     `json:"ours_den"`
	Differ         int64     `json:"differ" doc:"Orders on which the two are known to differ."`
	Unexplained    int64     `json:"unexplained" doc:"Of them, those nothing explains."`
	ImportedAt     time.Time `json:"imported_at"`
	Reconciliation string    `json:"reconciliation" doc:"The comparison; its page is /health/reconcile/ and this id."`
}

type rateLimit struct {
	Kind       string `json:"kind" enum:"target,warning,enforcement"`
	PPM        int64  `json:"ppm" doc:"The limit in millionths: 4 % is 40000."`
	Worse      bool   `json:"worse" doc:"The shop is on the wrong side of it."`
	Paused     bool   `json:"paused" doc:"Known, and not acted on at present."`
	More       int64  `json:"more" doc:"How many further orders that go wrong bring it to the wrong side, or that go right bring it back; -1: none do."`
	Source     string `json:"source"`
	Confidence string `json:"confidence"`
}

type outlook struct {
	At      time.Time     `json:"at"`
	Open    int           `json:"open" doc:"Open orders looked at."`
	AtRisk  int           `json:"at_risk" doc:"Of them, with a chance of 2 % or more to be dispatched late."`
	Late    float64       `json:"late" doc:"Expected number of them that are."`
	Metrics []rateOutlook `json:"metrics"`
	Assumed []string      `json:"assumed" doc:"What it rests on that this shop has not shown yet."`
}

type rateOutlook struct {
	Metric string  `json:"metric"`
	Day    string  `json:"day" doc:"The last day looked at."`
	P10    int64   `json:"p10" doc:"In millionths; a tenth of outcomes are lower."`
	Median int64   `json:"median"`
	P90    int64   `json:"p90"`
	Breach float64 `json:"breach" doc:"Chance that the limit of enforcement is passed on any day up to then."`
}

type healthListAnswer struct {
	Body struct {
		Shops []shopHealth `json:"shops"`
	}
}

type healthAnswer struct{ Body shopHealth }

func (s *service) health(a huma.API) {
	fails := []int{http.StatusNotFound, http.StatusUnauthorized, http.StatusServiceUnavailable}
	huma.Register(a, huma.Operation{OperationID: "health", Method: http.MethodGet, Path: base + "/health", Summary: "How all shops stand in the rates their channels judge them by",
		Security: security, Tags: []string{"health"}, Errors: fails[1:]}, s.healthOfAll)
	huma.Register(a, huma.Operation{OperationID: "shopHealth", Method: http.MethodGet, Path: base + "/health/{shop}", Summary: "How one shop stands, and what is to be expected",
		Security: security, Tags: []string{"health"}, Errors: fails}, s.healthOfOne)
}

func (s *service) healthOfAll(ctx context.Context, _ *struct{}) (*healthListAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.Rates(ctx, "", time.Time{})
	if err != nil {
		return nil, s.problem(err)
	}
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.Connection.ID
	}
	theirs, err := s.x.ChannelFigures(ctx, ids...)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &healthListAnswer{}
	out.Body.Shops = make([]shopHealth, 0, len(all))
	for _, r := range all {
		out.Body.Shops = append(out.Body.Shops, healthOf(r, theirs[r.Connection.ID]))
	}
	return out, nil
}

func (s *service) healthOfOne(ctx context.Context, in *struct {
	Shop string `path:"shop" maxLength:"200"`
}) (*healthAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.Rates(ctx, in.Shop, time.Time{})
	if err != nil {
		return nil, s.problem(err)
	}
	seen, found, err := s.x.Outlook(ctx, in.Shop)
	if err != nil {
		return nil, s.problem(err)
	}
	theirs, err := s.x.ChannelFigures(ctx, in.Shop)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &healthAnswer{Body: healthOf(all[0], theirs[in.Shop])}
	if found {
		out.Body.Outlook = outlookOf(seen)
	}
	account, err := s.x.Account(ctx, in.Shop)
	if err != nil {
		return nil, s.problem(err)
	}
	out.Body.Account, out.Body.Points = ratingOf(account), pointsOf(account)
	return out, nil
}

func ratingOf(a ops.AccountNow) *rating {
	r := a.Rating
	if r == nil {
		return nil
	}
	out := &rating{Counting: a.Counting, Max: int64(r.Rule.Max), Green: int64(r.Green.Line)}
	if r.Entered.Day == 0 {
		return out
	}
	out.Entered, out.On = whole(r.Entered.Value), r.Entered.Day.String()
	if !a.Counting {
		out.Low, out.High = whole(r.Low), whole(r.High)
	}
	return out
}

func pointsOf(a ops.AccountNow) *points {
	p := a.Points
	if p == nil {
		return nil
	}
	out := &points{Counting: a.Counting}
	if a.Counting {
		return out
	}
	out.Low, out.High, out.Unknown, out.Sentence = whole(p.Low), whole(p.High), int64(p.Unknown), p.Sentence()
	if p.Next != nil {
		out.Next = whole(p.Next.Points)
	}
	if p.Clear != 0 {
		out.Clear = p.Clear.String()
	}
	return out
}

func whole(n int) *int64 {
	v := int64(n)
	return &v
}

func healthOf(r ops.ShopRates, theirs []ops.ChannelFigure) shopHealth {
	out := shopHealth{Shop: r.Connection.ID, Name: r.Connection.Name, Day: r.Day.String(), AsOf: r.AsOf, Complete: !r.Counted.IsZero(), Metrics: []rateHealth{}}
	if r.Rules == nil {
		return out
	}
	out.Market = r.Rules.Market
	for i := range r.Standings {
		st := &r.Standings[i]
		m := rateHealth{Metric: string(st.Metric), State: string(st.State), Num: st.Num, Den: st.Den, Unjudged: st.Unjudged, Limits: []rateLimit{}, Sentence: st.Sentence()}
		if st.Rate != nil {
			m.Rule, m.From, m.To = st.Rate.ID, st.First.String(), st.Last.String()
		}
		for _, b := range st.Bands {
			m.Limits = append(m.Limits, rateLimit{Kind: string(b.Kind), PPM: int64(b.Limit), Worse: b.Worse, Paused: b.Paused, More: b.More, Source: b.Source, Confidence: string(b.Confidence)})
		}
		for _, f := range theirs {
			if f.Metric == st.Metric {
				m.Channel = theirRateOf(f)
			}
		}
		out.Metrics = append(out.Metrics, m)
	}
	return out
}

func theirRateOf(f ops.ChannelFigure) *theirRate {
	out := &theirRate{From: string(f.From), To: string(f.Day), PPM: int64(f.Their), OursNum: f.Num, OursDen: f.Den, Differ: f.Differ, Unexplained: f.Unexplained, ImportedAt: f.ImportedAt, Reconciliation: f.ID}
	if f.TheirDen > 0 {
		out.Num, out.Den = &f.TheirNum, &f.TheirDen
	}
	return out
}

func outlookOf(o ops.Outlook) *outlook {
	out := &outlook{At: o.At, Open: o.Open, AtRisk: o.AtRisk, Late: o.Late, Metrics: []rateOutlook{}, Assumed: append([]string{}, o.Assumed...)}
	for i := range o.Metrics {
		m := &o.Metrics[i]
		if len(m.Days) == 0 {
			continue
		}
		d := m.Days[len(m.Days)-1]
		out.Metrics = append(out.Metrics, rateOutlook{Metric: string(m.Metric), Day: d.Day.String(), P10: int64(d.P10), Median: int64(d.Median), P90: int64(d.P90), Breach: m.Chance("enforcement")})
	}
	return out
}
