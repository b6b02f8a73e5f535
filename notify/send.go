package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/spillway/spillway/kit/dial"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of a message and of its sending.
const (
	maxTitle    = 200   // characters: a subject, the first line of a chat message
	maxText     = 4_000 // bytes: the least any of the chats takes in one message
	sendTimeout = 20 * time.Second
	lookTimeout = 5 * time.Second
	dialTimeout = 5 * time.Second
	maxAnswer   = 64 << 10
	// underWay bounds calls at once, those among them that shoutrrr has given up and whose service still keeps the connection.
	underWay = 16
)

// Message is what is told.
type Message struct {
	ID       string // the same whenever the same message is sent again
	Title    string
	Text     string
	Severity string
	Link     string // to Spillway's page about it; empty: none
	At       time.Time
}

// Options says what may be called.
type Options struct {
	Reach   dial.Reach
	Timeout time.Duration // of one message; default 20 s
	Now     func() time.Time
}

// Sender sends messages. All methods may be called at once.
type Sender struct {
	o      Options
	client *http.Client
	slots  chan struct{}
}

// New makes a sender.
func New(o Options) *Sender {
	if o.Timeout <= 0 {
		o.Timeout = sendTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sender{o: o, slots: make(chan struct{}, underWay), client: &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the signature is for one host
		Transport: &http.Transport{DialContext: o.Reach.Dialer(dialTimeout).DialContext, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: maxAnswer,
			ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
	}}
}

// Close lets go of idle connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Send sends a message through a service URL and returns when the service has taken it. Errors, which show nothing of the URL: Invalid and
// Forbidden (the URL is wrong, or the service refuses it: sending again does not help), Unavailable and Busy (it may help, and the message
// may have arrived).
func (s *Sender) Send(ctx context.Context, text string, m Message) error {
	const op = "notify.Send"
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	svc, u, err := s.usable(ctx, text)
	if err != nil {
		return err
	}
	m = m.bounded()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return errs.New(errs.Busy, op, svc.ID, "too many messages are on their way")
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.slots }()
		done <- s.call(ctx, svc, u, strings.TrimSpace(text), m)
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.DeadlineExceeded
	}
	if err == nil {
		return nil
	}
	return explain(svc, u, err)
}

func (s *Sender) call(ctx context.Context, svc Service, u *url.URL, text string, m Message) error {
	switch svc.ID {
	case "webhook":
		return s.webhook(ctx, u, m)
	case "generic":
		return s.generic(ctx, u, m)
	}
	// Its own log lines may show secrets.
	r, err := router.New(log.New(io.Discard, "", 0))
	if err != nil {
		return err
	}
	r.Timeout = s.o.Timeout
	service, err := r.Locate(text)
	if err != nil {
		return &errs.Error{Kind: errs.Invalid, Op: "notify.Send", Item: svc.ID, Safe: "the address is not complete; it looks like " + svc.Help, Cause: err}
	}
	body, params := m.Title+"\n\n"+m.Text, types.Params{}
	if svc.ID == "smtp" {
		body, params["subject"] = m.Text, m.Title
		if !s.nearby(u.Hostname()) && plain(u) == "" {
			params["requirestarttls"] = "yes" // else a server that offers none is spoken to in the clear
		}
	}
	if m.Link != "" {
		body += "\n\n" + m.Link
	}
	return service.Send(body, &params)
}

// bounded cuts what is too long and keeps a title on one line, so that it cannot begin another header of a mail.
func (m Message) bounded() Message {
	m.Title, m.Text = cut(strings.Join(strings.Fields(m.Title), " "), maxTitle), cut(strings.ReplaceAll(m.Text, "\r", ""), maxText)
	m.Link = cut(m.Link, maxURL)
	return m
}

func cut(s string, n int) string {
	if s = strings.ToValidUTF8(s, "?"); len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}

