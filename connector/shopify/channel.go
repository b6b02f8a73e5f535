package shopify

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/spillway/spillway/connector/driver"
)

// channel is one connected shop.
type channel struct {
	conn         driver.Connection
	env          driver.Env
	version      version
	endpoint     string
	budget       budget
	otherVersion sync.Once
}

var (
	_ driver.Channel    = (*channel)(nil)
	_ driver.Backfiller = (*channel)(nil)
)

// Open implements driver.Vendor.
func (Vendor) Open(conn driver.Connection, env driver.Env) (driver.Channel, error) {
	return open(conn, env)
}

func open(conn driver.Connection, env driver.Env) (*channel, error) {
	v := strings.TrimSpace(conn.Settings[SettingShopVersion])
	if v == "" {
		v = setting(conn.App, SettingVersion)
	}
	if !version(v).valid() {
		return nil, &driver.Error{Class: driver.AskHuman, Message: fmt.Sprintf("%q is not a version of the Admin API from %s on", v, oldestVersion)}
	}
	shop := conn.Shop.ExternalID
	if !shopForm.MatchString(shop) {
		return nil, &driver.Error{Class: driver.AskHuman, Message: fmt.Sprintf("%q is not the myshopify.com name of a shop", shop)}
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	return &channel{
		conn: conn, env: env, version: version(v), endpoint: address(conn.App, shop, "/admin/api/"+v+"/graphql.json"),
	}, nil
}
