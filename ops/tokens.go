package ops

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// tokenPrefix makes a token that was published by mistake findable.
	tokenPrefix = "spw_"
	// tokenBytes are drawn at random: more than anybody can guess.
	tokenBytes = 32
	// tokenTrust is how long a token once found good is not looked up again: revoking one takes this long at most to be felt.
	tokenTrust = 5 * time.Second
	// maxTrusted bounds what is remembered; a program uses one or two tokens.
	maxTrusted = 1000
	// maxTokenName bounds the name people know a token by.
	maxTokenName = 100
)

// trusted are the tokens lately found good.
type trusted struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]trust
}

type trust struct {
	token store.APIToken
	until time.Time
}

// TokenAreas are what a token may be limited to, each alone or with ":read" or ":write" behind it.
var TokenAreas = []string{"reservations", "items", "health", "incidents", "custody", "nodes", "routes", "carriers", "handling", "shipping", "capacity", "floor"}

// MayToken reports whether a token may do something of an area. One without scopes may do everything.
func MayToken(t store.APIToken, area string, write bool) bool {
	wanted := area + ":read"
	if write {
		wanted = area + ":write"
	}
	return len(t.Scopes) == 0 || slices.Contains(t.Scopes, area) || slices.Contains(t.Scopes, wanted)
}

func checkScopes(op string, scopes []string) error {
	for _, s := range scopes {
		area, what, limited := strings.Cut(s, ":")
		if !slices.Contains(TokenAreas, area) || (limited && what != "read" && what != "write") {
			return errs.New(errs.Invalid, op, s, "is no scope: it is one of %s, alone or with “:read” or “:write” behind it", strings.Join(TokenAreas, ", "))
		}
	}
	return nil
}

// NewToken makes a token for a program and returns it. It is not kept and cannot be shown again. Without scopes it may do everything.
func (x *Ops) NewToken(ctx context.Context, name, actor string, scopes ...string) (string, store.APIToken, error) {
	const op = "ops.NewToken"
	if name = strings.TrimSpace(name); name == "" || len(name) > maxTokenName {
		return "", store.APIToken{}, errs.New(errs.Invalid, op, "name", "is needed, of at most %d letters: say which program the token is for", maxTokenName)
	}
	if err := checkScopes(op, scopes); err != nil {
		return "", store.APIToken{}, err
	}
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails
	plain := tokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
	hash := sha256.Sum256([]byte(plain))
	t := store.APIToken{ID: id.New(), Name: name, Hash: hash[:], CreatedBy: actor, Scopes: scopes}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		t.CreatedAt = tx.Now()
		if err := tx.TokenAdd(t); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "token.made", Subject: t.ID, Data: jsonOf(map[string]string{"name": name, "by": actor})}})
	})
	return plain, t, errs.Wrap(op, name, err)
}

// Tokens lists the tokens, revoked ones too.
func (x *Ops) Tokens(ctx context.Context) (out []store.APIToken, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = tx.TokensAll()
		return err
	})
	return out, errs.Wrap("ops.Tokens", "", err)
}

// RevokeToken ends a token; within seconds nobody gets in by it.
func (x *Ops) RevokeToken(ctx context.Context, id, actor string) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.TokenRevoke(id); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "token.revoked", Subject: id, Data: jsonOf(map[string]string{"by": actor})}})
	})
	x.trusted.mu.Lock()
	clear(x.trusted.tokens)
	x.trusted.mu.Unlock()
	return errs.Wrap("ops.RevokeToken", id, err)
}

// Authenticate finds the token a caller shows. Errors: Unauthenticated.
func (x *Ops) Authenticate(ctx context.Context, plain string) (store.APIToken, error) {
	const op = "ops.Authenticate"
	none := errs.New(errs.Unauthenticated, op, "", "the token is not known or was revoked; make one with `spillway token new NAME`")
	if !strings.HasPrefix(plain, tokenPrefix) {
		return store.APIToken{}, none
	}
	hash, now := sha256.Sum256([]byte(plain)), x.now()
	x.trusted.mu.Lock()
	t, ok := x.trusted.tokens[hash]
	x.trusted.mu.Unlock()
	if ok && now.Before(t.until) {
		return t.token, nil
	}
	var found store.APIToken
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.TokenByHash(hash[:])
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return found, none
	}
	if err != nil {
		return found, errs.Wrap(op, "", err)
	}
	x.trusted.mu.Lock()
	defer x.trusted.mu.Unlock()
	if x.trusted.tokens == nil || len(x.trusted.tokens) >= maxTrusted {
		x.trusted.tokens = map[[sha256.Size]byte]trust{}
	}
	x.trusted.tokens[hash] = trust{found, now.Add(tokenTrust)}
	return found, nil
}
