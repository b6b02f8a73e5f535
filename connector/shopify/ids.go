package shopify

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

const gidPrefix = "gid://shopify/"

// gid makes the global id of an object out of its number.
func gid(kind, id string) string { return gidPrefix + kind + "/" + id }

// number is the last part of a global id. Anything else comes back as it is.
func number(id string) string {
	if !strings.HasPrefix(id, gidPrefix) {
		return id
	}
	id, _, _ = strings.Cut(id, "?") // an inventory level names its item there
	return id[strings.LastIndexByte(id, '/')+1:]
}

// isNumber reports whether id can be the number of an object.
func isNumber(id string) bool {
	n, err := strconv.ParseUint(id, 10, 63)
	return err == nil && n > 0
}

// text is a JSON string, number or null: webhooks write ids as numbers and money as strings, with exceptions.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch c := b[0]; {
	case c == '"':
		return json.Unmarshal(b, (*string)(t))
	case c == '-' || c >= '0' && c <= '9':
		*t = text(b)
	case c == 'n': // null
		*t = ""
	default:
		return errors.New("neither a text nor a number")
	}
	return nil
}
