// Package seal encrypts secrets at rest with AES-256-GCM under keys the operator owns.
//
// A Ring holds several keys: the newest seals, all of them open, so a key can be rotated without a moment in which something
// cannot be read. Every sealed value names its key and is bound to its place (table, column, row), so a value copied to
// another row does not open there.
package seal

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

const (
	keyBytes = 32
	idBytes  = 4
	version  = 1
)

// Ring is a set of keys; the last one seals.
type Ring struct {
	ids   [][idBytes]byte
	aead  []cipher.AEAD
	first []byte // key of pseudonyms: the oldest, so that rotation does not change them
}

// NewKey returns a fresh key as one line of a key file.
func NewKey() string {
	b := make([]byte, idBytes+keyBytes)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// Parse reads a key file's text: one key a line as NewKey makes them, oldest first; blank lines and lines that begin with # are skipped.
func Parse(text string) (*Ring, error) {
	r := &Ring{}
	sc := bufio.NewScanner(strings.NewReader(text))
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(b) != idBytes+keyBytes {
			return nil, errs.New(errs.Invalid, "seal.Parse", fmt.Sprintf("line %d", n), "is not a key; a key is 48 characters of base64, made by 'spillway key new'")
		}
		block, err := aes.NewCipher(b[idBytes:])
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		if r.first == nil {
			mac := hmac.New(sha256.New, b[idBytes:])
			mac.Write([]byte("pseudonym"))
			r.first = mac.Sum(nil)
		}
		r.ids = append(r.ids, [idBytes]byte(b[:idBytes]))
		r.aead = append(r.aead, aead)
	}
	if len(r.aead) == 0 {
		return nil, errs.New(errs.Invalid, "seal.Parse", "key file", "has no key; make one with 'spillway key new'")
	}
	return r, sc.Err()
}

// Load reads the key file at path. If there is none it makes one, readable by its owner only.
func Load(path string) (*Ring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte("# Spillway keys: whoever holds this file can read the stored secrets. Back it up apart from the database.\n" + NewKey() + "\n")
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, errs.Wrap("seal.Load", path, err)
		}
		_, werr := f.Write(b)
		if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
			return nil, errs.Wrap("seal.Load", path, err)
		}
	} else if err != nil {
		return nil, errs.Wrap("seal.Load", path, err)
	}
	return Parse(string(b))
}

// Seal encrypts plain for one place, such as "app/secret/main".
func (r *Ring) Seal(place string, plain []byte) []byte {
	i := len(r.aead) - 1
	out := append([]byte{version}, r.ids[i][:]...)
	return r.aead[i].Seal(out, nil, plain, []byte(place))
}

// Open decrypts what Seal made for the same place.
func (r *Ring) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+idBytes || sealed[0] != version {
		return nil, errs.New(errs.Internal, "seal.Open", place, "is not a sealed value")
	}
	for i := range r.ids {
		if r.ids[i] == [idBytes]byte(sealed[1:1+idBytes]) {
			plain, err := r.aead[i].Open(nil, nil, sealed[1+idBytes:], []byte(place))
			if err != nil {
				return nil, errs.New(errs.Internal, "seal.Open", place, "does not open: it was changed, or moved from another place")
			}
			return plain, nil
		}
	}
	return nil, errs.New(errs.Unavailable, "seal.Open", place, "was sealed with a key that is not in the key file; restore the key file that belongs to this database")
}

// Current reports whether sealed was made with the newest key, so that a rotation knows what is left to do.
func (r *Ring) Current(sealed []byte) bool {
	return len(sealed) > idBytes && r.ids[len(r.ids)-1] == [idBytes]byte(sealed[1:1+idBytes])
}

// Pseudonym is a keyed hash of a personal id, 32 hexadecimal characters: the same for the same id as long as the key file's first key
// stays, and of no use to anybody without it.
func (r *Ring) Pseudonym(id string) string {
	mac := hmac.New(sha256.New, r.first)
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
