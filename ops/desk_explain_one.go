package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

func (d *Desk) explainPromise(ctx context.Context, v *view.Explain, id string) error {
	p, err := d.Item(ctx, id, nil, 0)
	if err != nil {
		return err
	}
	x := p.Promise
	v.At, v.Title, v.Value, v.Unit, v.Level = p.At, "Available of "+p.SKU, number(x.Available), "units", x.Level
	v.Sentence = "Units that may be promised, over the locations that serve its channels. What all channels may still sell plus the buffer stays within it."
	v.Formula = "available = on hand − reserved − damaged − owed;  Σ may still sell + buffer + free = available"
	v.JudgedBy = "mode " + x.Mode
	var exposed int64
	v.Columns = []view.Column{{Name: "Channel"}, {Name: "Told", Number: true}, {Name: "May still sell", Number: true}, {Name: "Wanted", Number: true}}
	for _, part := range x.Parts {
		exposed += part.Exposure
		told := "–"
		if part.Told != nil {
			told = number(*part.Told)
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: part.Channel, Ref: view.Ref{Kind: view.KindFigure, ID: view.FigureListing + part.ListingID}}, {Text: told}, {Text: number(part.Exposure)}, {Text: number(part.Desired)}})
	}
	v.Inputs = []view.Input{input("On hand", p.Total.OnHand, ""), input("Reserved", p.Total.Reserved, "held for orders"), input("Damaged", p.Total.Damaged, "cannot be sold"),
		input("Owed", p.Total.Short, "promised and not there: the next to arrive"), input("May still sell", exposed, "over all channels"), input("Buffer", x.Buffer, "kept back by your rules"), input("Free", x.Free, "may be told to any channel")}
	v.Checks = []view.Check{{Name: "Channels may not sell more than there is", OK: exposed <= max(0, x.Available) || x.Mode == "shared", Text: number(exposed) + " ≤ " + number(max(0, x.Available))}}
	return nil
}

func (d *Desk) explainBalance(ctx context.Context, v *view.Explain, id string) error {
	at := strings.LastIndex(id, "@")
	if at < 0 {
		return errs.New(errs.NotFound, "ops.Explain", id, "There is no figure %s.", v.Figure)
	}
	item, place := id[:at], id[at+1:]
	p, err := d.Item(ctx, item, nil, 0)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.Balances, func(b view.Balance) bool { return b.LocationID == place })
	if i < 0 {
		return errs.New(errs.NotFound, "ops.Explain", id, "%s has never been at %s.", p.SKU, place)
	}
	b := p.Balances[i]
	v.At, v.Title, v.Value, v.Unit = p.At, "Available of "+p.SKU+" at "+b.Location, number(b.Available), "units"
	v.Sentence = "Units at this place that may be promised. They serve " + b.Serves + "."
	v.Formula = "available = on hand − reserved − damaged"
	v.Inputs = []view.Input{input("On hand", b.OnHand, ""), input("Reserved", b.Reserved, "held for orders"), input("Damaged", b.Damaged, "cannot be sold")}
	v.Checks = []view.Check{{Name: "Reserved and damaged are within on hand", OK: b.Reserved+b.Damaged <= b.OnHand, Text: number(b.Reserved) + " + " + number(b.Damaged) + " ≤ " + number(b.OnHand)}}
	v.Columns = []view.Column{{Name: "When"}, {Name: "What"}, {Name: "On hand", Number: true}, {Name: "Reserved", Number: true}, {Name: "Damaged", Number: true}}
	for _, m := range p.Journal {
		if m.LocationID == place && len(v.Rows) < explainRows {
			v.Rows = append(v.Rows, []view.Cell{{Text: d.clockTime(m.RecordedAt)}, {Text: m.Kind + " " + m.Text, Ref: m.Ref}, {Text: number(m.OnHandAfter)}, {Text: number(m.ReservedAfter)}, {Text: number(m.DamagedAfter)}})
		}
	}
	return nil
}

