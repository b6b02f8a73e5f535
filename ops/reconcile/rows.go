package reconcile

import "github.com/spillway/spillway/kit/errs"

// Row is one row of a table that somebody uploads.
type Row struct {
	N     int // line of the file, or row of the sheet
	Cells []string
}

// Rows reads a table, CSV or XLSX, as cells of text; blank rows are left out. At most is the number of rows that may be there. Errors: Invalid, with what is
// wrong with the file.
func Rows(data []byte, most int) (out []Row, err error) {
	const op = "reconcile.Rows"
	err = eachLine(data, Options{}, func(l line) error {
		if l.blank() {
			return nil
		}
		if len(out) == most {
			return faultf("has more than %d rows", most)
		}
		r := Row{N: l.n, Cells: make([]string, len(l.cells))}
		for i, c := range l.cells {
			r.Cells[i] = c.text
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, errs.New(errs.Invalid, op, "", "The file %s.", err.Error())
	}
	return out, nil
}
