package connector

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Bounds of one outbound call. A marketplace's gateway gives up after 10 to 30 seconds itself, so waiting longer than
// callTimeout only delays the moment at which a push is known to be uncertain.
const (
	callTimeout    = 30 * time.Second
	dialTimeout    = 5 * time.Second
	headerTimeout  = 20 * time.Second
	silenceTimeout = 30 * time.Second // between two pieces of a long file
	idleTimeout    = 90 * time.Second
	idleConns      = 32       // kept open to one host: what a few busy shops use; how many are in use a Session bounds
	maxAnswer      = 32 << 20 // a page of 100 orders with 100 lines each stays below 10 MiB
	maxFile        = 8 << 30  // a year of a large shop's orders as text
	maxHeaderBytes = 64 << 10
)

// ErrAddress refuses an outbound call to an address inside our own network.
var ErrAddress = errors.New("the address is private and outbound calls may not go there")

// ErrPlain refuses an outbound call without TLS.
var ErrPlain = errors.New("the address is not https")

// ErrTooLarge cuts off an answer that is longer than the bound.
var ErrTooLarge = errors.New("the answer is larger than allowed")

// ClientOptions says what outbound calls may do.
type ClientOptions struct {
	// AllowLoopback lets calls go to this machine, without TLS too. It is for simulators and set by whoever starts them.
	AllowLoopback bool
	// TLS overrides certificate checking in tests; nil is the system's.
	TLS *tls.Config
}

// NewClient makes the client of ordinary calls: bounded in time and in the size of the answer, TLS only, no redirects,
// and no way into a private network, whatever a name resolves to at the moment of connecting.
func NewClient(o ClientOptions) *http.Client {
	return &http.Client{
		Transport:     &guard{next: transport(o), loopback: o.AllowLoopback, limit: maxAnswer},
		Timeout:       callTimeout,
		CheckRedirect: noRedirect,
	}
}

// NewFileClient is NewClient for long files: not bounded in total time but in silence.
func NewFileClient(o ClientOptions) *http.Client {
	return &http.Client{
		Transport:     &guard{next: transport(o), loopback: o.AllowLoopback, limit: maxFile, silence: silenceTimeout},
		CheckRedirect: noRedirect,
	}
}

// noRedirect hands a redirect to the caller: following it would send signed queries and tokens to another host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func transport(o ClientOptions) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		return checkAddress(address, o.AllowLoopback)
	}}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig(o.TLS),
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idleConns,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
	}
}

func tlsConfig(c *tls.Config) *tls.Config {
	if c == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c
}

// reserved lists address blocks that are not the public internet but that netip has no word for (IANA special-purpose registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// checkAddress judges the address that is about to be connected to, after the name was resolved.
func checkAddress(address string, loopback bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrAddress
	}
	ip := ap.Addr().WithZone("").Unmap()
	if ip.IsLoopback() {
		if loopback {
			return nil
		}
		return ErrAddress
	}
	if ip.IsPrivate() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() {
		return ErrAddress
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return ErrAddress
		}
	}
	return nil
}

// guard is the transport that checks the scheme and bounds the answer.
type guard struct {
	next     http.RoundTripper
	loopback bool
	limit    int64
	silence  time.Duration // zero: the client's own timeout bounds the answer
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !(g.loopback && isLoopbackHost(req.URL.Hostname())) {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ErrPlain}
	}
	cancel := func() {}
	if g.silence > 0 {
		ctx, stop := context.WithCancel(req.Context())
		req, cancel = req.WithContext(ctx), stop
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.ContentLength > g.limit {
		resp.Body.Close()
		cancel()
		return nil, ErrTooLarge
	}
	b := &boundedBody{ReadCloser: resp.Body, left: g.limit, cancel: cancel, silence: g.silence}
	if g.silence > 0 {
		b.watch = time.AfterFunc(g.silence, cancel)
	}
	resp.Body = b
	return resp, nil
}

func isLoopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// boundedBody fails once more than the limit was read, or after too long a silence.
type boundedBody struct {
	io.ReadCloser
	left    int64
	cancel  func()
	silence time.Duration
	watch   *time.Timer
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one byte more than allowed tells a full answer from a longer one
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.watch != nil {
		b.watch.Reset(b.silence)
	}
	if b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	if b.watch != nil {
		b.watch.Stop()
	}
	b.cancel()
	return b.ReadCloser.Close()
}
