package ops

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// casesEvery is how often requests of buyers are read: the shortest time that channels give for an answer is a day, and messages about them
	// come at once, without the time.
	casesEvery = 2 * time.Minute
	// casesAgain is how long to wait after it failed.
	casesAgain = 10 * time.Minute
	// casesStream names the watermark of requests.
	casesStream = "cases"
)

// caseLoop reads until when requests of buyers want an answer, where the channel tells. What fails here fails by itself: a scope that was not
// granted for it must not end the reading of orders.
func (w *wire) caseLoop() {
	if !w.session.TellsCases() {
		return
	}
	next := w.x.now().Add(barrierPause)
	for w.rest(0, nil, func() (time.Time, bool) { return next, true }) {
		w.mu.Lock()
		opened := w.state.opened
		w.mu.Unlock()
		if !opened { // the orders come first
			next = w.x.now().Add(saveWatermark)
			continue
		}
		err := w.readCases()
		if w.ctx.Err() != nil {
			return
		}
		next = w.x.now().Add(casesEvery)
		failing := ""
		if err != nil {
			failing, next = errs.Safe(err), w.x.now().Add(casesAgain)
			w.log.Warn("requests of buyers could not be read", "err", err)
		}
		w.mu.Lock()
		w.state.cases = failing
		w.mu.Unlock()
	}
}

// readCases takes in the requests changed since the last time; at first those of the time that orders are read of.
func (w *wire) readCases() error {
	began := w.x.now()
	from := began.Add(-history)
	err := w.x.st.View(w.ctx, func(tx *store.Tx) error {
		mark, err := tx.WatermarkGet(w.id, casesStream)
		if err == nil && !mark.At.IsZero() {
			from = mark.At.Add(-overlap)
		}
		return err
	})
	if err != nil {
		return err
	}
	for page, err := range w.session.CasePages(w.ctx, from) {
		if err != nil {
			return err
		}
		own(page.Facts, w.id)
		if len(page.Facts) == 0 {
			continue
		}
		taken, err := w.takeIn(w.ctx, Incoming{ConnectionID: w.id, Source: SourcePoll, Facts: page.Facts})
		if err != nil {
			return err
		}
		w.reread(taken.NeedsDetail, nil)
		w.refused(taken.Refused)
	}
	return w.x.st.Update(w.ctx, func(tx *store.Tx) error {
		if lost, err := fence(tx, w.grip); err != nil || lost[w.grip] {
			return errsOr(err, errTaken("ops.readCases", w.grip))
		}
		return tx.WatermarkSet(w.id, casesStream, store.Watermark{At: began})
	})
}
