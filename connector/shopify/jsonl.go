package shopify

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

const (
	// maxLine bounds one line of a bulk file. An order without its lines is a few KiB, with a hundred parcels 30 KiB.
	maxLine = 1 << 20
	// maxChildren bounds the lines kept of one order: ten times what Shopify allows an order to have.
	maxChildren = order.MaxUnits
)

// bulkLine is what a line says about its place.
type bulkLine struct {
	ID     string `json:"id"`
	Parent string `json:"__parentId"`
}

// readJSONL reads a bulk file of orders: each order on a line, its lines on the following ones, naming it as their parent
// (the file is asked for grouped). Only one order is in memory at a time. done gets each order when it is complete.
func readJSONL(r io.Reader, done func(*orderNode) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine)
	var open *orderNode
	flush := func() error {
		if open == nil {
			return nil
		}
		o := open
		open = nil
		return done(o)
	}
	at := 0
	broken := func(why string, cause error) error {
		return &driver.Error{Class: driver.Retry, Op: driver.OpBulk, Message: fmt.Sprintf("line %d of the bulk file %s", at, why), Cause: cause}
	}
	for s.Scan() {
		at++
		raw := s.Bytes()
		if len(raw) == 0 {
			continue
		}
		var place bulkLine
		if err := json.Unmarshal(raw, &place); err != nil || place.ID == "" {
			return broken("is not an object with an id", err)
		}
		if place.Parent == "" {
			if err := flush(); err != nil {
				return err
			}
			open = &orderNode{}
			if err := json.Unmarshal(raw, open); err != nil {
				return broken("is not an order", err)
			}
			continue
		}
		if open == nil || place.Parent != open.ID {
			return broken("does not follow its order", nil)
		}
		if len(open.Lines.Nodes) == maxChildren {
			return broken("is one too many for its order", nil)
		}
		var l lineNode
		if err := json.Unmarshal(raw, &l); err != nil {
			return broken("is not a line of an order", err)
		}
		open.Lines.Nodes = append(open.Lines.Nodes, l)
	}
	if err := s.Err(); err != nil {
		at++
		if errors.Is(err, bufio.ErrTooLong) {
			return broken("is too long", nil)
		}
		return broken("could not be read", err)
	}
	return flush()
}
