package main

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"time"
	"unicode/utf8"

	_ "time/tzdata" // zones also on machines without a zone database

	"github.com/schollz/progressbar/v3"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/importer"
)

type importCmd struct {
	Items  importItems  `cmd:"" help:"Import items and bundles from a CSV file."`
	Stock  importStock  `cmd:"" help:"Import a stock count from a CSV file."`
	Orders importOrders `cmd:"" help:"Import order history, or open orders, from a CSV file."`
}

// importFile is common to all imports. See docs/guides/import.md for the columns.
type importFile struct {
	home
	File      string            `arg:"" type:"existingfile" help:"CSV file in UTF-8, plain or .gz."`
	Map       map[string]string `help:"Column of a field, such as sku=Article; repeatable." mapsep:"none" placeholder:"FIELD=COLUMN"`
	Preset    string            `help:"A known export: online-retail." placeholder:"NAME"`
	Delimiter string            `help:"What parts the cells: one character, or 'tab'." default:","`
	TimeZone  string            `help:"Zone of times without an offset, such as Europe/Berlin." placeholder:"ZONE"`
	DryRun    bool              `help:"Check everything, write nothing."`
}

type importItems struct {
	importFile
	Update bool `help:"Change items that are there with another title, barcode or components."`
}

func (c *importItems) Run(e *env) error {
	return c.run(e, importer.Options{Kind: importer.Items, Update: c.Update})
}

type importStock struct {
	importFile
	Location        string `help:"Where the stock is, for files without a column for it."`
	CreateLocations bool   `help:"Make locations that are not there, as warehouses of your own."`
	Sheet           string `help:"Name of this count; the same name again is the same count. Default: the file's content."`
}

func (c *importStock) Run(e *env) error {
	return c.run(e, importer.Options{Kind: importer.Stock, Location: c.Location, CreateLocations: c.CreateLocations, Sheet: c.Sheet})
}

type importOrders struct {
	importFile
	Channel         string `required:"" aliases:"connection" help:"Your name for where the orders come from, such as old-shop."`
	Currency        string `help:"Currency of prices, for files without a column for it." placeholder:"EUR"`
	Open            bool   `help:"Take open orders too: they reserve stock of today. Without it orders are history and move no stock."`
	Update          bool   `help:"Let orders that were imported before become what the file says, if it is newer."`
	AllowUnknownSKU bool   `name:"allow-unknown-sku" help:"Keep lines of SKUs that are no items, as text."`
}

func (c *importOrders) Run(e *env) error {
	return c.run(e, importer.Options{Kind: importer.Orders, Channel: c.Channel, Currency: c.Currency, Open: c.Open, Update: c.Update,
		AllowUnknown: c.AllowUnknownSKU})
}

func (c *importFile) run(e *env, o importer.Options) error {
	var err error
	if o.Delimiter, err = delimiter(c.Delimiter); err != nil {
		return err
	}
	if c.TimeZone != "" {
		if o.Zone, err = time.LoadLocation(c.TimeZone); err != nil {
			return errs.New(errs.Invalid, "import", "time zone", "%q is not a time zone such as Europe/Berlin", c.TimeZone)
		}
	}
	o.Map, o.Preset, o.DryRun, o.Actor = c.Map, c.Preset, c.DryRun, operator("import")
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	began := time.Now()
	report, err := importer.Run(e.ctx, st, source(c.File), o)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Print(report)
	fmt.Printf("%.1f s, %.0f rows/s\n", took.Seconds(), float64(report.Rows)/max(took.Seconds(), 1e-3))
	return nil
}

func delimiter(s string) (rune, error) {
	if s == "tab" {
		return '\t', nil
	}
	r, n := utf8.DecodeRuneInString(s)
	if s == "" || n != len(s) {
		return 0, errs.New(errs.Invalid, "import", "delimiter", "must be one character, or 'tab'")
	}
	return r, nil
}

// operator names who runs a command, for the journal.
func operator(command string) string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return command + " by " + u.Username
	}
	return command
}

// source is a file with a progress bar for whoever watches. The importer reads it more than once, and so does the bar.
func source(path string) importer.Source {
	return importer.Source{Name: filepath.Base(path), Open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, err := f.Stat()
		if err != nil || !terminal(os.Stderr) {
			return f, nil // whatever is wrong with the file shows when it is read
		}
		bar := progressbar.NewOptions64(in.Size(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("reading"),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		read := progressbar.NewReader(f, bar)
		return &read, nil
	}}
}

// terminal reports whether a person may be looking at f.
func terminal(f *os.File) bool {
	in, err := f.Stat()
	return err == nil && in.Mode()&os.ModeCharDevice != 0
}
