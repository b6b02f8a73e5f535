package tiktok

import (
	"context"
	"net/url"
	"slices"

	"github.com/spillway/spillway/connector/driver"
)

// channel implements driver.Channel for one shop.
type channel struct {
	conn   driver.Connection
	env    driver.Env
	api    caller
	cipher string
	listed *listed
	known  *providers
}

var (
	_ driver.Channel    = (*channel)(nil)
	_ driver.CaseReader = (*channel)(nil)
	_ driver.Shipper    = (*channel)(nil)
	_ driver.Dispatcher = (*channel)(nil)
	_ driver.Recipients = (*channel)(nil)
	_ driver.Packager   = (*channel)(nil)
	_ driver.Bundler    = (*channel)(nil)
)

// call sends one request of the shop with its present token. also are codes besides 0 whose data is worth reading.
func call[T any](ctx context.Context, c *channel, op driver.Operation, e endpoint, path string, query url.Values, body any, also ...int64) (T, *driver.Answer, error) {
	token, err := c.env.Token(ctx)
	if err != nil {
		var none T
		return none, nil, err
	}
	env := c.env
	if lane, ok := paced[e]; ok && env.Pace != nil {
		env.Pace = func(ctx context.Context, _ driver.Operation) error { return c.env.Pace(ctx, lane) }
	}
	r := request{op: op, method: e.method, path: path, query: query, cipher: c.cipher, token: token, body: body, write: slices.Contains(changing, e)}
	return do[T](ctx, &c.api, env, r, also...)
}

// digits reports whether an id is one of the platform's: only these may stand in a path.
func digits(id string) bool {
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return id != "" && len(id) <= 64
}
