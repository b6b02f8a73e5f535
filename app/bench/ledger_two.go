package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// twoReport is one hot item sold by two processes on one PostgreSQL at once.
type twoReport struct {
	One     float64
	Rate    float64
	Shares  []int64
	Held    int64
	Callers int // of both together
}

func (t *twoReport) String() string {
	return fmt.Sprintf("two processes with %d callers together: %.0f orders/s, one alone: %.0f; accepted %v, held %d", t.Callers, t.Rate, t.One, t.Shares, t.Held)
}

// sellerSpec is what another process is told to sell.
type sellerSpec struct {
	URL     string        `json:"url"`
	Item    string        `json:"item"`
	Callers int           `json:"callers"`
	For     time.Duration `json:"for"`
	Acks    bool          `json:"acks"` // sell without end and write the id of each order taken, to be killed
}

type sellerNews struct {
	Ready    bool    `json:"ready,omitempty"`
	Rate     float64 `json:"rate,omitempty"`
	Accepted int64   `json:"accepted,omitempty"`
	P99      float64 `json:"p99_ms,omitempty"`
}

// Seller is the other process: it reserves as fast as it can when told to go, as often as it is told.
func Seller(ctx context.Context, in io.Reader, out io.Writer, _ *slog.Logger) error {
	var spec sellerSpec
	h, err := hear(in, &spec)
	if err != nil {
		return err
	}
	c, err := spillway(ctx, "seller", spec.URL)
	if err != nil {
		return err
	}
	defer c.close()
	say := json.NewEncoder(out)
	if err := say.Encode(sellerNews{Ready: true}); err != nil {
		return errs.Wrap("bench ledger", "seller", err)
	}
	for h.word() == nil {
		if spec.Acks {
			return acknowledge(ctx, c, spec, out)
		}
		l, err := press(ctx, c, spec.Callers, spec.For, []string{spec.Item}, func(*rand.Rand) int { return 0 })
		if err != nil {
			return err
		}
		if err := say.Encode(sellerNews{Rate: l.Rate, Accepted: l.accepted, P99: l.P99.Seconds() * 1000}); err != nil {
			return errs.Wrap("bench ledger", "seller", err)
		}
	}
	return nil
}

// two lets one process, then two, sell one hot item; runs alternate. Both processes are children, so that one is like the other.
func (b *ledgerBench) two(ctx context.Context) (err error) {
	const item, callers = "shared", 256
	c, err := spillway(ctx, "spillway on PostgreSQL", b.pg.URL())
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.stock(ctx, []string{item}, endless); err != nil {
		return err
	}
	start := func(callers int) (*child, error) {
		k, err := startChild(ctx, b.o.Binary, "seller", sellerSpec{URL: b.pg.URL(), Item: item, Callers: callers, For: b.o.For}, os.Stderr)
		if err != nil {
			return nil, err
		}
		return k, k.read(&sellerNews{})
	}
	var alone *child
	var both []*child
	if alone, err = start(callers); err != nil {
		return err
	}
	defer alone.close()
	for range 2 {
		k, err := start(callers / 2)
		if err != nil {
			return err
		}
		defer k.close()
		both = append(both, k)
	}
	r := &twoReport{Callers: callers, Shares: make([]int64, 2)}
	var ones, twos []float64
	var accepted int64
	for range b.o.Runs {
		one, err := sell(alone)
		if err != nil {
			return err
		}
		ones, accepted = append(ones, one[0].Rate), accepted+one[0].Accepted
		two, err := sell(both...)
		if err != nil {
			return err
		}
		twos = append(twos, two[0].Rate+two[1].Rate)
		for i, n := range two {
			r.Shares[i] += n.Accepted
			accepted += n.Accepted
		}
	}
	r.One, r.Rate = median(ones), median(twos)
	if r.Held, err = c.prove(ctx, item); err != nil {
		return err
	}
	if r.Held != accepted {
		return errs.New(errs.Internal, "bench ledger", "two processes", "%d orders were told yes, %d units are held", accepted, r.Held)
	}
	b.found.Two = r
	return nil
}

// sell lets children sell at the same time and returns what each says of it.
func sell(ks ...*child) ([]sellerNews, error) {
	for _, k := range ks {
		if err := k.say("go"); err != nil {
			return nil, err
		}
	}
	out := make([]sellerNews, len(ks))
	for i, k := range ks {
		if err := k.read(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
