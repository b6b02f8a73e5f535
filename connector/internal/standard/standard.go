// Package standard checks the signatures of the Standard Webhooks rule, which several providers follow.
//
// It promises: any one of several signatures may fit, comparisons take the same time whatever was sent, and without a secret nothing fits.
// It must not import vendors' packages.
package standard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

const (
	opReceive driver.Operation = "webhook"
	// Tolerance is how far a message's time may be off, by the rule; every attempt is signed anew.
	Tolerance = 5 * time.Minute
	// MaxSignatures bounds those of one message; two are usual while a secret is changed.
	MaxSignatures = 10
)

// Verify returns id and time of a message that one of secrets signed. now judges its age. Errors: class Forged.
func Verify(header http.Header, body []byte, now time.Time, secrets ...string) (id string, sent time.Time, err error) {
	forged := func(why string) (string, time.Time, error) {
		return "", time.Time{}, &driver.Error{Class: driver.Forged, Op: opReceive, Message: why}
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil {
		return forged("the message has no id or no time")
	}
	genuine := false
	for _, secret := range secrets {
		genuine = fits(secret, id+"."+stamp+".", body, header.Get("webhook-signature")) || genuine
	}
	if !genuine {
		return forged("the signature does not fit the body")
	}
	sent = time.Unix(seconds, 0).UTC()
	if sent.Before(now.Add(-Tolerance)) || sent.After(now.Add(Tolerance)) {
		return forged("the message is too old, or a clock is wrong")
	}
	return id, sent, nil
}

// fits reports whether one of the signatures is that of head and body by secret.
func fits(secret, head string, body []byte, signatures string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return false
	}
	want, genuine := sum(key, head, body), false
	for i, s := range strings.Fields(signatures) {
		if text, ok := strings.CutPrefix(s, "v1,"); ok && i < MaxSignatures {
			got, err := base64.StdEncoding.DecodeString(text)
			genuine = err == nil && hmac.Equal(got, want) || genuine
		}
	}
	return genuine
}

func sum(key []byte, head string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(head))
	mac.Write(body)
	return mac.Sum(nil)
}
