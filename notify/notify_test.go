package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/dial"
	"github.com/spillway/spillway/kit/errs"
)

const secret = "correct-horse-battery"

var message = Message{ID: "d-1", Title: "Critical: a channel\r\nBcc: everybody@example.com", Text: "The shop does not answer.", Severity: "critical", Link: "https://ops.example.com/incidents/1",
	At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}

// near is a sender that may call this machine.
func near(t *testing.T, timeout time.Duration) *Sender {
	t.Helper()
	s := New(Options{Reach: dial.Reach{Loopback: true}, Timeout: timeout, Now: func() time.Time { return message.At }})
	t.Cleanup(s.Close)
	return s
}

// receiver answers with a status and keeps what it was sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies []string
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.bodies = append(r.got, req), append(r.bodies, string(body))
		if r.status == http.StatusFound {
			w.Header().Set("Location", "http://169.254.169.254/latest")
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) host() string { return strings.TrimPrefix(r.URL, "http://") }

func TestAWebhookIsSigned(t *testing.T) {
	r := newReceiver(t, http.StatusNoContent)
	if err := near(t, 0).Send(t.Context(), "webhook://"+secret+"@"+r.host()+"/alerts?team=ops", message); err != nil {
		t.Fatal(err)
	}
	req, body := r.got[0], []byte(r.bodies[0])
	at, err := strconv.ParseInt(req.Header.Get(HeaderTime), 10, 64)
	if err != nil || req.Header.Get(HeaderSignature) != Sign(secret, time.Unix(at, 0), body) || req.Header.Get(HeaderDelivery) != "d-1" {
		t.Errorf("%v %v", req.Header, err)
	}
	if req.Header.Get(HeaderSignature) == Sign("another-secret-of-length", time.Unix(at, 0), body) {
		t.Error("any secret signs alike")
	}
	var h hook
	if err := json.Unmarshal(body, &h); err != nil || h.ID != "d-1" || h.Severity != "critical" || strings.ContainsAny(h.Title, "\r\n") || h.Link == "" {
		t.Errorf("%s %v", body, err)
	}
	if req.URL.String() != "/alerts?team=ops" || strings.Contains(fmt.Sprint(req.Header, req.URL), secret) {
		t.Errorf("the secret left with the message: %v %v", req.URL, req.Header)
	}
}

func TestAGatewayIsSpokenToInItsWay(t *testing.T) {
	for _, c := range []struct{ query, kind, body string }{
		{"template=form&messagekey=Body&$To=%2B491234", "application/x-www-form-urlencoded", "Body=Critical%3A+a+channel"},
		{"template=json&messagekey=text&$channel=ops", "application/json", `"channel":"ops"`},
		{"", "text/plain; charset=utf-8", "Critical: a channel Bcc: everybody@example.com\nThe shop"},
	} {
		r := newReceiver(t, http.StatusCreated)
		if err := near(t, 0).Send(t.Context(), "generic://key:"+secret+"@"+r.host()+"/send?keep=1&@X-Team=ops&"+c.query, message); err != nil {
			t.Fatal(err)
		}
		user, pass, _ := r.got[0].BasicAuth()
		if r.got[0].Header.Get("Content-Type") != c.kind || !strings.Contains(r.bodies[0], c.body) || user != "key" || pass != secret || r.got[0].URL.RawQuery != "keep=1" ||
			r.got[0].Header.Get("X-Team") != "ops" {
			t.Errorf("%s: %v %q", c.query, r.got[0], r.bodies[0])
		}
	}
}

