package connector

import (
	"regexp"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

// maxText bounds a vendor's text in logs and pages; some gateways answer whole HTML pages.
const maxText = 500

// secretPairs finds name=value and "name":"value" of things that open doors, wherever a vendor echoes them.
var secretPairs = regexp.MustCompile(`(?i)("?\b(?:[a-z_-]*token|[a-z_-]*secret|authorization|auth_code|api_?key|password|sign|signature|hmac|cipher|shop_cipher)\b"?\s*[=:]\s*)("[^"]*"|[^\s&",;]{12,})`)

// bearer finds a credential behind its scheme.
var bearer = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)

// people finds e-mail addresses and telephone numbers in international form.
var people = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|\+\d[\d ()-]{7,}\d`)

// Redact removes what looks like a secret or personal data from a vendor's text, and the given secrets wherever they
// stand, and cuts the rest to a bound.
func Redact(text string, secrets ...string) string {
	if text == "" {
		return ""
	}
	for _, s := range secrets {
		if len(s) >= 6 { // shorter ones occur in ordinary words
			text = strings.ReplaceAll(text, s, "[secret]")
		}
	}
	text = secretPairs.ReplaceAllString(text, "$1[secret]")
	text = bearer.ReplaceAllString(text, "$1 [secret]")
	text = people.ReplaceAllString(text, "[personal]")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// redacted is a cause whose text was cleaned; errors.Is and errors.As still see the original.
type redacted struct {
	text  string
	cause error
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.cause }

// clean returns a copy of e that is fit for logs and pages.
func clean(e *driver.Error, secrets ...string) *driver.Error {
	c := *e
	c.Message = Redact(e.Message, secrets...)
	c.Code = Redact(e.Code, secrets...)
	if e.Cause != nil {
		c.Cause = &redacted{text: Redact(e.Cause.Error(), secrets...), cause: e.Cause}
	}
	return &c
}
