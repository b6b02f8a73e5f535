package ops

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// maxReading uploads are read at once: each holds its files in memory, and its orders.
	maxReading = 2
	// readFor bounds the reading and comparing of an upload. The longest file against ten million orders takes a few minutes.
	readFor = 20 * time.Minute
	// readShown is how long an upload waits for its result, so that a short file is answered at once; a longer one goes on behind its page.
	readShown = 2 * time.Second
	// readTold is how often it is told how far a long one is.
	readTold = time.Second
	// refuseFor bounds the writing of why an upload was refused, which is done even where the program stops.
	refuseFor = 5 * time.Second
	// maxFileName of what a browser sends.
	maxFileName = 120
)

// StartReconcile sets uploaded files beside what is counted here, and keeps what comes of it. The same files again change nothing. It returns once
// that is done, or goes on in the background; either way the page of the ID shows it. Errors: Invalid (nothing to read, no rules), NotFound (the
// shop), Busy (others are being read).
func (d *Desk) StartReconcile(ctx context.Context, in view.ReconcileDraft) (view.ReconcileStarted, error) {
	const op = "ops.StartReconcile"
	a, err := d.asked(ctx, op, in)
	if err != nil {
		return view.ReconcileStarted{}, err
	}
	if d.reading.Add(1) > maxReading {
		d.reading.Add(-1)
		return view.ReconcileStarted{}, errs.New(errs.Busy, op, in.Shop, "Other files are being read. Wait until they are done.")
	}
	r, began, err := a.Begin(ctx, d.x.st)
	if err != nil || !began {
		d.reading.Add(-1)
		out := view.ReconcileStarted{ID: r.ID, Again: true, Sentence: "These files were compared before, on " + dayWords(policy.DayOf(r.CreatedAt, a.Rules.Location()), d.x.now()) + ". Nothing was changed."}
		if r.State == store.ReconciliationReading {
			out.Sentence = "These files are being read already."
		}
		return out, errs.Wrap(op, in.Shop, err)
	}
	done := make(chan string, 1)
	d.x.work.Go(func() {
		defer d.reading.Add(-1)
		done <- d.reconcile(a, r)
	})
	out := view.ReconcileStarted{ID: r.ID, Sentence: "The files are being read."}
	select {
	case said := <-done:
		out.Sentence = said
		if said != refusedText {
			out.Undo = "reconciliation " + r.ID
		}
	case <-time.After(readShown):
	case <-ctx.Done():
	}
	return out, nil
}

const refusedText = "Nothing was taken of these files."

// asked checks an upload.
func (d *Desk) asked(ctx context.Context, op string, in view.ReconcileDraft) (reconcile.Asked, error) {
	var out reconcile.Asked
	bad := func(format string, args ...any) error { return errs.New(errs.Invalid, op, in.Shop, format, args...) }
	rules, err := d.rulesOfShop(ctx, op, in.Shop)
	if err != nil {
		return out, err
	}
	size := 0
	for _, f := range in.Files {
		size += len(f.Data)
	}
	switch {
	case rules == nil:
		return out, bad("No rules are known by which this channel judges shops, so there is nothing to compare.")
	case len(in.Files) == 0:
		return out, bad("Choose a file first: an export of Seller Center, as CSV or XLSX.")
	case len(in.Files) > view.MaxUploads:
		return out, bad("Send at most %d files at once.", view.MaxUploads)
	case size > view.MaxUpload:
		return out, bad("The files together are larger than %d MiB. Export a shorter period.", view.MaxUpload>>20)
	case !slices.Contains([]string{"", "percent", "fraction"}, in.Bare) || in.Metric != "" && !slices.Contains(policy.Metrics, policy.Metric(in.Metric)) || in.Actor == "":
		return out, bad("The form is not complete. Open it again.")
	}
	for i, f := range in.Files {
		if len(f.Data) == 0 {
			return out, bad("%s is empty.", fileName(f.Name, i))
		}
		out.Files = append(out.Files, reconcile.File{Name: fileName(f.Name, i), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil }})
	}
	out.Connection, out.Rules, out.Actor, out.Now = in.Shop, rules, in.Actor, d.x.now
	out.Read = reconcile.Options{Zone: rules.Location(), DayFirst: in.DayFirst, Bare: in.Bare, Metric: policy.Metric(in.Metric), SkipWrong: in.SkipWrong}
	out.Compare = compare.Options{Zones: []*time.Location{rules.Location()}}
	return out, nil
}

