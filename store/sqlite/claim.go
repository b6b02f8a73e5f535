package sqlite

import (
	"os"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// claimTries times claimAgain is how long a claim waits for another that may only be a look.
const (
	claimTries = 10
	claimAgain = 10 * time.Millisecond
)

// claim takes the database for this program until release is called or the program ends, however it ends: the system frees a lock on a
// file with its owner. Tools that read and write a little beside a running program do not claim.
func (e *engine) claim() (release func() error, err error) {
	path := e.path + "-lock"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &errs.Error{Kind: errs.Unavailable, Op: "sqlite.Claim", Item: path, Safe: "the file cannot be made", Cause: err}
	}
	free, err := lockFile(f)
	for try := 0; try < claimTries && !free && err == nil; try++ { // somebody may only have looked whether it is taken
		<-time.After(claimAgain)
		free, err = lockFile(f)
	}
	if err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, &errs.Error{Kind: errs.Unavailable, Op: "sqlite.Claim", Item: path, Safe: "the file cannot be locked", Cause: err}
	}
	if !free {
		_ = f.Close() // it is the other's
		return nil, errs.New(errs.Conflict, "sqlite.Claim", e.path,
			"another Spillway is running on this database. SQLite serves one; several share a PostgreSQL database (--database postgres://…)")
	}
	return f.Close, nil
}
