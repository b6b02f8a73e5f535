package tiktok

import (
	"slices"
	"sync"
	"time"
)

// maxRequestLog is how many API calls the page can look back on.
const maxRequestLog = 200

// Request is one API call as the log keeps it. It holds no token, signature or body.
type Request struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Shop   string    `json:"shop,omitempty"`
	HTTP   int       `json:"http"` // 0 when the connection was cut
	Code   int       `json:"code"`
	Note   string    `json:"note,omitempty"`
	MS     float64   `json:"ms"`
}

type requestLog struct {
	mu    sync.Mutex
	seq   uint64
	lines []Request
}

func newRequestLog() *requestLog { return &requestLog{} }

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	r.Seq = l.seq
	if len(l.lines) >= 2*maxRequestLog {
		l.lines = slices.Delete(l.lines, 0, maxRequestLog)
	}
	l.lines = append(l.lines, r)
}

// Requests are the newest calls with a Seq above after, newest first.
func (s *Sim) Requests(after uint64) []Request {
	s.reqlog.mu.Lock()
	defer s.reqlog.mu.Unlock()
	out := []Request{}
	for i := len(s.reqlog.lines) - 1; i >= 0 && len(out) < maxRequestLog && s.reqlog.lines[i].Seq > after; i-- {
		out = append(out, s.reqlog.lines[i])
	}
	return out
}
