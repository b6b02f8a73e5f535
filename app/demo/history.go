package demo

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
)

//go:embed data/online-retail-extract.csv.gz
var extract []byte

// historyFile is where the whole set lies beside a checkout, if it is there.
const historyFile = "data/uci-online-retail/lines_2010-12_2011-08.csv.gz"

const (
	// catalogueSize is how many articles the demo sells: the most ordered ones.
	catalogueSize = 40
	// retailQty cuts wholesale quantities: the set is a gift shop's whose customers are often shops themselves.
	retailQty = 3
	// maxHistory bounds the lines kept for the replay.
	maxHistory = 20_000
)

// sale is one basket of the history.
type sale struct {
	At    time.Time
	Order string
	Lines []stage.Line
}

// history is what was sold, oldest first, and what there is to sell, most ordered first.
type history struct {
	Articles []stage.Article
	Sales    []sale
	Source   string
}

// loadHistory reads the whole set when it lies beside the checkout, else the embedded extract.
func loadHistory() (history, error) {
	for dir := "."; ; dir = filepath.Join(dir, "..") {
		path := filepath.Join(dir, "shared", historyFile)
		if f, err := os.Open(path); err == nil {
			defer f.Close()
			h, err := readHistory(f)
			h.Source = "Online Retail (UCI, CC BY 4.0), nine months"
			return h, err
		}
		if abs, err := filepath.Abs(dir); err != nil || abs == filepath.Dir(abs) {
			break
		}
	}
	h, err := readHistory(bytes.NewReader(extract))
	h.Source = "Online Retail (UCI, CC BY 4.0), an extract of six days"
	return h, err
}

type row struct {
	order, sku, title string
	qty               int
	at                time.Time
	cents             int64
}

func readHistory(r io.Reader) (history, error) {
	const op = "demo.readHistory"
	z, err := gzip.NewReader(r)
	if err != nil {
		return history{}, errs.Wrap(op, "", err)
	}
	in := csv.NewReader(z)
	head, err := in.Read()
	if err != nil {
		return history{}, errs.Wrap(op, "header", err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	var rows []row
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return history{}, errs.Wrap(op, "", err)
		}
		if v, ok := parseRow(rec, at); ok {
			rows = append(rows, v)
		}
	}
	return assemble(rows), nil
}

// parseRow reads a sale of a stock article; cancellations, postage and the like are left out.
func parseRow(rec []string, at map[string]int) (row, bool) {
	v := row{order: rec[at["InvoiceNo"]], sku: rec[at["StockCode"]], title: rec[at["Description"]]}
	qty, err1 := strconv.Atoi(rec[at["Quantity"]])
	when, err2 := time.Parse("2006-01-02 15:04:05", rec[at["InvoiceDate"]])
	price, err3 := strconv.ParseFloat(rec[at["UnitPrice"]], 64) // the simulators' buyers pay it; no ledger of money sees it
	if errors.Join(err1, err2, err3) != nil || qty < 1 || price <= 0 || len(v.sku) < 5 {
		return v, false
	}
	if _, err := strconv.Atoi(v.sku[:5]); err != nil {
		return v, false
	}
	v.qty, v.at, v.cents = min(qty, retailQty), when, int64(price*100+0.5)
	return v, true
}

func assemble(rows []row) history {
	lines := map[string]int{}
	byName := map[string]stage.Article{}
	for _, r := range rows {
		lines[r.sku]++
		byName[r.sku] = stage.Article{SKU: r.sku, Title: strings.TrimSpace(r.title), Cents: r.cents}
	}
	var h history
	for _, a := range byName {
		h.Articles = append(h.Articles, a)
	}
	slices.SortFunc(h.Articles, func(a, b stage.Article) int {
		if d := lines[b.SKU] - lines[a.SKU]; d != 0 {
			return d
		}
		return bytes.Compare([]byte(a.SKU), []byte(b.SKU))
	})
	h.Articles = h.Articles[:min(len(h.Articles), catalogueSize)]
	sold := map[string]bool{}
	for _, a := range h.Articles {
		sold[a.SKU] = true
	}
	byOrder := map[string]int{}
	n := 0
	for _, r := range rows {
		if !sold[r.sku] || n >= maxHistory {
			continue
		}
		n++
		i, ok := byOrder[r.order]
		if !ok {
			i = len(h.Sales)
			byOrder[r.order] = i
			h.Sales = append(h.Sales, sale{At: r.at, Order: r.order})
		}
		h.Sales[i].Lines = append(h.Sales[i].Lines, stage.Line{SKU: r.sku, Qty: r.qty})
	}
	slices.SortStableFunc(h.Sales, func(a, b sale) int { return a.At.Compare(b.At) })
	return h
}
