package ops

import (
	"cmp"
	"strings"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/ops/view"
)

// named puts our name of a node in place of the channel's.
func (s *shopHealth) named(text string) string {
	const of = " of node "
	i := strings.Index(text, of)
	if i < 0 {
		return text
	}
	code, rest, more := strings.Cut(text[i+len(of):], ",")
	text = text[:i] + " of " + cmp.Or(s.node(code), code)
	if more {
		text += "," + rest
	}
	return text
}

// ground says what a part of the forecast rests on.
func (s *shopHealth) ground(g forecast.Ground) view.Input {
	switch g.Basis {
	case forecast.Stated:
		return view.Input{Name: "Stated", Value: s.named(g.Text), Text: "as it stands on the page of the node"}
	case forecast.Learned:
		return view.Input{Name: "Learned", Value: s.named(g.Text), Text: "from this shop’s own history"}
	}
	return view.Input{Name: "Assumed", Value: s.named(g.Text), Text: "neither a statement nor history stands behind it"}
}
