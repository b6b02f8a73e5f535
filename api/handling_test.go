package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// step is one call and what its answer holds.
type step struct {
	name, method, path, body string
	status                   int
	holds                    string
}

func (h *house) walk(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		status, text, header := h.call(t, s.method, base+s.path, s.body)
		if status != s.status || !strings.Contains(text, s.holds) {
			t.Errorf("%s: %d %s, want %d with %q", s.name, status, text, s.status, s.holds)
		}
		if status == http.StatusNoContent && text != "" || status == http.StatusConflict && header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %q of %s", s.name, text, header.Get("Content-Type"))
		}
	}
}

func TestSizesAreSaidByPrograms(t *testing.T) {
	h := newHouse(t)
	const mug = `{"grams":350,"length_mm":120,"width_mm":100,"height_mm":110,"stance":"up","fragile":true,"origin":"CN","hs_code":"691200"}`
	h.walk(t, []step{
		{"nothing yet", "GET", "/handling/mug", "", 200, `"version":0`},
		{"no item", "GET", "/handling/none", "", 404, "There is no item"},
		{"none said", "GET", "/handling", "", 200, `"items":[]`},
		{"the first", "PUT", "/handling/mug", `{"version":0,"said":` + mug + `}`, 200, `"actor":"token:shop"`},
		{"an old version", "PUT", "/handling/mug", `{"version":0,"said":` + mug + `}`, 409, "meanwhile"},
		{"two sides", "PUT", "/handling/mug", `{"version":1,"said":{"length_mm":10,"width_mm":10}}`, 400, "height_mm: write all three sides or none"},
		{"an ability that is none", "PUT", "/handling/mug", `{"version":1,"said":{"needs":["magic"]}}`, 400, "needs:"},
		{"a field that is none", "PUT", "/handling/mug", `{"version":1,"said":{"weight":1}}`, 422, "weight"},
		{"of no item", "PUT", "/handling/none", `{"version":0,"said":` + mug + `}`, 404, "there is no item none"},
		{"of a bundle", "PUT", "/handling/set", `{"version":0,"said":` + mug + `}`, 400, "is a bundle"},
		{"read back", "GET", "/handling/mug", "", 200, `"hs_code":"691200"`},
		{"on the post's bill", "GET", "/handling/mug", "", 200, `"carrier":"usps","rates":"ground","pounds":1,"by_volume":false`},
		{"on another's", "GET", "/handling/mug", "", 200, `"carrier":"ups","rates":"daily","pounds":1,"by_volume":false,"divisor":139`},
		{"another", "PUT", "/handling/box", `{"version":0,"said":{"grams":10}}`, 200, `"grams":10`},
		{"the first page", "GET", "/handling?limit=1", "", 200, `"next":"box"`},
		{"the last page", "GET", "/handling?limit=1&after=box", "", 200, `"item":"mug"`},
		{"forgotten at an old version", "DELETE", "/handling/mug?version=7", "", 409, "meanwhile"},
		{"forgotten without a version", "DELETE", "/handling/mug", "", 422, "version"},
		{"forgotten", "DELETE", "/handling/mug?version=1", "", 204, ""},
		{"what is left", "GET", "/handling/mug", "", 200, `"said":{}`},
	})
}

func TestCartonsAreSaidByPrograms(t *testing.T) {
	h := newHouse(t)
	const said = `{"name":"Medium","inner":{"length_mm":300,"width_mm":220,"height_mm":180},"outer":{"length_mm":308,"width_mm":228,"height_mm":190},"grams":210,"cost":{"minor":55,"currency":"USD"},"active":true}`
	put := func(version int, said string) string { return fmt.Sprintf(`{"version":%d,"said":%s}`, version, said) }
	h.walk(t, []step{
		{"none", "GET", "/cartons", "", 200, `"cartons":[]`},
		{"not there", "GET", "/cartons/m", "", 404, "There is no carton m"},
		{"the first", "PUT", "/cartons/m", put(0, said), 200, `"version":1`},
		{"an old version", "PUT", "/cartons/m", put(0, said), 409, "meanwhile"},
		{"smaller outside", "PUT", "/cartons/m", put(1, strings.Replace(said, "308", "299", 1)), 400, "outer: no outer side is shorter"},
		{"an id with a blank", "PUT", "/cartons/a%20b", put(0, said), 400, "id:"},
		{"at no node", "PUT", "/cartons/n", put(0, strings.Replace(said, `"name"`, `"node":"mars","name"`, 1)), 404, "there is no node mars"},
		{"another", "PUT", "/cartons/B", put(0, strings.Replace(said, `,"cost":{"minor":55,"currency":"USD"}`, "", 1)), 200, `"id":"B"`},
		{"the first page", "GET", "/cartons?limit=1", "", 200, `"next":"B"`},
		{"the last page", "GET", "/cartons?limit=1&after=B", "", 200, `"cost":{"minor":55,"currency":"USD"}`},
		{"removed at an old version", "DELETE", "/cartons/m?version=2", "", 409, "meanwhile"},
		{"removed", "DELETE", "/cartons/m?version=1", "", 204, ""},
		{"removed again", "DELETE", "/cartons/m?version=1", "", 404, "There is no carton m"},
		{"what is left", "GET", "/cartons/B", "", 200, `"name":"Medium"`},
	})
}

