package reconcile

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	// maxUnpacked bytes of all parts of a workbook: what a small file may grow to.
	maxUnpacked = 512 << 20
	// maxParts of a workbook; an export has about ten.
	maxParts = 500
)

// eachOfXLSX reads one sheet of a workbook: the one named, or the first. Formulas are not computed: what was stored as their result is taken.
func eachOfXLSX(data []byte, sheet string, each func(line) error) (err error) {
	if err := checkWorkbook(data); err != nil {
		return err
	}
	defer func() { // the library was written for workbooks of good faith
		if recover() != nil {
			err = fault("is no workbook that can be read: save it again, or as CSV")
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: maxUnpacked})
	if err != nil {
		return fault("is no workbook that can be read: save it again, or as CSV")
	}
	defer book.Close() // removes what was unpacked to disk; nothing is lost if that fails
	sheets := book.GetSheetList()
	switch {
	case len(sheets) == 0:
		return fault("has no sheet")
	case sheet == "":
		sheet = sheets[0]
	case !slices.Contains(sheets, sheet):
		return faultf("has no sheet %q; there are %s", excerpt(sheet), excerpt(strings.Join(sheets, ", ")))
	}
	shown, err := book.Rows(sheet)
	if err != nil {
		return fault("has a sheet that cannot be read")
	}
	defer shown.Close()
	stored, err := book.Rows(sheet)
	if err != nil {
		return fault("has a sheet that cannot be read")
	}
	defer stored.Close()
	for n := 1; shown.Next() && stored.Next(); n++ {
		if n > maxRows {
			return faultf("has more than %d rows: export a shorter period", maxRows)
		}
		l, err := xlsxLine(shown, stored, n)
		if err != nil {
			return err
		}
		if err := each(l); err != nil {
			return err
		}
	}
	if shown.Error() != nil || stored.Error() != nil {
		return fault("has a sheet that cannot be read to its end")
	}
	return nil
}

func xlsxLine(shown, stored *excelize.Rows, n int) (line, error) {
	text, err := shown.Columns()
	raw, err2 := stored.Columns(excelize.Options{RawCellValue: true})
	if err != nil || err2 != nil {
		return line{}, faultf("has a row %d that cannot be read", n)
	}
	l := line{n: n, cells: make([]cell, max(len(text), len(raw)))}
	if len(l.cells) > maxColumns {
		return line{}, faultf("has more than %d columns in row %d", maxColumns, n)
	}
	for i, s := range text {
		l.cells[i].text = s
	}
	for i, s := range raw {
		l.cells[i].raw = s
	}
	return l, l.check()
}

// checkWorkbook looks at the parts before anything is unpacked by the library: their sizes, as told and as they are, and that sheets are whole,
// since it takes a sheet that breaks off for one that ends.
func checkWorkbook(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fault("is damaged: it begins like a workbook and cannot be unpacked")
	}
	if len(z.File) > maxParts {
		return faultf("has more than %d parts: this is no export", maxParts)
	}
	left := uint64(maxUnpacked)
	names := map[string]bool{}
	for _, f := range z.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, "\\", "/"))
		if names[name] {
			return fault("has a part twice: this is no export")
		}
		names[name] = true
		if f.UncompressedSize64 > left {
			return faultf("unpacks to more than %d MiB: export a shorter period", maxUnpacked>>20)
		}
		left -= f.UncompressedSize64
	}
	for _, f := range z.File {
		if err := checkPart(f); err != nil {
			return err
		}
	}
	return nil
}

func checkPart(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return fault("has a part that cannot be unpacked")
	}
	defer r.Close()
	if !strings.HasSuffix(strings.ToLower(f.Name), ".xml") {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return fault("has a part that cannot be unpacked")
		}
		return nil
	}
	d := xml.NewDecoder(r)
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	for {
		_, err := d.Token()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fault("has a part that breaks off or is damaged: export it again")
		}
	}
}
