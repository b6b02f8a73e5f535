package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of passwords and of the work to check them.
const (
	minPassword = 12  // characters; NIST SP 800-63B asks for at least 8, and for length before composition rules
	maxPassword = 256 // bytes; hashing cost does not grow with it, memory of forms does
	maxHashes   = 2   // at once: each takes hashMemory, and the machine has other work
)

// Parameters of argon2id: the second recommended option of RFC 9106, section 4.
const (
	hashMemory  = 64 << 10 // KiB
	hashTime    = 3
	hashThreads = 4
	hashSalt    = 16
	hashKey     = 32
)

// hashPassword makes an argon2id hash in PHC form, with its parameters, so that they can be raised later.
func (s *Site) hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails
	key, err := s.derive(ctx, password, salt, hashTime, hashMemory, hashThreads)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashThreads,
		enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// phc is an argon2id hash taken apart.
type phc struct {
	rounds, memory uint32
	threads        uint8
	salt, key      []byte
}

// parsePHC reads a hash in the form hashPassword writes. Parameters far beyond ours are refused: checking them would burn the machine.
func parsePHC(hash string) (phc, bool) {
	var p phc
	var version int
	f := strings.Split(hash, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" {
		return p, false
	}
	if _, err := fmt.Sscanf(f[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, false
	}
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memory, &p.rounds, &p.threads); err != nil {
		return p, false
	}
	if p.memory == 0 || p.memory > 16*hashMemory || p.rounds == 0 || p.rounds > 16 || p.threads == 0 {
		return p, false
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(f[4])
	p.key, err2 = base64.RawStdEncoding.DecodeString(f[5])
	return p, err1 == nil && err2 == nil && len(p.key) == hashKey
}

// checkPassword reports whether password belongs to hash. A hash of another form never matches.
func (s *Site) checkPassword(ctx context.Context, password, hash string) (bool, error) {
	p, ok := parsePHC(hash)
	if !ok {
		return false, nil
	}
	key, err := s.derive(ctx, password, p.salt, p.rounds, p.memory, p.threads)
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1, err
}

// absentHash has the cost of a real one, so that an unknown email takes as long to refuse as a wrong password.
var absentHash = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashThreads,
	base64.RawStdEncoding.EncodeToString(make([]byte, hashSalt)), base64.RawStdEncoding.EncodeToString(make([]byte, hashKey)))

// derive computes one hash, at most maxHashes at once; it waits for its turn as long as the visitor does.
func (s *Site) derive(ctx context.Context, password string, salt []byte, rounds, memory uint32, threads uint8) ([]byte, error) {
	select {
	case s.hashes <- struct{}{}:
		defer func() { <-s.hashes }()
	case <-ctx.Done():
		return nil, errs.New(errs.Busy, "web.derive", "", "Too many sign-ins at once. Try again in a moment.")
	}
	return argon2.IDKey([]byte(password), salt, rounds, memory, threads, hashKey), nil
}

// weakPassword says what is wrong with a new password; empty: nothing.
func weakPassword(password, email string) string {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Sprintf("Use at least %d characters. A few unrelated words are good.", minPassword)
	case len(password) > maxPassword:
		return fmt.Sprintf("Use at most %d bytes.", maxPassword)
	case strings.EqualFold(password, email):
		return "The password must not be the email address."
	}
	return ""
}
