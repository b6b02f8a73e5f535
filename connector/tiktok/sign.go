package tiktok

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"net/url"
	"slices"
	"sync"
)

// Sign computes a request's signature (facts, section 4): the path, then every query parameter but sign and access_token as
// name and decoded value in byte order of the names, then the body as sent, all between two copies of the secret, as
// HMAC-SHA256 with the secret as key, in lower-case hexadecimal. body is nil for uploads and for requests without one.
func Sign(secret, path string, query url.Values, body []byte) string {
	text := make([]byte, 0, 2*len(secret)+len(path)+len(body)+512)
	text = append(append(text, secret...), path...)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "sign" || name == "access_token" {
			continue
		}
		text = append(append(text, name...), query.Get(name)...)
	}
	text = append(append(text, body...), secret...)
	return string(hexMAC(nil, secret, text, nil))
}

// macs keeps hash states by secret: setting one up costs more than hashing a short webhook. It is bounded, since the
// secrets come from a handful of apps.
var macs struct {
	sync.RWMutex
	bySecret map[string]*sync.Pool
}

const maxSecrets = 64 // apps of one installation, with their old secrets

func pool(secret string) *sync.Pool {
	macs.RLock()
	p := macs.bySecret[secret]
	macs.RUnlock()
	if p != nil {
		return p
	}
	macs.Lock()
	defer macs.Unlock()
	if p = macs.bySecret[secret]; p != nil {
		return p
	}
	if macs.bySecret == nil || len(macs.bySecret) >= maxSecrets {
		macs.bySecret = map[string]*sync.Pool{}
	}
	p = &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secret)) }}
	macs.bySecret[secret] = p
	return p
}

// hexMAC appends the hexadecimal HMAC-SHA256 of a followed by b to dst.
func hexMAC(dst []byte, secret string, a, b []byte) []byte {
	p := pool(secret)
	mac := p.Get().(hash.Hash)
	mac.Reset()
	mac.Write(a)
	mac.Write(b)
	var sum [sha256.Size]byte
	dst = hex.AppendEncode(dst, mac.Sum(sum[:0]))
	p.Put(mac)
	return dst
}
