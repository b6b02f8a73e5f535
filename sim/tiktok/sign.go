package tiktok

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
)

// requestSign is the signature of a call: path, sorted decoded query (without sign and access_token) and raw body
// between two copies of the secret, under HMAC-SHA256.
func requestSign(secret, path string, query url.Values, body []byte) string {
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "sign" && name != "access_token" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	mac := hmac.New(sha256.New, []byte(secret))
	write := func(t string) { mac.Write([]byte(t)) }
	write(secret)
	write(path)
	for _, name := range names {
		write(name)
		write(query.Get(name))
	}
	mac.Write(body)
	write(secret)
	return hex.EncodeToString(mac.Sum(nil))
}

// signature says how a call was signed.
type signature uint8

const (
	badSign     signature = iota
	goodSign              // over everything that was sent
	skippedBody           // over everything but a body of {} or []
)

// checkSign verifies a call's signature. Some published clients send an empty object or list without signing it, some
// sign it; the platform's documentation does not say which is right, so both are good here.
func checkSign(secret, path string, query url.Values, body []byte, multipart bool) signature {
	got := []byte(query.Get("sign"))
	signed := body
	if multipart {
		signed = nil
	}
	if hmac.Equal(got, []byte(requestSign(secret, path, query, signed))) {
		return goodSign
	}
	if emptyJSON(signed) && hmac.Equal(got, []byte(requestSign(secret, path, query, nil))) {
		return skippedBody
	}
	return badSign
}

// emptyJSON reports whether a body is an empty object or list.
func emptyJSON(body []byte) bool {
	t := bytes.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, body)
	return string(t) == "{}" || string(t) == "[]"
}
