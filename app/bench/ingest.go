package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	ingestBar     = 12_000 // webhooks a second
	ingestP99Bar  = 50 * time.Millisecond
	ingestPartBar = 0.55 // of the rate of the bare handler
	// ingestBody is the length of a message.
	ingestBody = 1500
	// flatBar is how much more memory the last tenth of a long run may take than its second.
	flatBar = 1.15
	// repeatEvery is which message is a repeat of an earlier one, as vendors send them.
	repeatEvery = 50
)

// IngestOptions say how long webhooks pour in.
type IngestOptions struct {
	Conns    int
	For      time.Duration // of each run
	Runs     int
	Steady   time.Duration // one long run at the end, for memory; 0: none
	Database string
	Binary   string
	Strict   bool
	Report   *Report
}

// pour is what one run measured.
type pour struct {
	Rate     float64       `json:"per_second"`
	P50, P99 time.Duration `json:"-"`
	P50ms    float64       `json:"p50_ms"`
	P99ms    float64       `json:"p99_ms"`
	CPUus    float64       `json:"cpu_us,omitempty"` // of this process for each
	sent     int
}

type ingest struct {
	o    IngestOptions
	at   frontNews
	pid  int
	next atomic.Int64 // message ids
}

// Ingest measures how many webhooks a second are verified, parsed, de-duplicated and durable before they are answered, beside a handler that
// only verifies and parses. The front runs in another process, the generator in this one, on the same cores.
func Ingest(ctx context.Context, o IngestOptions) error {
	home, err := os.MkdirTemp("", "spillway-ingest-")
	if err != nil {
		return errs.Wrap("bench.Ingest", "", err)
	}
	defer os.RemoveAll(home)
	if o.Database == "" {
		o.Database = "sqlite:" + filepath.Join(home, "spillway.db")
	}
	c, err := startChild(ctx, o.Binary, "front", frontSpec{Home: home, Database: o.Database}, os.Stderr)
	if err != nil {
		return err
	}
	defer c.close()
	b := &ingest{o: o, pid: c.cmd.Process.Pid}
	b.next.Store(7_000_000_000_000_000_000)
	if err := c.read(&b.at); err != nil {
		return err
	}
	o.Report.uses(ctx, o.Database)
	r := ingestReport{Engine: engineOf(o.Database)}
	kept := 0
	for range o.Runs {
		for _, side := range []struct {
			addr string
			runs *[]pour
		}{{b.at.Bare, &r.Bare}, {b.at.Ours, &r.Ours}} {
			p, err := b.run(ctx, side.addr, o.For, nil)
			if err != nil {
				return err
			}
			*side.runs = append(*side.runs, p)
			if side.addr == b.at.Ours {
				kept += p.sent
			}
		}
	}
	if o.Steady > 0 {
		n, err := b.steady(ctx, &r)
		if err != nil {
			return err
		}
		kept += n
	}
	c.close()
	if r.Kept, err = countInbox(ctx, o.Database); err != nil {
		return err
	}
	r.Acknowledged = kept
	return r.print(o)
}

// steady pours for long and looks at the other process's memory.
func (b *ingest) steady(ctx context.Context, r *ingestReport) (int, error) {
	var memory []int
	p, err := b.run(ctx, b.at.Ours, b.o.Steady, func() {
		if mib, err := residentMiB(b.pid); err == nil {
			memory = append(memory, mib)
		}
	})
	if err != nil {
		return 0, err
	}
	if len(memory) < 20 {
		return 0, errs.New(errs.Invalid, "bench.Ingest", "steady", "must be longer than 20 seconds to say anything of memory")
	}
	tenth := len(memory) / 10
	r.Steady, r.EarlyMiB, r.LateMiB = &p, median(memory[tenth:2*tenth]), median(memory[len(memory)-tenth:])
	return p.sent, nil
}

