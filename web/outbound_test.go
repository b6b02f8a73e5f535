package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/web/storybook"
)

// A node may have any id: the page that adds one lies beside them, not among them.
func TestANodeMayBeCalledNew(t *testing.T) {
	v, book := demo(t)
	if _, err := book.SaveNode(t.Context(), view.NodeDraft{NodeForm: view.NodeForm{ID: "new", Name: "The new hall"}}); err != nil {
		t.Fatal(err)
	}
	n := v.get("/nodes/new")
	n.Says(t, "h1", "The new hall")
	if got := n.One(t, "form.said").Attr["action"]; got != "/nodes/new" {
		t.Errorf("its form goes to %s", got)
	}
	add := v.get(v.get("/nodes").One(t, ".title a.button").Attr["href"])
	if got := add.One(t, `.said input[name="name"]`).Attr["value"]; got != "" {
		t.Errorf("the empty form holds %q", got)
	}
	if got := add.One(t, "form.said").Attr["action"]; got == "/nodes/new" {
		t.Error("the empty form is sent to the node called new")
	}
}

// Every page of the way out is one step from the others, and the rail says where one is.
func TestOutboundPagesAreReachedFromEachOther(t *testing.T) {
	v, _ := demo(t)
	pages := []string{"/nodes", "/capacity", "/routing", "/carriers", "/cartons"}
	for _, at := range pages {
		n := v.get(at)
		if got := n.One(t, `.rail a[aria-current="page"]`).Attr["href"]; got != "/nodes" {
			t.Errorf("%s: the rail is at %s", at, got)
		}
		if got := n.One(t, `nav.tabs a[aria-current="page"]`).Attr["href"]; got != at {
			t.Errorf("%s: the tabs are at %s", at, got)
		}
		for _, to := range pages {
			n.One(t, `nav.tabs a[href="`+to+`"]`)
		}
	}
}

// TestCartonsByKeyboard goes from anywhere to the cartons: g w, and on by the tab key.
func TestCartonsByKeyboard(t *testing.T) {
	s := open(t, storybook.New(screenTime), screenTime)
	s.look(t, 1440, "light")
	s.do(t, chromedp.Navigate(s.url+"/"))
	s.arrive(t, "/")
	s.keys(t, "g", "w")
	s.arrive(t, "/nodes")
	s.tab(t, `.tabs a[href="/cartons"]`)
	s.keys(t, kb.Enter)
	s.arrive(t, "/cartons")
}
