package htmlcheck

import "testing"

const page = `<!DOCTYPE html><html><body class="a b"><input disabled name=q><div id="x" hx-sse:connect="/y"><p class="lead big">one <b>two</b></p><p title="a b">three</p></div></body></html>`

func TestSelectors(t *testing.T) {
	n := Must(t, page)
	for sel, want := range map[string]int{
		"p": 2, "p.lead": 1, "p.lead.big": 1, "p.other": 0, "#x p": 2, "body #x b": 1, "b p": 0, "body.b input[disabled]": 1, "[name=q]": 1,
		`[hx-sse:connect="/y"]`: 1, "div#x.none": 0, "*": 7, "div p[title='a b']": 1,
	} {
		if got := len(n.All(sel)); got != want {
			t.Errorf("%q names %d elements, want %d", sel, got, want)
		}
	}
	n.Says(t, "p.lead", "one two")
}

func TestUnknownSelectorPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a selector without its ] was accepted")
		}
	}()
	Must(t, page).All("p[x")
}