func (d *Desk) explainListing(ctx context.Context, v *view.Explain, id string) error {
	cat := d.x.catalog.Load()
	l, ok := cat.listings[id]
	if !ok {
		return errs.New(errs.NotFound, "ops.Explain", id, "There is no listing %s.", id)
	}
	v.Title, v.Unit, v.Value = "What "+cmp.Or(l.SellerSKU, l.ExternalSKU)+" is told", "units", "–"
	v.Formula = "may still sell = last number confirmed − sales known since + what pushes on their way could add"
	v.JudgedBy = rulesText(rulesView(l.Rules))
	if l.ItemID == "" {
		v.Sentence, v.Level = "It sells no item we know, so it is told nothing.", view.Watch
		return nil
	}
	return d.look(ctx, "ops.Explain", id, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		v.Title += " on " + ch.of(l.ConnectionID)
		s, err := d.suppose(tx, cat.problem[l.ItemID])
		if err != nil {
			return err
		}
		v.At = s.at
		report := s.gather(map[string]itemFacts{})
		for _, x := range d.listings(s, report, firstPart(cat, id), ch) {
			if x.ID == id {
				v.Level, v.Sentence = x.Level, x.Why+" It is "+x.State+"."
				v.Value = number(x.Desired)
			}
		}
		for _, line := range report.Listings {
			if line.Listing == id {
				for _, n := range append(slices.Clone(line.Why.Numbers), line.TargetWhy.Numbers...) {
					v.Inputs = append(v.Inputs, input(capital(n.Name), n.Value, n.Unit))
				}
			}
		}
		return d.pushRows(tx, v, id)
	})
}

// firstPart is an item under which a listing is found.
func firstPart(cat *catalogue, listing string) string {
	for _, part := range cat.consumes(cat.listings[listing]) {
		return part.ItemID
	}
	return ""
}

func rulesText(r view.Rules) string {
	text := "mode " + cmp.Or(r.Mode, "guarded")
	if r.Mode == "fixed" {
		text += " at " + number(r.Fixed)
	}
	if r.Min > 0 {
		text += ", at least " + number(r.Min)
	}
	if r.Max > 0 {
		text += ", at most " + number(r.Max)
	}
	if r.BufferPercent > 0 || r.BufferUnits > 0 {
		text += ", " + number(r.BufferPercent) + " % and " + unitsOf(r.BufferUnits) + " kept back"
	}
	return text
}

// pushRows are the latest numbers a listing was told.
func (d *Desk) pushRows(tx *store.Tx, v *view.Explain, listing string) error {
	pushes, err := tx.PushLogList(listing, 0, explainRows)
	v.Columns = []view.Column{{Name: "Sent"}, {Name: "Told", Number: true}, {Name: "How"}, {Name: "Answer"}, {Name: "Took", Number: true}}
	for _, p := range pushes {
		took := "–"
		if !p.AnsweredAt.IsZero() {
			took = lasting(p.AnsweredAt.Sub(p.SentAt))
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: p.SentAt.In(d.home).Format("2 Jan 15:04:05")}, {Text: number(p.Qty)}, {Text: p.Kind}, {Text: strings.TrimSpace(p.Outcome + " " + p.Error)}, {Text: took}})
	}
	return err
}

func (d *Desk) explainDeadline(ctx context.Context, v *view.Explain, id string) error {
	p, err := d.Order(ctx, id)
	if err != nil {
		return err
	}
	v.At, v.Title, v.Value, v.Level = p.At, "Slack of order "+p.Number, "none", p.Level
	v.Formula = "slack = next deadline not met − now"
	v.JudgedBy = "the deadlines the platform sends with the order, with its holidays and cut-offs in them; of several the earliest rules"
	v.Sentence = "No deadline binds this order now."
	if p.Due != nil {
		v.Value = lasting(p.Due.Sub(p.At).Abs())
		if v.Sentence = "Time left to " + p.DueWhat + "."; p.Due.Before(p.At) {
			v.Sentence, v.Value = "The time to "+p.DueWhat+" has passed.", v.Value+" late"
		}
	}
	v.Inputs = []view.Input{{Name: "State", Value: p.State, Text: p.ChannelState}, {Name: "Placed", Value: d.clockTime(p.Placed)}}
	v.Columns = []view.Column{{Name: "Deadline"}, {Name: "At"}, {Name: "From"}, {Name: "Met"}}
	for _, x := range p.Deadlines {
		met := "not yet"
		if x.Met != nil {
			met = d.clockTime(*x.Met)
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: x.Name}, {Text: d.clockTime(x.At)}, {Text: x.Source}, {Text: met}})
	}
	return nil
}

