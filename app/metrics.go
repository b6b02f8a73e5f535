package app

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
)

// metrics are the program's figures for Prometheus. No label names a shop's order, an item or a person.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	pushes   *prometheus.CounterVec
	renewals *prometheus.CounterVec
	waits    *prometheus.HistogramVec
}

// callBuckets span a local simulator's answer to a vendor's timeout.
var callBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "spillway_channel_call_seconds", Buckets: callBuckets,
			Help: "Time of one HTTP call to a channel, by vendor, operation and whether it worked."}, []string{"vendor", "operation", "ok"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "spillway_channel_retries_total",
			Help: "Calls to a channel that failed and were repeated, by vendor, operation and class of failure."}, []string{"vendor", "operation", "class"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "spillway_pushes_total",
			Help: "Quantities told to channels, by vendor and outcome."}, []string{"vendor", "outcome"}),
		renewals: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "spillway_login_renewals_total",
			Help: "Renewals of a channel login, by vendor and whether they worked."}, []string{"vendor", "ok"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "spillway_channel_wait_seconds", Buckets: callBuckets,
			Help: "Time a call waited for its slot under the channel's rate limit."}, []string{"vendor", "operation"}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "spillway_build_info", Help: "1, with the version as label.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
	m.registry.MustRegister(m.calls, m.retries, m.pushes, m.renewals, m.waits, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) hooks() connector.Hooks {
	word := func(ok bool) string {
		if ok {
			return "yes"
		}
		return "no"
	}
	return connector.Hooks{
		Exchange: func(vendor string, x driver.Exchange) {
			m.calls.WithLabelValues(vendor, string(x.Op), word(x.Err == "")).Observe(x.Took.Seconds())
		},
		Waited: func(vendor string, op driver.Operation, d time.Duration) {
			m.waits.WithLabelValues(vendor, string(op)).Observe(d.Seconds())
		},
		Retried: func(vendor string, op driver.Operation, c driver.Class) {
			m.retries.WithLabelValues(vendor, string(op), string(c)).Inc()
		},
		Renewed: func(vendor string, ok bool) { m.renewals.WithLabelValues(vendor, word(ok)).Inc() },
		Pushed:  func(vendor string, o driver.Outcome) { m.pushes.WithLabelValues(vendor, string(o)).Inc() },
	}
}

// watch adds the figures the use-cases keep.
func (m *metrics) watch(x *ops.Ops) {
	counter := func(name, help string, read func(ops.Snapshot) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(read(x.Gauges().Snapshot())) }))
	}
	gauge := func(name, help string, read func(ops.Snapshot) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return read(x.Gauges().Snapshot()) }))
	}
	counter("spillway_webhooks_total", "Webhooks received and stored.", func(s ops.Snapshot) int64 { return s.Webhooks })
	counter("spillway_webhook_repeats_total", "Webhooks received again.", func(s ops.Snapshot) int64 { return s.Repeats })
	counter("spillway_webhook_forged_total", "Webhooks whose signature did not match.", func(s ops.Snapshot) int64 { return s.Forged })
	counter("spillway_parked_total", "Messages set aside for a person.", func(s ops.Snapshot) int64 { return s.Parked })
	counter("spillway_orders_total", "Orders taken in for the first time.", func(s ops.Snapshot) int64 { return s.Orders })
	counter("spillway_drifts_total", "Channel numbers that were not what they should have been.", func(s ops.Snapshot) int64 { return s.Drifts })
	m.registry.MustRegister(newShopHealth(x))
	gauge("spillway_webhook_ack_p99_seconds", "From webhook received to durable, 99th percentile of five minutes.",
		func(s ops.Snapshot) float64 { return s.Ack.P99.Seconds() })
	gauge("spillway_sale_to_reserved_p99_seconds", "From the channel's event to the units reserved, 99th percentile of five minutes.",
		func(s ops.Snapshot) float64 { return s.SaleToReserved.P99.Seconds() })
	gauge("spillway_change_to_right_p99_seconds", "From a change to the last channel told, 99th percentile of five minutes.",
		func(s ops.Snapshot) float64 { return s.ChangeToRight.P99.Seconds() })
}

// shopHealth are the rates shops are judged by, read when they are asked for.
type shopHealth struct {
	x                             *ops.Ops
	num, den, limit, state, known *prometheus.Desc
	chance                        *prometheus.Desc
}

func newShopHealth(x *ops.Ops) *shopHealth {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("spillway_health_"+name, help, append([]string{"shop", "metric"}, labels...), nil)
	}
	return &shopHealth{x: x,
		num:    desc("numerator", "Above the line of the rate as it stands now."),
		den:    desc("denominator", "Below the line of the rate as it stands now."),
		limit:  desc("limit_ratio", "A limit of the rate that holds today.", "kind", "paused"),
		state:  desc("state", "1 for the state the rate is in: good, watch, breach, unsure, nothing or norule.", "state"),
		known:  prometheus.NewDesc("spillway_health_complete", "1 when the shop's history is counted by the rules that hold, 0 while it is being counted.", []string{"shop"}, nil),
		chance: desc("breach_chance", "Chance that the limit of enforcement is passed on some day of the forecast.")}
}

// Describe sends what Collect may send.
func (h *shopHealth) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(h, out) }

// healthScrape bounds the reading for one scrape.
const healthScrape = 2 * time.Second

// Collect reads all shops' rates. While the database is away there are none: an old rate must not look like a present one.
func (h *shopHealth) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthScrape)
	defer cancel()
	all, err := h.x.Rates(ctx, "", time.Time{})
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, shop := range all {
		id, whole := shop.Connection.ID, 0.0
		if !shop.Counted.IsZero() {
			whole = 1
		}
		gauge(h.known, whole, id)
		for _, s := range shop.Standings {
			m := string(s.Metric)
			gauge(h.num, float64(s.Num), id, m)
			gauge(h.den, float64(s.Den), id, m)
			gauge(h.state, 1, id, m, string(s.State))
			for _, b := range s.Bands {
				gauge(h.limit, float64(b.Limit)/1e6, id, m, string(b.Kind), strconv.FormatBool(b.Paused))
			}
		}
		if seen, found, err := h.x.Outlook(ctx, id); err == nil && found && !seen.Old(time.Now()) { // an old chance must not look like a present one either
			for i := range seen.Metrics {
				gauge(h.chance, seen.Metrics[i].Chance("enforcement"), id, string(seen.Metrics[i].Metric))
			}
		}
	}
}

// ready says why this process should get no requests; empty: it should.
func (a *App) ready(ctx context.Context) string {
	if a.leaving.Load() {
		return "this process is stopping"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := a.store.View(ctx, func(tx *store.Tx) error { _, err := tx.EventLast(); return err }); err != nil {
		return "the database does not answer"
	}
	return ""
}

// readyForHooks is ready for webhooks, which NATS keeps while the database is away.
func (a *App) readyForHooks(ctx context.Context) string {
	if !a.leaving.Load() && a.stream != nil && a.stream.Figures().Connected {
		return ""
	}
	return a.ready(ctx)
}

func ready(w http.ResponseWriter, why string) {
	if why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// privateHandler serves operators: metrics, health, readiness, profiles. It listens on its own address, loopback by default.
func (a *App) privateHandler(m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, a.ready(r.Context())) })
	mux.HandleFunc("GET /readyz/hooks", func(w http.ResponseWriter, r *http.Request) { ready(w, a.readyForHooks(r.Context())) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
