package worlds

import (
	"fmt"
	"slices"
	"time"
)

// poller polls one channel's orders.
type poller struct {
	running bool
	wanted  bool
	next    time.Duration
	seen    int // log entries taken in
}

const (
	pollPause   = 300 * time.Millisecond // between the beginnings of two polls of a channel
	pollOverlap = 3                      // entries read again, as a watermark with overlap does
	retryPause  = 2 * time.Second        // after a refusal
)

// poll begins an order poll if one is due or wanted and none is running.
func (k *spillway) poll(ch int) {
	p := &k.polls[ch]
	if k.down || p.running {
		return
	}
	if k.m.now < p.next {
		at := p.next
		k.m.at(at, func() {
			if !p.running && p.next == at {
				k.poll(ch)
			}
		})
		p.wanted = false
		return
	}
	p.running, p.wanted = true, false
	p.next = k.m.now + pollPause
	began, life := k.m.clock(), k.life
	k.m.result.Polls++
	read := 0
	k.m.request(ch, func(*outcome) { read = len(k.m.log[ch]) }, func(o outcome) {
		if k.life != life {
			return
		}
		p.running = false
		if !o.answered || o.refused {
			p.next = k.m.now + retryPause
		} else if k.polled(ch, read, began) {
			k.plan()
		}
		k.pollLater(ch)
	})
}

// pollLater schedules the regular poll, or a prompt one if it is wanted.
func (k *spillway) pollLater(ch int) {
	p := &k.polls[ch]
	if p.running {
		return
	}
	if p.wanted || len(k.anchored(ch)) > 0 {
		k.poll(ch)
		return
	}
	p.next = max(p.next, k.m.now+pollPause)
	k.m.after(k.m.spec.Channels[ch].poll, func() { k.poll(ch) })
}

// anchored are the listings of a channel that wait for a barrier.
func (k *spillway) anchored(ch int) []string {
	var out []string
	for i, l := range k.policy.Listings {
		if k.m.spec.Listings[i].channel == ch && k.books[l.ID].Anchor != nil {
			out = append(out, l.ID)
		}
	}
	return out
}

// polled takes in a page of orders, in any order, and then the barrier. It reports whether anything was new.
func (k *spillway) polled(ch, read int, began time.Time) bool {
	p := &k.polls[ch]
	news := read > p.seen
	page := slices.Clone(k.m.log[ch][max(0, p.seen-pollOverlap):max(read, p.seen)])
	k.m.faults.Shuffle(len(page), func(i, j int) { page[i], page[j] = page[j], page[i] })
	for _, f := range page {
		k.intake(f)
	}
	p.seen = max(read, p.seen)
	for i, l := range k.policy.Listings {
		if k.m.spec.Listings[i].channel == ch {
			b, drift := k.books[l.ID].SalesKnownUntil(began, k.m.clock())
			news = news || b.Revision != k.books[l.ID].Revision
			k.books[l.ID] = b
			if drift != nil {
				k.m.result.Drifts++
				if !k.m.spec.on(Edits) {
					k.fail("drift", fmt.Errorf("found where nobody edited: %+v", *drift))
				}
			}
		}
	}
	return news
}