func TestBinsAreSaidByPrograms(t *testing.T) {
	h := newHouse(t)
	h.walk(t, []step{
		{"nowhere", "GET", "/bins/main/mug", "", 200, `"bins":[]`},
		{"said", "PUT", "/bins/main/mug", `{"bins":[{"bin":"A-2","walk":9},{"bin":"A-10","primary":true}]}`, 200, `"bins":[{"bin":"A-10","primary":true},{"bin":"A-2","walk":9}]`},
		{"two first", "PUT", "/bins/main/mug", `{"bins":[{"bin":"A","primary":true},{"bin":"B","primary":true}]}`, 400, "primary:"},
		{"at no node", "PUT", "/bins/mars/mug", `{"bins":[{"bin":"A"}]}`, 404, "there is no node mars"},
		{"of a bundle", "PUT", "/bins/main/set", `{"bins":[{"bin":"A"}]}`, 400, "is a bundle"},
		{"another", "PUT", "/bins/main/box", `{"bins":[{"bin":"A-2","walk":9}]}`, 200, "A-2"},
		{"a cursor that is none", "GET", "/bins?after=x", "", 400, "after:"},
	})
	var got []string
	for after, pages := "", 0; pages < 5; pages++ {
		_, text, _ := h.call(t, "GET", base+"/bins?limit=1&after="+url.QueryEscape(after), "")
		var page struct {
			Bins []struct{ Node, Item, Bin string }
			Next string
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Bins {
			got = append(got, b.Node+"/"+b.Item+"/"+b.Bin)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if want := "main/box/A-2 main/mug/A-10 main/mug/A-2"; strings.Join(got, " ") != want {
		t.Errorf("pages hold %v, want %s", got, want)
	}
	h.walk(t, []step{
		{"forgotten", "DELETE", "/bins/main/mug", "", 204, ""},
		{"lies nowhere", "GET", "/bins/main/mug", "", 200, `"bins":[]`},
		{"the other stays", "GET", "/bins/main/box", "", 200, `"bin":"A-2"`},
	})
}

// TestTablesThroughTheAPI: what is exported is taken in again and changes nothing; one bad line changes nothing either.
func TestTablesThroughTheAPI(t *testing.T) {
	h := newHouse(t)
	const file = "sku,grams,length_mm,width_mm,height_mm\nmug,350,120,100,110\nbox,90,300,200,100\n"
	h.walk(t, []step{
		{"a bad line", "POST", "/handling/tables/physicals", file + "none,1,,,\n", 422, `"location":"line 4"`},
		{"nothing of it is in", "GET", "/handling", "", 200, `"items":[]`},
		{"a good file", "POST", "/handling/tables/physicals", file, 200, `"rows":2,"changed":2`},
		{"no table", "GET", "/handling/tables/nodes", "", 422, "physicals"},
		{"cartons", "GET", "/handling/tables/cartons", "", 200, "inner_length_mm"},
		{"bins", "POST", "/handling/tables/bins", "node,sku,bin\nmain,mug,A-1\n", 200, `"changed":1`},
		{"too large a file", "POST", "/handling/tables/bins", "node,sku,bin\n" + strings.Repeat(" ", 5<<20), 413, "detail"},
	})
	_, text, header := h.call(t, "GET", base+"/handling/tables/physicals", "")
	if !strings.Contains(text, "mug,350,120,100,110") || header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("%s\n%s", header.Get("Content-Type"), text)
	}
	if status, again, _ := h.call(t, "POST", base+"/handling/tables/physicals", text); status != 200 || !strings.Contains(again, `"rows":2,"changed":0`) {
		t.Errorf("its own export: %d %s", status, again)
	}
}

// TestHandlingHasAScope: a token limited to reading sizes changes none, and one of another area sees none.
func TestHandlingHasAScope(t *testing.T) {
	h := newHouse(t)
	for scope, want := range map[string][2]int{"handling:read": {200, 403}, "handling": {200, 204}, "nodes": {403, 403}} {
		plain, _, err := h.ops.NewToken(t.Context(), scope, "test", scope)
		if err != nil {
			t.Fatal(err)
		}
		h.token = plain
		read, _, _ := h.call(t, "GET", base+"/cartons", "")
		write, _, _ := h.call(t, "DELETE", base+"/bins/main/mug", "")
		if got := [2]int{read, write}; got != want {
			t.Errorf("%s: %v, want %v", scope, got, want)
		}
	}
}