// fileName is a file's own, without a path and what cannot be shown.
func fileName(s string, i int) string {
	if at := strings.LastIndexAny(s, `/\`); at >= 0 {
		s = s[at+1:]
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for len(s) > maxFileName {
		s = s[1:] // its end tells more
	}
	if s = strings.ToValidUTF8(strings.TrimSpace(s), ""); s == "" {
		return "file " + number(i+1)
	}
	return s
}

// rulesOfShop are what a shop is judged by; nil: none are known. Errors: NotFound (the shop).
func (d *Desk) rulesOfShop(ctx context.Context, op, shop string) (*policy.RuleSet, error) {
	var found bool
	err := d.look(ctx, op, shop, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		found = slices.ContainsFunc(ch.rows, func(c store.Connection) bool { return c.ID == shop })
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errs.New(errs.NotFound, op, shop, "There is no shop %s.", shop)
	}
	if book := d.x.rules.Load(); book != nil && book.of[shop] != nil {
		return book.of[shop].rules, nil
	}
	return nil, nil
}

// reconcile reads, compares and keeps, or keeps why not. It returns what to tell.
func (d *Desk) reconcile(a reconcile.Asked, r store.Reconciliation) string {
	ctx, cancel := context.WithTimeout(d.x.ctx, readFor)
	defer cancel()
	last := d.x.now()
	a.Seen = func(s reconcile.Summary) error {
		if now := d.x.now(); now.Sub(last) >= readTold {
			last = now
			return d.howFar(ctx, r, s)
		}
		return nil
	}
	made, sum, err := d.compareAndKeep(ctx, a, r)
	if err != nil {
		if kind := errs.KindOf(err); kind != errs.Invalid && kind != errs.Conflict && d.x.ctx.Err() == nil {
			d.x.log.Warn("exports of a channel could not be compared", "connection", a.Connection, "reconciliation", r.ID, "err", err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.x.ctx), refuseFor)
		defer cancel()
		if err := a.Refuse(ctx, d.x.st, r, made, err); err != nil && !errs.Is(err, errs.Conflict) {
			d.x.log.Warn("why exports were refused could not be kept", "connection", a.Connection, "reconciliation", r.ID, "err", err)
		}
		d.x.live.notify(view.TopicReconcile+":"+r.ID, view.TopicReconcile)
		return refusedText
	}
	d.didHealth(view.TopicHealth+":"+a.Connection, view.TopicReconcile+":"+r.ID, view.TopicReconcile)
	return sumText(sum) + "."
}

// compareAndKeep makes and saves. A reader of files that breaks on what it reads must not end the program.
func (d *Desk) compareAndKeep(ctx context.Context, a reconcile.Asked, r store.Reconciliation) (made reconcile.Compared, sum reconcile.Summary, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.x.log.Error("the reading of an export broke", "connection", a.Connection, "reconciliation", r.ID, "panic", p)
			err = errs.New(errs.Invalid, "ops.Reconcile", r.ID, "The file could not be read: it is damaged, or of a kind that is not known here.")
		}
	}()
	if made, err = a.Make(ctx, d.x.st); err != nil {
		return made, sum, err
	}
	sum, err = a.Save(ctx, d.x.st, r, made)
	return made, sum, err
}

// howFar keeps how far a reading is, for its page in whichever process it is looked at.
func (d *Desk) howFar(ctx context.Context, r store.Reconciliation, s reconcile.Summary) error {
	data, err := s.Progress(r)
	if err != nil {
		return err
	}
	err = d.x.st.Update(ctx, func(tx *store.Tx) error {
		return tx.ReconciliationTell(store.Reconciliation{ID: r.ID, State: store.ReconciliationReading, UpdatedAt: d.x.now(), Data: data})
	})
	if err == nil {
		d.x.live.notify(view.TopicReconcile + ":" + r.ID)
	}
	return err
}

// PreviewReconcileEnd works out what goes with a comparison that is taken back.
func (d *Desk) PreviewReconcileEnd(ctx context.Context, id string) (view.Preview, error) {
	r, s, err := d.kept(ctx, "ops.PreviewReconcileEnd", id)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: "The comparison of " + s.Names() + " goes, with what it says of orders.", Undo: "There is no undo: upload the files again."}
	if r.State == store.ReconciliationReading {
		v.Warnings = []string{"It is being read: that stops."}
	}
	if s.Told > 0 {
		v.Changes = append(v.Changes, view.Change{What: "Figures of the channel’s own", From: number(s.Told), To: "0", Why: "the newest of another import take their place"})
	}
	if n := len(s.Ratings); n > 0 {
		v.Changes = append(v.Changes, view.Change{What: "Account ratings read from it", From: number(n), To: "0", Why: "those that were entered stay"})
	}
	return v, nil
}

// EndReconcile takes a comparison back with all it brought. Errors: NotFound.
func (d *Desk) EndReconcile(ctx context.Context, id, _ string) (view.Done, error) {
	const op = "ops.EndReconcile"
	r, _, err := d.kept(ctx, op, id)
	if err != nil {
		return view.Done{}, err
	}
	rules, err := d.rulesOfShop(ctx, op, r.ConnectionID)
	if err != nil && !errs.Is(err, errs.NotFound) { // a shop that is gone has none
		return view.Done{}, err
	}
	err = d.x.st.Update(ctx, func(tx *store.Tx) error { return reconcile.Forget(tx, rules, id) })
	if errs.Is(err, errs.NotFound) {
		return view.Done{}, errs.New(errs.NotFound, op, id, "The comparison was taken back already.")
	}
	if err != nil {
		return view.Done{}, errs.Wrap(op, id, err)
	}
	d.didHealth(view.TopicHealth+":"+r.ConnectionID, view.TopicReconcile+":"+id, view.TopicReconcile)
	return view.Done{Sentence: "The comparison is taken back, with all it brought."}, nil
}
