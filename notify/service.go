package notify

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// Service is a way of reaching somebody.
type Service struct {
	ID   string // the scheme of its URLs
	Name string
	Help string // what an address looks like
	host place
}

// place is where an address holds the host that is called.
type place uint8

const (
	fixed  place = iota // nowhere: it is the service's own
	inURL               // as the host of the URL
	either              // in the parameter host, or as the host of the URL
	ours                // called by our own client
)

// services are those that can be used. Others of shoutrrr's are left out: they log instead of sending, or wait for an answer without end.
var services = []Service{
	{"webhook", "Webhook, signed", "webhook://SECRET@hooks.example.com/path", ours},
	{"generic", "Gateway, such as for text messages", "generic://USER:KEY@sms.example.com/send?template=form&messagekey=Body&$To=+4912345", ours},
	{"slack", "Slack", "slack://hook:AAAA-BBBB-CCCC@webhook", fixed},
	{"teams", "Microsoft Teams", "teams://GROUP@TENANT/ALT/OWNER/EXTRA?host=example.webhook.office.com", either},
	{"discord", "Discord", "discord://TOKEN@WEBHOOKID", fixed},
	{"telegram", "Telegram", "telegram://TOKEN@telegram?chats=@channel", fixed},
	{"smtp", "Mail", "smtp://USER:PASSWORD@mail.example.com:587/?from=ops@example.com&to=lena@example.com", inURL},
	{"mattermost", "Mattermost", "mattermost://chat.example.com/TOKEN/channel", inURL},
	{"rocketchat", "Rocket.Chat", "rocketchat://chat.example.com/TOKENA/TOKENB/channel", inURL},
	{"zulip", "Zulip", "zulip://BOT:KEY@chat.example.com/?stream=ops", inURL},
	{"matrix", "Matrix", "matrix://USER:PASSWORD@matrix.example.com/?rooms=!room:example.com", inURL},
	{"ntfy", "ntfy", "ntfy://ntfy.sh/topic", inURL},
	{"gotify", "Gotify", "gotify://push.example.com/TOKEN", inURL},
	{"pushover", "Pushover", "pushover://shoutrrr:TOKEN@USER/", fixed},
	{"pagerduty", "PagerDuty", "pagerduty://events.pagerduty.com/INTEGRATIONKEY", inURL},
	{"opsgenie", "Opsgenie", "opsgenie://api.opsgenie.com/KEY", inURL},
	{"googlechat", "Google Chat", "googlechat://chat.googleapis.com/v1/spaces/SPACE/messages?key=KEY&token=TOKEN", inURL},
	{"wecom", "WeCom", "wecom://KEY", fixed},
}

// Services lists the ways of reaching somebody.
func Services() []Service { return slices.Clone(services) }

// maxURL bounds a service URL; the longest kinds, with tokens, stay below a kilobyte.
const maxURL = 2048

// safeOnly are parameters that switch TLS or its checks off unless they have one of these values.
var safeOnly = map[string][]string{
	"disabletls": {"no", "false", "0"}, "skiptlsverify": {"no", "false", "0"}, "skiptlsverification": {"no", "false", "0"}, "insecureskipverify": {"no", "false", "0"},
	"scheme": {"https"}, "encryption": {"auto", "explicittls", "implicittls"}, "usestarttls": {"yes", "true", "1"}, "starttls": {"yes", "true", "1"},
}

// plain names a parameter that switches TLS or its checks off.
func plain(u *url.URL) string {
	for name, vs := range u.Query() {
		safe, known := safeOnly[strings.ToLower(name)]
		if known && slices.ContainsFunc(vs, func(v string) bool { return !slices.Contains(safe, strings.ToLower(v)) }) {
			return name
		}
	}
	return ""
}

// parse reads a service URL. Its errors show nothing of it.
func parse(text string) (Service, *url.URL, error) {
	const op = "notify.Check"
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Scheme == "" || strings.ContainsAny(text, "\r\n\x00") {
		return Service{}, nil, errs.New(errs.Invalid, op, "address", "is not a service URL such as %s", services[0].Help)
	}
	i := slices.IndexFunc(services, func(s Service) bool { return s.ID == strings.ToLower(u.Scheme) })
	if i < 0 {
		return Service{}, nil, errs.New(errs.Invalid, op, "address", "names no service that is known here; known are %s", strings.Join(ids(), ", "))
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return Service{}, nil, errs.New(errs.Invalid, op, "address", "has parameters that cannot be read")
	}
	return services[i], u, nil
}

func ids() []string {
	out := make([]string, len(services))
	for i, s := range services {
		out[i] = s.ID
	}
	return out
}

// parameter finds a parameter by its name without regard to case, as shoutrrr does.
func parameter(u *url.URL, name string) string {
	for k, v := range u.Query() {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// target is the host an address leads to; empty: the service's own.
func (s Service) target(u *url.URL) string {
	switch s.host {
	case fixed:
		return ""
	case either:
		if h := parameter(u, "host"); h != "" {
			return hostOf(h)
		}
		return ""
	}
	return u.Hostname()
}

func hostOf(h string) string {
	if host, _, err := net.SplitHostPort(h); err == nil {
		return host
	}
	return h
}

// Check refuses a service URL that cannot be used or may not be called, without calling it. Errors: Invalid, Forbidden (its host is private),
// Unavailable (its host cannot be found).
func (s *Sender) Check(ctx context.Context, text string) error {
	_, _, err := s.usable(ctx, text)
	return err
}

func (s *Sender) usable(ctx context.Context, text string) (Service, *url.URL, error) {
	const op = "notify.Check"
	svc, u, err := parse(text)
	if err != nil {
		return svc, u, err
	}
	host := svc.target(u)
	if svc.host == inURL || svc.host == ours {
		if host == "" {
			return svc, u, errs.New(errs.Invalid, op, "address", "names no host; it looks like %s", svc.Help)
		}
		if svc.host == inURL && parameter(u, "host") != "" { // some services let it replace the other
			return svc, u, errs.New(errs.Invalid, op, "address", "names two hosts")
		}
	}
	if name := plain(u); name != "" && !s.nearby(host) && !s.relay(svc, name) {
		return svc, u, errs.New(errs.Invalid, op, name, "switches TLS or its checks off, which is not done")
	}
	if host != "" {
		err = s.reach(ctx, host)
	}
	return svc, u, err
}

// relay reports whether a parameter is that of a mail relay of the operator's own, which may speak without TLS. Its certificate is checked if it has one.
func (s *Sender) relay(svc Service, name string) bool {
	name = strings.ToLower(name)
	return s.o.Reach.Private && svc.ID == "smtp" && (strings.HasSuffix(name, "starttls") || name == "encryption")
}

// Describe says of a service URL which service it is and which one of several, and nothing that is secret: "hooks.example.com, ending …x9f2".
func Describe(text string) (service, hint string) {
	svc, u, err := parse(text)
	if err != nil {
		return "", "cannot be read"
	}
	hint = svc.Name
	if host := svc.target(u); host != "" {
		hint = host
	}
	if tail := strings.TrimRight(strings.TrimSpace(text), "/"); svc.ID != "smtp" && len(tail) > 40 {
		return svc.ID, hint + ", ending …" + tail[len(tail)-4:]
	}
	return svc.ID, hint
}
