package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/spillway/spillway/internal/htmlcheck"
	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func init() {
	pagesToSee = append(pagesToSee, []struct{ name, path, js string }{
		{"zones", "/carriers/zones", ""},
		{"zones-preview", "/carriers/zones", chartUpload("'origin_zip3,dest_zip3,zone\\n895,100,7\\n'")},
		{"zones-wrong", "/carriers/zones", chartUpload("'from,to\\n'")},
	}...)
}

// chartUpload sends a chart as somebody does who chose a file.
func chartUpload(text string) string {
	return "const d = new DataTransfer(); d.items.add(new File([" + text + "], '895.csv')); document.getElementById('zone-file').files = d.files; document.querySelector('[name=kind]').value = 'UPS'; document.querySelector('form.fields').requestSubmit()"
}

// chart uploads a file for UPS and returns what is shown.
func (v *visitor) chart(text string, want int) *htmlcheck.Node {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("kind", "UPS")
	f, err := w.CreateFormFile("file", "895.csv")
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = f.Write([]byte(text))
	w.Close()
	res, err := v.http.Post(v.url+"/carriers/zones", w.FormDataContentType(), &body)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	var page bytes.Buffer
	if _, err := page.ReadFrom(res.Body); err != nil {
		v.t.Fatal(err)
	}
	if res.StatusCode != want {
		v.t.Fatalf("%d, want %d: %.300s", res.StatusCode, want, &page)
	}
	return htmlcheck.Must(v.t, page.String())
}

// A chart is shown with what it changes before it holds, with all that is wrong where something is, and can be taken back.
func TestAZoneChartIsLoadedAndTakenBack(t *testing.T) {
	v, _ := demo(t)
	n := v.get("/carriers/zones")
	n.Says(t, "#zones-UPS", "895.xlsx")
	wrong := v.chart("from,to\n", http.StatusUnprocessableEntity)
	wrong.Says(t, ".preview.bad", "2 rows have problems")
	wrong.Says(t, ".preview.bad", "Row 7")
	good := v.chart("origin_zip3,dest_zip3,zone\n895,100,7\n", http.StatusOK)
	good.Says(t, ".preview", "37 zones change")
	v.get("/carriers/zones").Says(t, "#zones-UPS", "895.xlsx")
	draft := good.One(t, `.preview input[name="draft"]`).Attr["value"]
	v.post("/carriers/zones/use", http.StatusNotFound, "draft", "another")
	v.post("/carriers/zones/use", http.StatusSeeOther, "draft", draft)
	n = v.get("/carriers/zones")
	n.Says(t, "#zones-UPS", "895-2026.csv")
	v.post(n.One(t, "#zones-UPS form").Attr["action"], http.StatusSeeOther, "version", n.One(t, `#zones-UPS input[name="version"]`).Attr["value"])
	v.get("/carriers/zones").Says(t, "#zones-UPS", "895.xlsx")
	empty := serve(t, storybook.Empty(screenTime), web.Options{DemoUser: demoUser})
	empty.get("/carriers/zones").Says(t, ".empty", "No chart is loaded.")
	v.get("/carriers").One(t, `a[href="/carriers/zones"]`)
}
