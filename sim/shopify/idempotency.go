package shopify

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/sim/shopify/internal/graphql"
)

const (
	idempotencyWindow = 24 * time.Hour // how long a key is remembered; the vendor does not promise more
	maxKeys           = 100_000        // and how many at most
	maxKeyLength      = 255
)

// attempt is what became of a mutation with an idempotency key.
type attempt struct {
	hash    [sha256.Size]byte
	at      time.Time
	owner   *request // the request that runs it now, nil when it is done
	failed  bool
	payload graphql.Map
}

// once runs a mutation under the version's idempotency rules. run gives the payload and whether it failed. refuse makes
// the payload that carries a user error. The caller holds the lock.
func (s *Sim) once(x *graphql.Exec, args graphql.Args, refuse func(code, message string) graphql.Map, run func() (graphql.Map, bool)) any {
	r := x.Context.(*request)
	dir := x.Directive("idempotent")
	if dir == nil {
		if r.version.idempotent == directiveRequired {
			return graphql.Errorf("BAD_REQUEST", "The @idempotent directive is required for this mutation but was not provided.")
		}
		payload, _ := run()
		return payload
	}
	key := dir.Str("key")
	if key == "" || len(key) > maxKeyLength {
		return graphql.Errorf("BAD_REQUEST", "The @idempotent directive needs a key of 1 to %d characters.", maxKeyLength)
	}
	s.forgetKeys()
	text, _ := json.Marshal([]any{x.FieldName(), args}) // plain values; maps are written in order
	hash := sha256.Sum256(text)
	if a := s.idempotent[key]; a != nil && a.owner != r {
		switch {
		case a.owner != nil:
			return refuse("IDEMPOTENCY_CONCURRENT_REQUEST", "This request is currently in progress, please try again.")
		case a.hash != hash:
			return refuse("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The same idempotency key cannot be used with different operation parameters.")
		case a.failed:
			return refuse("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "The previous attempt with this idempotency key failed. Use a new key.")
		}
		return a.payload
	}
	payload, failed := run()
	if s.idempotent[key] == nil {
		s.keys = append(s.keys, key)
	}
	s.idempotent[key] = &attempt{hash: hash, at: s.opts.Clock.Now(), failed: failed, payload: payload}
	return payload
}

// forgetKeys drops keys that are past the window or over the bound.
func (s *Sim) forgetKeys() {
	now := s.opts.Clock.Now()
	for len(s.keys) > 0 {
		a := s.idempotent[s.keys[0]]
		if a != nil && (a.owner != nil || now.Sub(a.at) < idempotencyWindow && len(s.keys) <= maxKeys) {
			return
		}
		delete(s.idempotent, s.keys[0])
		s.keys = s.keys[1:]
	}
}

// begin marks the keys of a request as in flight, so that a second request with the same key that arrives while an arranged
// delay holds the first one is told so. end unmarks those that were never run.
func (s *Sim) begin(r *request, keys []string) {
	if len(keys) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetKeys()
	for _, k := range keys {
		if s.idempotent[k] == nil {
			s.idempotent[k] = &attempt{owner: r, at: s.opts.Clock.Now()}
			s.keys = append(s.keys, k)
		}
	}
}

func (s *Sim) end(r *request, keys []string) {
	if len(keys) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if a := s.idempotent[k]; a != nil && a.owner == r {
			delete(s.idempotent, k)
			for i := len(s.keys) - 1; i >= 0; i-- { // it was added a moment ago: near the end
				if s.keys[i] == k {
					s.keys = append(s.keys[:i], s.keys[i+1:]...)
					break
				}
			}
		}
	}
}
