package csv3pl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

const (
	maxListed = 1000 // files looked at in one listing; the rest waits for the next
	// unended is how long a file whose last line does not end is believed to be still written.
	unended = 15 * time.Minute
)

// shipper is one account.
type shipper struct {
	env    driver.Env
	place  place
	format format
	settle time.Duration
}

// Roles of the provider.
var (
	_ driver.Shipper     = (*shipper)(nil)
	_ driver.Follower    = (*shipper)(nil)
	_ driver.StockKeeper = (*shipper)(nil)
)

// with runs one call on a connection of its own, paced and told like a request.
func (s *shipper) with(ctx context.Context, op driver.Operation, do func(files) error) error {
	if s.env.Pace != nil {
		if err := s.env.Pace(ctx, op); err != nil {
			return &driver.Error{Class: driver.Retry, Op: op, Cause: err}
		}
	}
	start := s.now()
	f, err := s.place.open(ctx)
	if err == nil {
		err = do(f)
		f.close()
	}
	err = class(op, err)
	if s.env.Seen != nil {
		x := driver.Exchange{At: start, Op: op, Took: s.now().Sub(start)}
		if err != nil {
			x.Err = err.Error()
		}
		s.env.Seen(x)
	}
	return err
}

func (s *shipper) now() time.Time {
	if s.env.Now == nil {
		return time.Now()
	}
	return s.env.Now()
}

// renamed marks the error of a file's last step: it may be there.
type renamed struct{ error }

func (r renamed) Unwrap() error { return r.error }

// class says what to do about an error. Only a rename may have been carried out without an answer.
func class(op driver.Operation, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*driver.Error](err); ok {
		return err
	}
	e := &driver.Error{Class: driver.Retry, Op: op, Cause: err}
	_, e.Applied = errors.AsType[renamed](err)
	switch {
	case errors.Is(err, errHostKey), errors.Is(err, errLogin), errors.Is(err, errAddress):
		e.Class, e.Message, e.Cause, e.Applied = driver.AskHuman, err.Error(), nil, false
	case errors.Is(err, fs.ErrNotExist):
		e.Class, e.Message, e.Applied = driver.AskHuman, "a folder is missing: the provider's place needs out, in, done, sent and problems", false
	case errors.Is(err, fs.ErrPermission):
		e.Class, e.Message, e.Applied = driver.AskHuman, "the provider's server does not let us read or write there", false
	}
	return e
}

// Quote implements driver.Shipper. The provider chooses.
func (s *shipper) Quote(context.Context, driver.Parcel) ([]driver.Quote, error) {
	return []driver.Quote{{ID: "provider", Service: "standard", ByPlatform: true}}, nil
}

func orderFile(id string) string { return path.Join(outFolder, "order-"+id+".csv") }
func mark(id string) string      { return path.Join(sentFolder, "order-"+id+".txt") }

// Book implements driver.Shipper: one file for an order, named by the booking. The mark is written after it, so an order that has a mark was handed over; one
// whose mark was lost is written again under the same name and id, which the provider takes for the same order.
func (s *shipper) Book(ctx context.Context, b driver.Booking) (driver.Booked, error) {
	rows, why := orderRows(b)
	if why != "" {
		return driver.Booked{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpBook, Message: why}
	}
	at := s.now().UTC()
	err := s.with(ctx, driver.OpBook, func(f files) error {
		there, err := sent(f, b.ID, at)
		if err != nil || there {
			return err
		}
		if err := f.put(orderFile(b.ID), s.format.write(orderColumns, rows)); err != nil {
			return renamed{err}
		}
		return putMark(f, b.ID, at)
	})
	if err != nil {
		return driver.Booked{}, err
	}
	return driver.Booked{ID: b.ID, Ref: b.ID, At: at, State: driver.BookingDone}, nil
}