func (d *Desk) explainWrong(ctx context.Context, v *view.Explain, id string) error {
	s, err := d.survey(ctx)
	if err != nil {
		return err
	}
	cat := d.x.catalog.Load()
	v.At, v.Value, v.Unit = s.at, number(s.wrong[id]), "listings"
	if v.Level = view.Good; s.wrong[id] > 0 {
		v.Level = view.Watch
	}
	v.Sentence = "Listings whose number is being changed: a push is on its way or got no answer yet, or the number was never read. All others show what they should."
	v.Formula = "count of listings with a push on its way or in doubt, or without a known number"
	v.Inputs = []view.Input{input("Listings", s.listings[id], "of the channel"), input("Without an item", s.unmapped[id], "told nothing")}
	v.Columns = []view.Column{{Name: "Listing"}, {Name: "Told", Number: true}, {Name: "Wanted", Number: true}, {Name: "May still sell", Number: true}}
	err = d.look(ctx, "ops.Explain", id, func(tx *store.Tx) error {
		c, err := tx.ConnectionGet(id)
		if err != nil {
			return err
		}
		v.Title = "Not right yet on " + cmp.Or(c.Name, c.ID)
		return nil
	})
	for _, listing := range cat.ofConn[id] {
		l := cat.listings[listing]
		b, open := s.books[listing]
		if l.ItemID == "" || !l.Active || (open && !b.open) {
			continue
		}
		if len(v.Rows) == explainRows {
			v.More++
			continue
		}
		told := "–"
		if b.told != nil {
			told = number(*b.told)
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: cmp.Or(l.SellerSKU, l.ExternalSKU), Ref: view.Ref{Kind: view.KindItem, ID: l.ItemID}}, {Text: told}, {Text: number(b.desired)}, {Text: number(b.exposure)}})
	}
	return err
}

func (d *Desk) explainWatermark(ctx context.Context, v *view.Explain, id string) error {
	c, err := d.Connection(ctx, id)
	if err != nil {
		return err
	}
	v.Title, v.Value = "How far "+c.Shop+" is read", "not yet"
	v.Sentence = "The platform's time of the newest change we have read by polling. Webhooks are faster; the poll finds what they lost, and its end is the barrier after which every sale before it is known."
	v.Formula = "newest change time of all orders read; the next poll begins a little before it"
	v.JudgedBy = "a poll every " + lasting(d.x.o.SweepEvery) + " and whenever a number waits for the barrier"
	v.Columns = []view.Column{{Name: "Stream"}, {Name: "Newest change"}, {Name: "Last read to the end"}, {Name: "State"}}
	for _, s := range c.Streams {
		if v.Level = s.Level; !s.Watermark.IsZero() {
			v.Value = d.clockTime(s.Watermark)
		}
		run := "not yet"
		if !s.RunAt.IsZero() {
			run = d.clockTime(s.RunAt)
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: s.Name}, {Text: v.Value}, {Text: run}, {Text: s.Text}})
	}
	v.Inputs = []view.Input{input("Overlap", int64(overlap/1e9), "seconds read again each time"), {Name: "Orders to read again", Value: number(d.needDetail(ctx, id)), Text: "something changed that no reading has shown yet"}}
	return nil
}

// needDetail counts a connection's orders that must be read again, up to a bound.
func (d *Desk) needDetail(ctx context.Context, id string) int {
	var ids []string
	if err := d.look(ctx, "ops.Explain", id, func(tx *store.Tx) (err error) {
		ids, err = tx.OrdersNeedingDetail(id, orderScan)
		return err
	}); err != nil {
		return 0
	}
	return len(ids)
}
