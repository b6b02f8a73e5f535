package dial

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestOnlyThePublicInternetIsReached(t *testing.T) {
	for addr, want := range map[string][4]bool{ // nothing allowed, loopback, private, both
		"1.1.1.1": {true, true, true, true}, "2606:4700:4700::1111": {true, true, true, true},
		"127.0.0.1": {false, true, false, true}, "::1": {false, true, false, true}, "::ffff:127.0.0.1": {false, true, false, true}, "127.9.9.9": {false, true, false, true},
		"10.0.0.1": {false, false, true, true}, "192.168.1.1": {false, false, true, true}, "172.16.0.1": {false, false, true, true}, "fd00::1": {false, false, true, true},
		"169.254.169.254": {}, "fe80::1%eth0": {}, "0.0.0.0": {}, "::": {}, "224.0.0.1": {}, "100.64.0.1": {}, "64:ff9b::7f00:1": {}, "2002:7f00:1::": {}, "255.255.255.255": {},
	} {
		for n, r := range []Reach{{}, {Loopback: true}, {Private: true}, {Loopback: true, Private: true}} {
			if got := r.Allows(netip.MustParseAddr(addr)); got != want[n] {
				t.Errorf("%+v reaches %s: %t", r, addr, got)
			}
		}
	}
	if (Reach{}).Allows(netip.Addr{}) {
		t.Error("no address is reached")
	}
}

func TestADialerLooksAtTheAddressItConnectsTo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	at := net.JoinHostPort("localhost", port)
	if c, err := (Reach{}).Dialer(time.Second).DialContext(t.Context(), "tcp4", at); !errors.Is(err, ErrAddress) {
		t.Errorf("%v %v", c, err)
	}
	c, err := Reach{Loopback: true}.Dialer(time.Second).DialContext(t.Context(), "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := (Reach{}).Host(t.Context(), "localhost"); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	if err := (Reach{Loopback: true}).Host(t.Context(), "localhost"); err != nil {
		t.Error(err)
	}
}
