package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

const (
	// maxLanes is how many carrier services a form is read for; a node has no more.
	maxLanes = 20
	// maxLines bounds a field of several lines: years of closures.
	maxLines = 40_000
)

// newNodePath adds a node. It is not below /nodes, where every name is the id of one: a stock file may well call a place “new”.
const newNodePath = "/add/node"

// nodes lists where orders leave from.
func (s *Site) nodes(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Nodes(ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Nodes", Nav: "/nodes", Topics: []string{view.TopicNode}, Parts: []part{{id: "nd-rows", held: true, c: nodeRows(v)}},
		body: func(p page) templ.Component { return nodesPage(p) }}, nil
}

// node is one of them, with the form that says all of it.
func (s *Site) node(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Node(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return nodePageOf(v, nodeAnswer{}), nil
}

// newNode is the empty form.
func (s *Site) newNode(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Node(ctx, "")
	if err != nil {
		return page{}, err
	}
	p := nodePageOf(v, nodeAnswer{})
	p.Fixed = true
	return p, nil
}

// nodeAnswer is what was said to a form that was sent: what is wrong with it, or what it would change.
type nodeAnswer struct {
	asked   bool
	preview view.NodePreview
	fields  []field
}

// wrong is what is wrong with a field, and whether it is the first: there the typing goes on.
func (a nodeAnswer) wrong(name string) (text string, first bool) {
	i := slices.IndexFunc(a.preview.Wrong, func(f view.FieldError) bool { return f.Field == name })
	if i < 0 {
		return "", false
	}
	return a.preview.Wrong[i].Text, i == 0
}

func nodePageOf(v view.NodePage, a nodeAnswer) page {
	title, topics := v.Row.Name, []string{view.TopicNode}
	if v.New {
		title = "Add a node"
	} else {
		topics = append(topics, view.TopicNode+":"+v.Row.ID)
	}
	return page{Title: title, Nav: "/nodes", Topics: topics, Fixed: a.asked,
		Parts: []part{{id: "nd-load", c: nodeLoad(v)}, {id: "nd-lanes", c: nodeLanes(v)}, {id: "nd-kept", c: nodeKept(v)}, {id: "nd-history", c: nodeHistory(v)}},
		body:  func(p page) templ.Component { return nodePage(p, v, a) }}
}

// saveNode shows what a form would change, or what is wrong with it beside each field, and on the second step saves it.
func (s *Site) saveNode(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, id := readForm(ctx, r), r.PathValue("id")
	d := f.node(id)
	d.Actor = s.user(ctx)
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.SaveNode(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(nodePath(d.ID)))
	}
	v, err := s.b.Node(ctx, id)
	if err != nil {
		return err
	}
	a := nodeAnswer{asked: true, fields: f.all()}
	if a.preview, err = s.b.PreviewNode(ctx, d); err != nil {
		return err
	}
	v.Form = d.NodeForm
	v.Form.Lanes = append(v.Form.Lanes, view.LaneForm{})
	status := http.StatusOK
	if len(a.preview.Wrong) > 0 || a.preview.Refused != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.show(w, r.WithContext(ctx), status, nodePageOf(v, a))
}

