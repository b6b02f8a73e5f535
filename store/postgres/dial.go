package postgres

import (
	"net"
	"time"
)

const (
	// connectTime bounds making a session, where the URL does not.
	connectTime = 5 * time.Second
	// silentTime is after how long a server that does not even acknowledge what was sent counts as gone: a host that died tells nobody, and the kernel goes on
	// trying for a quarter of an hour, with every batch that was under way.
	silentTime = 10 * time.Second
)

// dialer notices within silentTime that the other host is gone, whether it was to answer or is only waited for.
func dialer() *net.Dialer {
	return &net.Dialer{Control: giveUp, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silentTime / 2, Interval: silentTime / 5, Count: 3}}
}