// reach refuses a host that may not be called.
func (s *Sender) reach(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := s.o.Reach.Host(ctx, host)
	switch {
	case errors.Is(err, dial.ErrAddress):
		return errs.New(errs.Forbidden, "notify.Check", "address", "leads into a private network, which alerts may not call; whoever runs Spillway can allow it")
	case err != nil:
		return errs.New(errs.Unavailable, "notify.Check", "address", "names a host that cannot be found")
	}
	return nil
}

// nearby reports whether a host may be called without TLS: it is this machine, and calling that is allowed.
func (s *Sender) nearby(host string) bool {
	ip, err := netip.ParseAddr(host)
	return s.o.Reach.Loopback && (host == "localhost" || (err == nil && ip.Unmap().IsLoopback()))
}

// statusError is an answer that is not a success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("the service answers %d", int(e)) }

var (
	status  = regexp.MustCompile(`\b([345]\d\d)\b`)
	address = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+`)
)

// explain makes an error that says what to do and shows nothing of the URL.
func explain(svc Service, u *url.URL, err error) error {
	if e, ours := errors.AsType[*errs.Error](err); ours {
		return &errs.Error{Kind: e.Kind, Op: e.Op, Item: e.Item, Safe: e.Safe, Cause: errors.New(redact(u, err.Error()))}
	}
	out := &errs.Error{Kind: errs.Unavailable, Op: "notify.Send", Item: svc.ID, Cause: errors.New(redact(u, err.Error()))}
	code := 0
	if s, ok := errors.AsType[statusError](err); ok {
		code = int(s)
	} else if m := status.FindString(redact(u, err.Error())); m != "" {
		code = int(m[0]-'0')*100 + int(m[1]-'0')*10 + int(m[2]-'0')
	}
	_, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, router.ErrServiceTimeout):
		out.Safe = "the service did not answer in time; the message may have arrived"
	case errors.Is(err, dial.ErrAddress):
		out.Kind, out.Safe = errs.Forbidden, "the address leads into a private network, which alerts may not call"
	case code == http.StatusTooManyRequests:
		out.Kind, out.Safe = errs.Busy, "the service takes no more messages for a while"
	case svc.ID == "smtp" && code >= 400 && code < 500, svc.ID != "smtp" && code >= 500: // mail counts the other way round
		out.Safe = "the service has a disturbance of its own"
	case code >= 300:
		out.Kind, out.Safe = errs.Invalid, "the service refuses the message: its address, its key or what it points to is wrong"
	case isNet:
		out.Safe = "the service cannot be reached"
	default:
		out.Safe = "the service did not take the message"
	}
	return out
}

// shortest is the length from which a part of a URL is taken for a secret: shorter ones would blank ordinary words.
const shortest = 4

// redact blanks all parts of a service URL in a text, and what follows the host in any other address.
func redact(u *url.URL, text string) string {
	text = address.ReplaceAllStringFunc(text, func(a string) string {
		p, err := url.Parse(a)
		if err != nil || strings.EqualFold(p.Scheme, u.Scheme) {
			return "…"
		}
		return p.Scheme + "://" + p.Hostname() + "/…"
	})
	parts := []string{u.Hostname(), u.User.Username(), u.RawQuery, u.Fragment}
	if p, ok := u.User.Password(); ok {
		parts = append(parts, p)
	}
	parts = append(parts, strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' || r == ':' })...)
	for _, vs := range u.Query() {
		for _, v := range vs {
			parts = append(parts, v)
			parts = append(parts, strings.Split(v, ",")...)
		}
	}
	for _, p := range parts {
		if len(p) < shortest || p == u.Hostname() && strings.Contains(p, ".") {
			continue // a host with a dot is no token, and says which service failed
		}
		for _, form := range []string{p, url.QueryEscape(p), url.PathEscape(p)} {
			text = strings.ReplaceAll(text, form, "…")
		}
	}
	return cut(text, maxTitle*2)
}