// sent reports whether an order was handed over. One that lies there without its mark gets it, since the provider may take it away at any time.
func sent(f files, id string, at time.Time) (bool, error) {
	there, err := exists(f, mark(id))
	if err != nil || there {
		return there, err
	}
	if there, err = exists(f, orderFile(id)); err == nil && there {
		err = putMark(f, id, at)
	}
	return there, err
}

func exists(f files, name string) (bool, error) {
	_, err := f.stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// putMark writes that an order was handed over, and nothing else of it.
func putMark(f files, id string, at time.Time) error {
	if err := f.put(mark(id), []byte(at.Format(time.RFC3339)+"\r\n")); err != nil {
		return renamed{err}
	}
	return nil
}

// orderRows is a booking as lines of a file, or why it cannot be one.
func orderRows(b driver.Booking) (rows [][]string, why string) {
	p, to := b.Parcel, b.Parcel.To
	switch {
	case !bookingID.MatchString(b.ID):
		return nil, "the booking's id cannot be part of a file's name"
	case to.Name == "" || to.Line1 == "" || to.City == "" || to.Country == "":
		return nil, "the address lacks name, street, city or country"
	case len(p.Lines) == 0:
		return nil, "the parcel holds nothing"
	}
	method := cmp.Or(b.Quote.Service, "standard")
	for i, l := range p.Lines {
		if l.SKU == "" || l.Qty < 1 {
			return nil, "a line has no SKU or no quantity"
		}
		rows = append(rows, []string{b.ID, p.Number, strconv.Itoa(i + 1), l.SKU, l.Title, strconv.FormatInt(l.Qty, 10), method, to.Name, to.Company, to.Line1, to.Line2, to.City,
			to.State, to.Post, to.Country, to.Phone, to.Email})
	}
	return rows, ""
}

// Find implements driver.Shipper. Number and carrier come as news only.
func (s *shipper) Find(ctx context.Context, b driver.Booking) (driver.Booked, bool, error) {
	if !bookingID.MatchString(b.ID) {
		return driver.Booked{}, false, nil
	}
	there := false
	err := s.with(ctx, driver.OpFind, func(f files) (err error) {
		there, err = sent(f, b.ID, s.now().UTC())
		return err
	})
	if err != nil || !there {
		return driver.Booked{}, false, err
	}
	return driver.Booked{ID: b.ID, Ref: b.ID, State: driver.BookingDone}, true, nil
}

// Document implements driver.Shipper: there is none to fetch.
func (s *shipper) Document(context.Context, driver.Booked, driver.DocumentKind, string) (driver.Document, error) {
	return driver.Document{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpDocument, Message: "the provider prints its labels and slips itself: there is nothing to print here"}
}

// Void implements driver.Shipper: the provider is asked, and answers with a row "cancelled", or with the shipment.
func (s *shipper) Void(ctx context.Context, b driver.Booked) (driver.Voided, error) {
	if !bookingID.MatchString(b.ID) {
		return "", &driver.Error{Class: driver.GiveUp, Op: driver.OpVoid, Message: "the booking's id cannot be part of a file's name"}
	}
	err := s.with(ctx, driver.OpVoid, func(f files) error {
		return f.put(path.Join(outFolder, "cancel-"+b.ID+".csv"), s.format.write(cancelColumns, [][]string{{b.ID}}))
	})
	if err != nil {
		return "", err
	}
	return driver.VoidAsked, nil
}

// incoming is what names of files for us look like: what is in it, and the provider's id of it.
var incoming = regexp.MustCompile(`^(shipments|stock)-[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.csv$`)

// ready are the files of a kind that are whole, the oldest name first.
func (s *shipper) ready(f files, kind string) ([]entry, error) {
	all, err := f.list(inFolder)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e entry) bool {
		return !incoming.MatchString(e.name) || !strings.HasPrefix(e.name, kind+"-") || s.now().Sub(e.at) < s.settle
	})
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return all, nil
}

