package label

import (
	"encoding/json"
	"slices"
	"strings"
)

// Bounds of a vendor's complaint: how deep its texts are looked for, and how long the sentence becomes in bytes.
const (
	maxDepth = 4
	MaxText  = 400
)

// Sentence is all texts of a value, which may be a text, a list or an object, in one line.
func Sentence(values ...json.RawMessage) string {
	var all []string
	for _, raw := range values {
		all = append(all, texts(raw, 0)...)
	}
	s := strings.Join(all, "; ")
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "") + "…"
	}
	return s
}

// texts lists the texts in a value, in the order of fields' names.
func texts(raw json.RawMessage, depth int) (out []string) {
	var text string
	var list []json.RawMessage
	var object map[string]json.RawMessage
	switch {
	case len(raw) == 0 || depth > maxDepth:
	case json.Unmarshal(raw, &text) == nil:
		if text != "" {
			out = append(out, text)
		}
	case json.Unmarshal(raw, &list) == nil:
		for _, v := range list {
			out = append(out, texts(v, depth+1)...)
		}
	case json.Unmarshal(raw, &object) == nil:
		if field := texts(object["field"], depth+1); len(field) == 1 {
			return []string{field[0] + ": " + strings.Join(texts(object["message"], depth+1), ", ")}
		}
		names := make([]string, 0, len(object))
		for name := range object {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			out = append(out, texts(object[name], depth+1)...)
		}
	}
	return out
}
