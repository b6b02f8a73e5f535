// Package dial says which addresses an outbound call of ours may go to: the public internet, and nothing inside our own network that an
// address entered by a person, or a name that changes its meaning, could lead to.
package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrAddress refuses an address inside our own network.
var ErrAddress = errors.New("the address is private and outbound calls may not go there")

// Reach is how far calls may go.
type Reach struct {
	Loopback bool // this machine: simulators and tests
	Private  bool // private networks: an operator's own relay
}

// reserved lists address blocks that are not the public internet but that netip has no word for (IANA special-purpose registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// Allows reports whether a call may go to an address. Link-local addresses, where clouds keep their credentials, are never reached.
func (r Reach) Allows(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast():
		return false
	case ip.IsLoopback():
		return r.Loopback
	case ip.IsPrivate():
		return r.Private
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// Dialer checks each address in the moment it is connected to, after its name was resolved, so that a name cannot change in between.
func (r Reach) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !r.Allows(at.Addr()) {
			return ErrAddress
		}
		return nil
	}}
}

// Host resolves a name and refuses it if any address of it may not be reached. It is for callers that cannot use a [Reach.Dialer]: the name may
// mean something else by the time they connect.
func (r Reach) Host(ctx context.Context, host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		if !r.Allows(ip) {
			return ErrAddress
		}
		return nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		if !r.Allows(ip) {
			return ErrAddress
		}
	}
	return nil
}
