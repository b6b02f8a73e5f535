package graphql

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Object is a JSON object that keeps the order of its keys.
type Object struct {
	Source any // what it was made from
	keys   []string
	values []any
}

func (o *Object) set(key string, v any) {
	o.keys = append(o.keys, key)
	o.values = append(o.values, v)
}

// Set adds or replaces a key.
func (o *Object) Set(key string, v any) {
	if i := slices.Index(o.keys, key); i >= 0 {
		o.values[i] = v
		return
	}
	o.set(key, v)
}

// Delete takes a key away.
func (o *Object) Delete(key string) {
	if i := slices.Index(o.keys, key); i >= 0 {
		o.keys = slices.Delete(o.keys, i, i+1)
		o.values = slices.Delete(o.values, i, i+1)
	}
}

// Each calls fn for every key in order.
func (o *Object) Each(fn func(key string, v any)) {
	for i, k := range o.keys {
		fn(k, o.values[i])
	}
}

// MarshalJSON writes the object in order.
func (o *Object) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil), nil }

// AppendJSON appends the object to b. It writes the whole tree in one pass, which json.Marshal would not.
func (o *Object) AppendJSON(b []byte) []byte {
	if o == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, k := range o.keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendValue(b, o.values[i])
	}
	return append(b, '}')
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case *Object:
		return v.AppendJSON(b)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	}
	text, err := json.Marshal(v)
	if err != nil { // resolvers give plain values; anything else is a defect worth seeing
		return appendString(b, "unserialisable: "+err.Error())
	}
	return append(b, text...)
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string never fails
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
