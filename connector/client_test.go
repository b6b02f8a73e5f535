package connector

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true,
		"127.0.0.1:443": false, "[::1]:443": false, "10.1.2.3:443": false, "172.16.0.1:443": false, "192.168.1.1:443": false,
		"169.254.169.254:80": false, "100.64.0.1:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false, "255.255.255.255:443": false,
		"[fe80::1%eth0]:443": false, "[fc00::1]:443": false, "[::ffff:10.0.0.1]:443": false, "[64:ff9b::a00:1]:443": false,
		"[::]:443": false, "[2002:a00:1::]:443": false, "198.18.0.1:443": false, "nonsense": false,
	} {
		if err := checkAddress(address, false); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if checkAddress("127.0.0.1:1", true) != nil || checkAddress("[::1]:1", true) != nil {
		t.Error("loopback is refused although allowed")
	}
	if checkAddress("10.0.0.1:1", true) == nil {
		t.Error("allowing loopback opened the private network")
	}
}

func TestClientRefusesLoopbackAndPlain(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer srv.Close()
	for address, want := range map[string]error{srv.URL: ErrPlain, "https" + srv.URL[4:]: ErrAddress, "http://example.com/": ErrPlain} {
		resp, err := NewClient(ClientOptions{}).Get(address)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
	}
	// Refused before anything left: a push is surely not applied.
	req, _ := http.NewRequest(http.MethodPost, srv.URL, bytes.NewReader([]byte("x")))
	_, err := driver.Env{Client: NewClient(ClientOptions{})}.Do(t.Context(), driver.OpSet, req, nil)
	if err == nil || driver.MayBeApplied(err) {
		t.Errorf("a refused address: %v, applied %v", err, driver.MayBeApplied(err))
	}
}

func TestClientDoesNotFollowRedirects(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("https://example.com/?token=x", http.StatusFound))
	defer srv.Close()
	resp, err := NewClient(ClientOptions{AllowLoopback: true}).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	const limit = 1000
	sized := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if sized {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		} else {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(make([]byte, n))
	}))
	defer srv.Close()
	client := &http.Client{Transport: &guard{next: transport(ClientOptions{AllowLoopback: true}), loopback: true, limit: limit}}
	for _, sized = range []bool{true, false} {
		for n, ok := range map[int]bool{0: true, limit - 1: true, limit: true, limit + 1: false, 50 * limit: false} {
			resp, err := client.Get(srv.URL + "?n=" + strconv.Itoa(n))
			var got []byte
			if err == nil && sized && !ok {
				t.Errorf("%d announced bytes are read before they are refused", n)
			}
			if err == nil {
				got, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if ok && (err != nil || len(got) != n) {
				t.Errorf("%d bytes, sized %v: %d, %v", n, sized, len(got), err)
			}
			if !ok && (!errors.Is(err, ErrTooLarge) || len(got) > limit) {
				t.Errorf("%d bytes, sized %v: %d, %v", n, sized, len(got), err)
			}
		}
	}
}

func TestFilesAreBoundedInSilence(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("first"))
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(release)
	client := &http.Client{Transport: &guard{next: transport(ClientOptions{AllowLoopback: true}), loopback: true, limit: 100, silence: 500 * time.Millisecond}}
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if string(got) != "first" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLogKeepsTheNewest(t *testing.T) {
	var l Log
	for i := range 3 * keepExchanges {
		x := driver.Exchange{Status: i}
		if i%2 == 0 {
			x.Err = "no"
		}
		l.Add(x)
	}
	latest, failed := l.Latest(), l.Errors()
	if len(latest) != keepExchanges || latest[0].Status != 3*keepExchanges-1 || latest[keepExchanges-1].Status != 2*keepExchanges {
		t.Errorf("%d exchanges from %d to %d", len(latest), latest[0].Status, latest[len(latest)-1].Status)
	}
	if len(failed) != keepErrors || failed[0].Status != 3*keepExchanges-2 || failed[1].Status != 3*keepExchanges-4 {
		t.Errorf("%d errors from %d", len(failed), failed[0].Status)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add(`{"access_token":"abc"} Bearer abcdefghijk ann@example.com +49 171 2345678`, "topsecret")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := Redact(text+secret, secret)
		if len(got) > maxText+4 {
			t.Fatalf("%d bytes", len(got))
		}
		if len(secret) >= 6 && secret != "[secret]" && bytes.Contains([]byte(got), []byte(secret)) && !bytes.Contains([]byte("[secret][personal]"), []byte(secret)) {
			t.Fatalf("the secret %q stands in %q", secret, got)
		}
	})
}
