//go:build !redis

package bench

import (
	"context"

	"github.com/spillway/spillway/kit/errs"
)

// redisServer is not in this build. The two clients take as long to compile as a quarter of all the rest, and only this comparison wants them:
// whoever tries Spillway does not wait for it.
type redisServer struct{}

const withRedis = false

func startRedis(context.Context) (*redisServer, error) {
	return nil, errs.New(errs.NotFound, "bench ledger", "redis", "this program was built without the Redis clients; with them: go run -tags redis ./cmd/spillway bench ledger")
}

func (*redisServer) version(context.Context) string { return "" }

func (*redisServer) close() error { return nil }

func redisPool(*redisServer, int) *contender { return nil }

func redisPiped(*redisServer) (*contender, error) { return nil, nil }
