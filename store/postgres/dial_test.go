//go:build linux

package postgres

import (
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// Sessions are made so that a host that has died is noticed in seconds.
func TestASilentServerIsNoticed(t *testing.T) {
	cfg, err := pgx.ParseConfig("postgres://u@127.0.0.1/x")
	if err != nil {
		t.Fatal(err)
	}
	setDefaults(cfg)
	if cfg.ConnectTimeout != connectTime {
		t.Errorf("a session may take %v to make", cfg.ConnectTimeout)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, copied := range []*pgx.ConnConfig{cfg, cfg.Copy()} {
		c, err := copied.DialFunc(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		option := func(level, name int) (n int) {
			if e := raw.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), level, name) }); e != nil || err != nil {
				t.Fatal(e, err)
			}
			return n
		}
		alive := option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE) + option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)*option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
		if sent := option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); time.Duration(sent)*time.Millisecond != silentTime || alive > 12 || option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 {
			t.Errorf("noticed after %d ms when something was sent, %d s when nothing was", sent, alive)
		}
	}
	own, err := pgx.ParseConfig("postgres://u@127.0.0.1/x?connect_timeout=30")
	if err != nil {
		t.Fatal(err)
	}
	if setDefaults(own); own.ConnectTimeout != 30*time.Second {
		t.Errorf("what the URL says does not count: %v", own.ConnectTimeout)
	}
}
