//go:build redis

package bench

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/spillway/spillway/kit/errs"
)

// redisScript is the usual flash-sale recipe, with what a ledger needs besides the counter: the reservation by id and a journal.
const redisScript = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if tonumber(redis.call('GET', KEYS[1])) < 1 then return 0 end
redis.call('DECR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[2])
return 1`

// redisServer is a server of our own that syncs its log before it answers.
type redisServer struct {
	cmd  *exec.Cmd
	dir  string
	addr string
}

const withRedis = true

func startRedis(ctx context.Context) (*redisServer, error) {
	const op = "bench ledger"
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errs.New(errs.NotFound, op, "redis", "redis-server is not installed (Debian or Ubuntu: apt-get install redis-server)")
	}
	s := &redisServer{}
	if s.dir, err = os.MkdirTemp("", "spillway-redis-"); err != nil {
		return nil, errs.Wrap(op, "redis", err)
	}
	if s.addr, err = freePort(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return nil, errs.Wrap(op, "redis", err)
	}
	s.cmd = exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxclients", "2000")
	if err := s.cmd.Start(); err != nil {
		return nil, errs.Wrap(op, "redis", err)
	}
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	for range 100 {
		if err = c.Ping(ctx).Err(); err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.close())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil, errors.Join(errs.Wrap(op, "redis", err), s.close())
}

// version is the server's.
func (s *redisServer) version(ctx context.Context) string {
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	info, err := c.InfoMap(ctx, "server").Result()
	if err != nil {
		return "of unknown version"
	}
	return info["Server"]["redis_version"]
}

func (s *redisServer) close() error {
	_ = s.cmd.Process.Kill() // it is thrown away
	_ = s.cmd.Wait()
	return os.RemoveAll(s.dir)
}

// redisPool reserves with go-redis, the client most teams use, with a connection for each caller.
func redisPool(s *redisServer, callers int) *contender {
	c := redis.NewClient(&redis.Options{Addr: s.addr, PoolSize: callers, MinIdleConns: callers})
	script := redis.NewScript(redisScript)
	return redisContender("redis", func(ctx context.Context, keys, args []string) (int64, error) {
		return script.Run(ctx, c, keys, args[0], args[1]).Int64()
	}, c, c.Close)
}

// redisPiped reserves with rueidis, which gathers the calls of all callers into pipelines.
func redisPiped(s *redisServer) (*contender, error) {
	r, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.addr}, DisableCache: true})
	if err != nil {
		return nil, errs.Wrap("bench ledger", "redis-rueidis", err)
	}
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	script := rueidis.NewLuaScript(redisScript)
	return redisContender("redis-rueidis", func(ctx context.Context, keys, args []string) (int64, error) {
		return script.Exec(ctx, r, keys, args).AsInt64()
	}, c, func() error { r.Close(); return c.Close() }), nil
}

func redisContender(name string, run func(ctx context.Context, keys, args []string) (int64, error), c *redis.Client, end func() error) *contender {
	return &contender{
		name: name, close: end,
		reserve: func(ctx context.Context, id, item string) (bool, error) {
			n, err := run(ctx, []string{name + ":s:" + item, name + ":r:" + id, name + ":j:" + item}, []string{item + " 1", "reserve 1 " + id})
			return n == 1, err
		},
		stock: func(ctx context.Context, items []string, units int64) error {
			for _, it := range items {
				if err := c.SetArgs(ctx, name+":s:"+it, strconv.FormatInt(units, 10), redis.SetArgs{}).Err(); err != nil {
					return err
				}
				if err := c.Set(ctx, name+":u:"+it, units, 0).Err(); err != nil {
					return err
				}
			}
			return nil
		},
		prove: func(ctx context.Context, item string) (int64, error) {
			units, err1 := c.Get(ctx, name+":u:"+item).Int64()
			left, err2 := c.Get(ctx, name+":s:"+item).Int64()
			moved, err3 := c.LLen(ctx, name+":j:"+item).Result()
			return units - left, agree(name, units-left, moved, moved, errors.Join(err1, err2, err3))
		},
	}
}