func TestAChatIsReachedThroughItsOwnInterface(t *testing.T) {
	r := newReceiver(t, http.StatusOK)
	if err := near(t, 0).Send(t.Context(), "mattermost://bot@"+r.host()+"/"+secret+"/ops?disabletls=yes", message); err != nil {
		t.Fatal(err)
	}
	if r.got[0].URL.Path != "/hooks/"+secret || !strings.Contains(r.bodies[0], "The shop does not answer.") || !strings.Contains(r.bodies[0], message.Link) {
		t.Errorf("%v %s", r.got[0].URL, r.bodies[0])
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for status, want := range map[int]errs.Kind{500: errs.Unavailable, 503: errs.Unavailable, 429: errs.Busy, 401: errs.Invalid, 404: errs.Invalid, 302: errs.Invalid} {
		r := newReceiver(t, status)
		for _, to := range []string{"webhook://" + secret + "@" + r.host() + "/x", "generic://" + r.host() + "/" + secret} {
			err := near(t, 0).Send(t.Context(), to, message)
			if !errs.Is(err, want) || strings.Contains(err.Error(), secret) {
				t.Errorf("%d: %v", status, err)
			}
		}
		if len(r.got) != 2 {
			t.Errorf("%d: %d calls", status, len(r.got))
		}
	}
}

func TestAServiceThatHangsIsGivenUp(t *testing.T) {
	hung := make(chan struct{})
	r := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer r.Close()
	defer close(hung)
	host := strings.TrimPrefix(r.URL, "http://")
	for _, to := range []string{"webhook://" + secret + "@" + host + "/x", "mattermost://" + host + "/" + secret + "?disabletls=yes"} {
		began := time.Now()
		err := near(t, 200*time.Millisecond).Send(t.Context(), to, message)
		if !errs.Is(err, errs.Unavailable) || time.Since(began) > 10*time.Second || strings.Contains(err.Error(), secret) {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	err := near(t, time.Second).Send(t.Context(), "webhook://"+secret+"@"+strings.TrimPrefix(closed.URL, "http://"), message)
	if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Safe(err), "cannot be reached") {
		t.Error(err)
	}
}

func TestPrivateAddressesAreNotCalled(t *testing.T) {
	r := newReceiver(t, http.StatusOK)
	far := New(Options{})
	defer far.Close()
	for _, to := range []string{"webhook://" + secret + "@" + r.host() + "/x", "generic://" + r.host(), "generic://10.0.0.1/x", "webhook://" + secret + "@169.254.169.254/latest",
		"smtp://127.0.0.1:25/?from=a@example.com&to=b@example.com", "mattermost://192.168.0.1/token", "gotify://localhost/token", "webhook://" + secret + "@[::1]/x", "ntfy://[::ffff:10.0.0.1]/x",
		"teams://a@b/c/d/e?host=127.0.0.1:99"} {
		if err := far.Send(t.Context(), to, message); !errs.Is(err, errs.Forbidden) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(r.got) != 0 {
		t.Errorf("%d calls", len(r.got))
	}
	// Even if the look beforehand is fooled, the connection is not made.
	if err := far.webhook(t.Context(), mustParse(t, "webhook://"+secret+"@"+r.host()), message); err == nil || len(r.got) != 0 {
		t.Errorf("%v, %d calls", err, len(r.got))
	}
	if err := New(Options{Reach: dial.Reach{Private: true}}).Check(t.Context(), "smtp://10.0.0.1:25/?from=a@example.com&to=b@example.com"); err != nil {
		t.Errorf("an operator's own relay: %v", err)
	}
	for to, want := range map[string]bool{"smtp://10.0.0.1:25/?usestarttls=no": true, "smtp://10.0.0.1:25/?encryption=None": true, "smtp://10.0.0.1:25/?skiptlsverify=yes": false, "gotify://10.0.0.1/T?disabletls=yes": false} {
		if err := New(Options{Reach: dial.Reach{Private: true}}).Check(t.Context(), to); (err == nil) != want {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAddressesThatCannotBeMeantAreRefused(t *testing.T) {
	far := New(Options{})
	for _, to := range []string{"", "hello", "logger://", "signal://x", "https://hooks.example.com", "webhook://", "webhook:///path", "smtp://1.1.1.1/?skiptlsverify=yes&to=a@example.com",
		"gotify://1.1.1.1/TOKEN?DisableTLS=yes", "ntfy://1.1.1.1/x?scheme=http", "smtp://1.1.1.1/?usestarttls=no", "smtp://1.1.1.1/?encryption=none", "ntfy://1.1.1.1/x?host=10.0.0.1",
		"webhook://" + secret + "@1.1.1.1/" + strings.Repeat("x", maxURL), "generic://1.1.1.1/%zz", "generic://1.1.1.1/x\r\nHost: y"} {
		if err := far.Check(t.Context(), to); !errs.Is(err, errs.Invalid) {
			t.Errorf("%.60s: %v", to, err)
		}
	}
	err := near(t, 0).Send(t.Context(), "webhook://short@127.0.0.1:1/x", message)
	if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Safe(err), "secret") {
		t.Error(err)
	}
	if err := near(t, 0).Send(t.Context(), "generic://127.0.0.1:1/x?template=odd", message); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	if err := far.Send(t.Context(), "pushover://odd", message); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

func TestNothingSecretIsShown(t *testing.T) {
	for to, want := range map[string]string{
		"webhook://" + secret + "@hooks.example.com/a/very/long/path/x9f2": "hooks.example.com, ending …x9f2",
		"smtp://ops:" + secret + "@mail.example.com:587/?to=lena@e.org":    "mail.example.com",
		"telegram://" + secret + ":AAH@telegram?chats=@some-channel-name":  "Telegram, ending …name",
		"nonsense": "cannot be read",
	} {
		if _, hint := Describe(to); hint != want {
			t.Errorf("%q, want %q", hint, want)
		}
	}
	u := mustParse(t, "discord://TOKENTOKEN@123456789")
	got := redact(u, `failed: Post "https://discord.com/api/webhooks/123456789/TOKENTOKEN?wait=1": EOF, discord://TOKENTOKEN@123456789 TOKENTOKEN`)
	if strings.Contains(got, "TOKEN") || strings.Contains(got, "12345") || !strings.Contains(got, "https://discord.com/…") {
		t.Error(got)
	}
	for _, s := range Services() {
		svc, _, err := parse(s.Help)
		if err != nil || svc.ID != s.ID {
			t.Errorf("the help of %s cannot be read: %v", s.ID, err)
		}
	}
}

// mailbox is a small SMTP server.
func mailbox(t *testing.T, refuse bool) (addr string, got chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan string, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serveMail(c, refuse, got) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String(), got
}

func serveMail(c net.Conn, refuse bool, got chan<- string) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s string) { fmt.Fprintf(c, "%s\r\n", s) }
	say("220 test")
	var data strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(verb, "RCPT") && refuse:
			say("550 no such user")
		case verb == "DATA":
			say("354 go on")
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				data.WriteString(line)
			}
			got <- data.String()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestMailArrives(t *testing.T) {
	addr, got := mailbox(t, false)
	to := "smtp://" + addr + "/?from=ops@example.com&to=lena@example.com&usestarttls=no"
	if err := near(t, 0).Send(t.Context(), to, message); err != nil {
		t.Fatal(err)
	}
	mail := <-got
	head, body, _ := strings.Cut(mail, "\r\n\r\n")
	if !strings.Contains(head, "Subject: Critical: a channel Bcc: everybody@example.com") || strings.Contains(head, "\nBcc:") || !strings.Contains(body, "does not answer") {
		t.Error(mail)
	}
	addr, _ = mailbox(t, true)
	if err := near(t, 0).Send(t.Context(), "smtp://"+addr+"/?from=ops@example.com&to=nobody@example.com&usestarttls=no", message); !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), "nobody@example.com") {
		t.Error(err)
	}
}

func TestNoMoreCallsThanAreAllowedAtOnce(t *testing.T) {
	s := near(t, 50*time.Millisecond)
	for range underWay {
		s.slots <- struct{}{}
	}
	if err := s.Send(context.Background(), "generic://127.0.0.1:1/x", message); !errs.Is(err, errs.Busy) {
		t.Error(err)
	}
}

func FuzzDescribe(f *testing.F) {
	for _, s := range Services() {
		f.Add(s.Help)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, hint := Describe(text)
		if u, err := url.Parse(strings.TrimSpace(text)); err == nil && u.User != nil {
			if p, ok := u.User.Password(); ok && len(p) > 4 && strings.Contains(hint, p) && !strings.Contains(u.Hostname(), p) {
				t.Errorf("%q shows %q", hint, p)
			}
		}
	})
}
