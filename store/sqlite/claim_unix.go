//go:build unix

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks f for as long as it is open. It is false where another holds it.
func lockFile(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