// node reads the form of a node; id "" is that of a new one.
func (f *form) node(id string) view.NodeDraft {
	line := func(name string) string { return f.text(name, name, false) }
	n := view.NodeForm{ID: id, Name: line("name"), Kind: line("kind"), Country: line("country"), State: line("state"), Postal: line("postal"), City: line("city"), Zone: line("zone"),
		Active: line("active") == "yes", Priority: line("priority"), Holidays: line("holidays"), Closed: f.several("closed"), Overtime: f.several("overtime"),
		Abilities: f.r.PostForm["abilities"], Currency: line("currency"), PerOrder: line("perorder"), PerLine: line("perline"), PerUnit: line("perunit"), PerBox: line("perbox"),
		Above: line("above"), Percent: line("percent"), Max: line("max"), Account: line("account"),
		Company: line("company"), Line1: line("line1"), Line2: line("line2"), Phone: line("phone"), Version: f.whole("version", "Version", 0, 1<<53, false)}
	if id == "" {
		n.ID = line("id")
	}
	for i := range n.Week {
		n.Week[i] = line("week" + strconv.Itoa(i+1))
	}
	for i := range maxLanes {
		at := "lane" + strconv.Itoa(i) + "."
		if !f.r.PostForm.Has(at + "carrier") {
			break
		}
		l := view.LaneForm{Carrier: line(at + "carrier"), Service: line(at + "service"), Serves: f.several(at + "serves"), Pickups: f.several(at + "pickups"), Holidays: line(at + "holidays"),
			MaxGrams: line(at + "maxgrams"), Abilities: f.r.PostForm[at+"abilities"], Abroad: line(at + "abroad"), ByZone: line(at + "byzone"), PerPound: line(at + "perpound"),
			AbroadDays: line(at + "abroaddays"), ByZoneDays: line(at + "byzonedays"), Account: line(at + "account")}
		if l.Carrier+l.Service+l.Serves+l.Pickups+l.ByZone != "" || f.r.PostForm.Has("lane"+strconv.Itoa(i+1)+".carrier") {
			n.Lanes = append(n.Lanes, l)
		}
	}
	return view.NodeDraft{NodeForm: n, New: id == ""}
}

// several reads a field of several lines.
func (f *form) several(name string) string {
	v := f.r.PostForm.Get(name)
	if len(v) > maxLines {
		f.bad(name, "%s is longer than %d bytes.", name, maxLines)
	}
	return v
}

// all carries every field of the form into its confirmation.
func (f *form) all() (out []field) {
	names := make([]string, 0, len(f.r.PostForm))
	for n := range f.r.PostForm {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, v := range f.r.PostForm[n] {
			if n != "step" {
				out = append(out, field{n, v})
			}
		}
	}
	return out
}

func nodePath(id string) templ.SafeURL { return templ.SafeURL("/nodes/" + url.PathEscape(id)) }

// nodeAction is where the form is sent.
func nodeAction(v view.NodePage) templ.SafeURL {
	if v.New {
		return newNodePath
	}
	return nodePath(v.Row.ID)
}

var weekNames = [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

func weekField(i int) string { return "week" + strconv.Itoa(i+1) }

func laneField(i int, name string) string { return "lane" + strconv.Itoa(i) + "." + name }

// laneTitle heads a carrier in the form.
func laneTitle(l view.LaneForm) string {
	if l.Carrier == "" {
		return "One more carrier"
	}
	if l.Service != "" {
		return l.Carrier + " " + l.Service
	}
	return l.Carrier
}

// dayLoad is how much of a day's capacity is due, in hundredths, at most 100.
func dayLoad(d view.NodeDay) int64 {
	switch {
	case d.Due == 0:
		return 0
	case d.Capacity <= 0 || d.Due >= d.Capacity:
		return 100
	}
	return d.Due * 100 / d.Capacity
}

// partsText says whose orders a node works on.
func partsText(v view.NodePage) string {
	var parts []string
	for _, x := range v.Parts {
		parts = append(parts, x.Name+" ("+x.Value+")")
	}
	return "Works for " + strings.Join(parts, ", ") + "."
}

// weekCapacity is what a node can do today and on the seven days after it.
func weekCapacity(v view.NodeRow) (sum int64) {
	for _, d := range v.Days {
		sum += d.Capacity
	}
	return sum
}

func firstDay(v view.NodeRow) (d view.NodeDay) {
	if len(v.Days) > 0 {
		d = v.Days[0]
	}
	return d
}

// laneAccounts are the accounts a lane may be shipped with; without one it is its node's.
func laneAccounts(v view.NodePage) []view.Option {
	out := slices.Clone(v.Accounts)
	if len(out) > 0 {
		out[0].Label = "the node’s"
	}
	return out
}
