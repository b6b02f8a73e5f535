package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops/view"
)

type tableFile struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type tableTaken struct {
	Body struct {
		Rows    int `json:"rows"`
		Changed int `json:"changed" doc:"Things that are different now; others were so already."`
	}
}

// tables are the CSV files of the page of cartons.
func (s *service) tables(a huma.API, op func(id, method, path, summary string, errors ...int) huma.Operation) {
	out := op("exportTable", http.MethodGet, "/handling/tables/{table}", "A whole table as CSV, as importTable reads it")
	huma.Register(a, out, s.tableExport)
	in := op("importTable", http.MethodPost, "/handling/tables/{table}", "Take a CSV file in: all of it, or nothing where a line has a problem", http.StatusBadRequest, http.StatusConflict)
	in.MaxBodyBytes = view.MaxTable + 1
	in.Description = "What is wrong is a 422 whose errors name the line they are at: line 4. The bounds are those of the page: 4 MB and 20,000 rows."
	huma.Register(a, in, s.tableImport)
}

func (s *service) tableExport(ctx context.Context, in *struct {
	Table string `path:"table" enum:"physicals,cartons,bins"`
}) (*tableFile, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var b strings.Builder
	if err := s.x.ExportTable(ctx, in.Table, &b); err != nil {
		return nil, s.problem(err)
	}
	return &tableFile{ContentType: "text/csv; charset=utf-8", Body: []byte(b.String())}, nil
}

func (s *service) tableImport(ctx context.Context, in *struct {
	Table   string `path:"table" enum:"physicals,cartons,bins"`
	RawBody []byte `contentType:"text/csv"`
}) (*tableTaken, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.x.ImportTable(ctx, in.Table, in.RawBody, caller(ctx))
	if err != nil {
		return nil, s.problem(err)
	}
	if len(v.Problems) > 0 {
		return nil, tableProblem(v)
	}
	out := &tableTaken{}
	out.Body.Rows, out.Body.Changed = v.Rows, v.Changed
	return out, nil
}

// tableProblem lists what is wrong with a file, line by line; line 0 is the file itself.
func tableProblem(v view.TableImport) error {
	details := make([]error, 0, len(v.Problems))
	for _, p := range v.Problems {
		details = append(details, &huma.ErrorDetail{Location: "line " + strconv.Itoa(p.Line), Message: p.Text})
	}
	return huma.NewError(http.StatusUnprocessableEntity, "Nothing was changed: "+howMany(len(v.Problems)+v.More)+".", details...)
}

func howMany(n int) string {
	if n == 1 {
		return "1 line has a problem"
	}
	return strconv.Itoa(n) + " lines have problems"
}