// run lets every connection send one message after the other. look, if not nil, is called once a second.
func (b *ingest) run(ctx context.Context, addr string, length time.Duration, look func()) (pour, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var (
		mu    sync.Mutex
		all   []time.Duration
		first error
		group sync.WaitGroup
		sent  int
	)
	began := time.Now()
	for range b.o.Conns {
		group.Go(func() {
			took, fresh, err := b.pour(ctx, addr)
			mu.Lock()
			defer mu.Unlock()
			all, sent = append(all, took...), sent+fresh
			if err != nil && first == nil {
				first = err
			}
		})
	}
	if look != nil {
		group.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					look()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	group.Wait()
	if first != nil {
		return pour{}, first
	}
	p := pour{Rate: float64(len(all)) / time.Since(began).Seconds(), P50: quantile(all, .5), P99: quantile(all, .99), sent: sent}
	p.P50ms, p.P99ms = p.P50.Seconds()*1000, p.P99.Seconds()*1000
	return p, nil
}

// pour sends messages over one connection, each when the one before is answered. fresh are those that are no repeats.
func (b *ingest) pour(ctx context.Context, addr string) (took []time.Duration, fresh int, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, 0, errs.Wrap("bench.Ingest", addr, err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	mac := hmac.New(sha256.New, []byte(frontApp.Secret))
	var body, request []byte
	for n := 1; ctx.Err() == nil; n++ {
		if n%repeatEvery != 0 {
			body = message(body[:0], b.next.Add(1))
			fresh++
		}
		mac.Reset()
		mac.Write([]byte(frontApp.Key))
		mac.Write(body)
		request = fmt.Appendf(request[:0], "POST /hooks/%s/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n",
			frontApp.Vendor, frontApp.ID, addr, hex.EncodeToString(mac.Sum(nil)), len(body))
		request = append(request, body...)
		began := time.Now()
		if _, err := conn.Write(request); err != nil {
			return nil, 0, errs.Wrap("bench.Ingest", addr, err)
		}
		if err := accepted(in); err != nil {
			return nil, 0, err
		}
		took = append(took, time.Since(began))
	}
	return took, fresh, nil
}

// message writes one change of an order's status, as long as the vendor's longest.
func message(to []byte, id int64) []byte {
	at := time.Now().Unix()
	to = fmt.Appendf(to, `{"type":1,"tts_notification_id":"%d","shop_id":"7495514739573621846","timestamp":%d,"data":{"order_id":"%d","order_status":"AWAITING_SHIPMENT","is_on_hold_order":false,"update_time":%d,"note":"`,
		id, at, 576_000_000_000_000_000+id%1_000_000_000, at)
	return append(append(to, bytes.Repeat([]byte("x"), max(0, ingestBody-len(to)-3))...), `"}}`...)
}

// accepted reads an answer without a body. Only what is needed is read, so that the generator takes little of the cores.
func accepted(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return errs.Wrap("bench.Ingest", "answer", err)
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return errs.New(errs.Internal, "bench.Ingest", "answer", "was %q", status)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return errs.Wrap("bench.Ingest", "answer", err)
		}
		if len(line) <= 2 {
			return nil
		}
	}
}

// countInbox counts what is there after the front has gone.
func countInbox(ctx context.Context, database string) (int, error) {
	st, err := store.Open(ctx, database, store.Options{Now: func() time.Time { return time.Now().UTC() }})
	if err != nil {
		return 0, err
	}
	defer st.Close()
	var n map[store.InboxState]int64
	err = st.ViewInbox(ctx, func(tx *store.InboxTx) (err error) {
		n, err = tx.InboxCounts()
		return err
	})
	return int(n[store.InboxPending]), err
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

type ingestReport struct {
	Engine             string
	Bare, Ours         []pour
	Steady             *pour
	EarlyMiB, LateMiB  int
	Acknowledged, Kept int
}

func (r *ingestReport) print(o IngestOptions) error {
	bare, ours := middle(r.Bare), middle(r.Ours)
	w := o.Report.table("ingest", fmt.Sprintf("%s, %d connections, %d bytes, medians of %d", r.Engine, o.Conns, ingestBody, len(r.Ours)), "PER SECOND", "P50", "P99", "BAR")
	w.row("verified and parsed only", bare.times()...).Runs = r.Bare
	w.row("verified, parsed, de-duplicated, durable", append(ours.times(), bar(fmt.Sprintf("%d, %s", ingestBar, ingestP99Bar), ours.Rate >= ingestBar && ours.P99 <= ingestP99Bar))...).Runs = r.Ours
	w.row("part of the rate without storing", figure("percent", 100*ours.Rate/bare.Rate, "%.0f %%"), blank, blank, bar(fmt.Sprintf("%.0f %%", 100*ingestPartBar), ours.Rate >= ingestPartBar*bare.Rate))
	if r.Steady != nil {
		w.row("for "+o.Steady.String(), r.Steady.times()...)
		w.row("memory early and late", figure("early_mib", r.EarlyMiB, "%d MiB"), figure("late_mib", r.LateMiB, "%d MiB"), blank, bar("flat", float64(r.LateMiB) <= flatBar*float64(r.EarlyMiB)))
	}
	w.row("acknowledged, of them kept", figure("acknowledged", r.Acknowledged, "%d"), figure("kept", r.Kept, "%d"), blank, bar("all", r.Kept >= r.Acknowledged))
	if r.Kept < r.Acknowledged {
		return errs.New(errs.Internal, "bench.Ingest", "", "%s acknowledged messages are lost", strconv.Itoa(r.Acknowledged-r.Kept))
	}
	return o.Report.judge("bench.Ingest", o.Strict)
}