// whole reads a file; false while somebody seems to be writing it.
func (s *shipper) whole(f files, e entry) ([]byte, bool, error) {
	name := path.Join(inFolder, e.name)
	data, err := f.read(name)
	if err != nil {
		return nil, false, err
	}
	after, err := f.stat(name)
	if err != nil {
		return nil, false, err
	}
	same := after.size == e.size && after.at.Equal(e.at) && (int64(len(data)) == e.size || len(data) > maxFile)
	return data, same && (bytes.HasSuffix(data, []byte("\n")) || s.now().Sub(e.at) >= unended), nil
}

// done puts a file away. One whose name was there before keeps the first, and is put beside it.
func done(f files, name string, at time.Time) error {
	again, err := exists(f, path.Join(doneFolder, name))
	if err != nil {
		return err
	}
	to := name
	if again {
		to = "again-" + at.UTC().Format("20060102T150405.000000000") + "-" + name
	}
	return f.move(path.Join(inFolder, name), path.Join(doneFolder, to))
}

// Parcels implements driver.Follower: a page is a file. Asking for the page after it says that it was stored, and only then is it put away; a file that
// is read twice because of a crash tells the same twice. Since when does not matter: what lies there was not taken.
func (s *shipper) Parcels(ctx context.Context, _ time.Time, cursor string) (driver.ParcelPage, error) {
	if cursor != "" && !incoming.MatchString(cursor) {
		return driver.ParcelPage{}, &driver.Error{Class: driver.GiveUp, Op: driver.OpParcels, Message: "the page is no file of ours"}
	}
	var out driver.ParcelPage
	err := s.with(ctx, driver.OpParcels, func(f files) error {
		if cursor != "" {
			if err := done(f, cursor, s.now()); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		list, err := s.ready(f, topicShipments)
		if err != nil {
			return err
		}
		for _, e := range list {
			again, err := exists(f, path.Join(doneFolder, e.name))
			if err == nil && again {
				s.log().Warn("a file came again under a name that was taken, and was not read", "file", e.name)
				err = done(f, e.name, s.now())
				if err == nil {
					continue
				}
			}
			if err != nil {
				return err
			}
			data, ok, err := s.whole(f, e)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			rows, problems := s.format.read(data, shipmentColumns)
			news, more := shipments(rows)
			out = driver.ParcelPage{News: news, Next: e.name}
			return s.tell(f, e.name, append(problems, more...))
		}
		return nil
	})
	return out, err
}

// tell writes down what was wrong with a file, line by line, where the provider can read it.
func (s *shipper) tell(f files, name string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\r\n")
	}
	s.log().Warn("lines of a provider's file cannot be read", "file", name, "lines", len(problems), "first", problems[0].Line)
	return f.put(path.Join(problemsFolder, name+".txt"), []byte(b.String()))
}

func (s *shipper) log() *slog.Logger {
	if s.env.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.env.Log
}

// Stock implements driver.StockKeeper. A stock file tells everything there is, so the newest that can be read counts and stays; the
// older are put away.
func (s *shipper) Stock(ctx context.Context, _ string) (driver.KeptPage, error) {
	var out driver.KeptPage
	err := s.with(ctx, driver.OpQuantities, func(f files) error {
		list, err := s.ready(f, "stock")
		if err != nil {
			return err
		}
		for i := len(list) - 1; i >= 0; i-- {
			data, ok, err := s.whole(f, list[i])
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			rows, problems := s.format.read(data, stockColumns)
			items, more := kept(rows, list[i].at)
			if problems = append(problems, more...); len(items) == 0 && len(problems) > 0 { // the one before is better than none
				if err := s.tell(f, list[i].name, problems); err != nil {
					return err
				}
				continue
			}
			out.Items = items
			for _, old := range list[:i] {
				if err := done(f, old.name, s.now()); err != nil {
					return err
				}
			}
			return s.tell(f, list[i].name, problems)
		}
		return nil
	})
	return out, err
}
