package sqlcore

import (
	"database/sql"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// APIToken lets a program call the JSON API. The token itself is known to its holder alone.
type APIToken struct {
	ID, Name             string
	Hash                 []byte // SHA-256 of the token
	CreatedBy            string
	CreatedAt, RevokedAt time.Time // RevokedAt is zero while it is good
	Scopes               []string  // what it may do; none: everything
}

var (
	tokenCols = []col{{"id", text}, {"name", text}, {"hash", bytea}, {"created_by", text}, {"created_at", bigint}, {"revoked_at", bigint}, {"scopes", text}}
	tokenList = names(tokenCols, plain, ", ")

	tokenAdd    = insert("store.TokenAdd", "api_token", tokenCols, "")
	tokenByHash = def("store.TokenByHash", "SELECT "+tokenList+" FROM api_token WHERE hash = $1 AND revoked_at = 0")
	tokensAll   = def("store.TokensAll", "SELECT "+tokenList+" FROM api_token ORDER BY created_at, id")
	tokenRevoke = def("store.TokenRevoke", "UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0")
)

// TokenAdd stores a new token.
func (tx *Tx) TokenAdd(t APIToken) error {
	if t.ID == "" || t.Name == "" || len(t.Hash) == 0 {
		return errs.New(errs.Invalid, "store.TokenAdd", t.ID, "a token needs an id, a name and a hash")
	}
	if t.CreatedAt.IsZero() {
		t.CreatedAt = tx.now
	}
	_, err := tx.bulk(tokenAdd, [][]any{{t.ID, t.Name, t.Hash, t.CreatedBy, us(t.CreatedAt), us(t.RevokedAt), strings.Join(t.Scopes, " ")}})
	return err
}

func scanToken(r *sql.Rows, t *APIToken) error {
	var created, revoked int64
	var scopes string
	err := r.Scan(&t.ID, &t.Name, &t.Hash, &t.CreatedBy, &created, &revoked, &scopes)
	t.Scopes = strings.Fields(scopes)
	t.CreatedAt, t.RevokedAt = when(created), when(revoked)
	return err
}

// TokenByHash finds the good token with a hash. Errors: NotFound.
func (tx *Tx) TokenByHash(hash []byte) (APIToken, error) {
	t, ok, err := one(tx, tokenByHash, scanToken, hash)
	if err == nil && !ok {
		return t, errs.New(errs.NotFound, "store.TokenByHash", "", "there is no such token")
	}
	return t, err
}

// TokensAll lists all tokens, revoked ones too, the oldest first.
func (tx *Tx) TokensAll() ([]APIToken, error) { return query(tx, tokensAll, scanToken) }

// TokenRevoke ends a token. Errors: NotFound (no good token has this id).
func (tx *Tx) TokenRevoke(id string) error {
	n, err := tx.exec(tokenRevoke, id, us(tx.now))
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "store.TokenRevoke", id, "no good token has this id")
	}
	return err
}
