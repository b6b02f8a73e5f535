package ops

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/store"
)

const (
	// custodyEvery is how long a custody event waits at most to be signed.
	custodyEvery = time.Second
	// custodyBatch entries are sequenced in one transaction: a tenth of a second's work, while the embedded database's other writers wait.
	custodyBatch = 2_000
	// custodyCheckEvery is how often the whole log is hashed anew.
	custodyCheckEvery = 24 * time.Hour
	// custodyPage entries are handed to a reader at once.
	custodyPage = 1_000
)

// custodyLoop sequences and signs what was appended to the custody log, and once a day hashes all of it anew, while this process has the
// scheduler's lease. Should two processes believe that they have it, the log still grows in one line: see store.CustodySequence.
func (x *Ops) custodyLoop() {
	tick := time.NewTicker(custodyEvery)
	defer tick.Stop()
	checked, failing := x.now(), ""
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		if !x.keeper.has(schedulerLease) {
			checked = x.now()
			continue
		}
		said := ""
		if spoilt, err := x.SequenceCustody(x.ctx); err != nil {
			said = err.Error()
		} else if spoilt > 0 {
			said = fmt.Sprintf("%d entries were changed while they waited", spoilt)
		}
		if said != "" && said != failing && x.ctx.Err() == nil {
			x.log.Error("the custody log cannot go on; nothing in it is lost; run 'spillway doctor'", "why", said)
		}
		failing = said
		if now := x.now(); now.Sub(checked) >= custodyCheckEvery {
			checked = now
			if r, err := x.CheckCustody(x.ctx); (err != nil || len(r.Found) > 0) && x.ctx.Err() == nil {
				x.log.Error("the custody log is not as it was written; run 'spillway doctor'", "found", r.Found, "err", err)
			}
		}
	}
}

// SequenceCustody gives all custody events that wait their places in the log and signs it. The log's key is made first if there is none. It says how many
// entries were left behind because they were changed while they waited.
func (x *Ops) SequenceCustody(ctx context.Context) (spoilt int, err error) {
	for {
		var work bool
		if err := x.st.View(ctx, func(tx *store.Tx) error {
			waiting, err := tx.CustodyWaiting(0, 1)
			if err != nil {
				return err
			}
			_, begun, err := tx.CustodyKeyGet()
			work = len(waiting) > 0 || !begun
			return err
		}); err != nil || !work {
			return 0, errs.Wrap("ops.SequenceCustody", "", err)
		}
		placed := 0
		if err := x.st.Update(ctx, func(tx *store.Tx) error {
			signer, key, err := x.custodySigner(tx)
			if err != nil {
				return err
			}
			placed, spoilt, err = tx.CustodySequence(signer, key.Verifier, custodyBatch)
			return err
		}); err != nil || placed < custodyBatch {
			return spoilt, errs.Wrap("ops.SequenceCustody", "", err)
		}
	}
}

func custodyPlace(origin string) string { return "custody_key/sealed/" + origin }

// custodySigner opens the log's key, and makes it in a home that has no log yet.
func (x *Ops) custodySigner(tx *store.Tx) (note.Signer, store.CustodyKey, error) {
	const op = "ops.custodySigner"
	if err := tx.CustodyLock(); err != nil {
		return nil, store.CustodyKey{}, err
	}
	key, found, err := tx.CustodyKeyGet()
	if err != nil {
		return nil, key, err
	}
	if found {
		signer, err := x.openCustodyKey(key)
		return signer, key, err
	}
	origin := custody.Origin(id.New())
	signing, verifying, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, key, errs.Wrap(op, origin, err)
	}
	key = store.CustodyKey{Origin: origin, Verifier: verifying, Sealed: x.o.Ring.Seal(custodyPlace(origin), []byte(signing+"\n"+verifying))}
	if err := tx.CustodyKeyPut(key); err != nil {
		return nil, key, err
	}
	signer, err := note.NewSigner(signing)
	return signer, key, errs.Wrap(op, origin, err)
}

// openCustodyKey opens the sealed key, which must belong to the key that is published.
func (x *Ops) openCustodyKey(key store.CustodyKey) (note.Signer, error) {
	const op = "ops.openCustodyKey"
	plain, err := x.o.Ring.Open(custodyPlace(key.Origin), key.Sealed)
	if err != nil {
		return nil, err
	}
	for i, c := range plain {
		if c == '\n' && string(plain[i+1:]) == key.Verifier {
			signer, err := note.NewSigner(string(plain[:i]))
			return signer, errs.Wrap(op, key.Origin, err)
		}
	}
	return nil, errs.New(errs.Internal, op, key.Origin, "the custody log's key is not the one it was begun with")
}

// CheckCustody hashes the whole custody log anew and compares it with everything that is kept of it, and opens its key.
func (x *Ops) CheckCustody(ctx context.Context) (store.CustodyReport, error) {
	var r store.CustodyReport
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if r, err = tx.CustodyCheck(); err != nil {
			return err
		}
		key, begun, err := tx.CustodyKeyGet()
		if err != nil || !begun {
			return err
		}
		if _, err := x.openCustodyKey(key); err != nil {
			r.Found = append(r.Found, errs.Safe(err))
		}
		return nil
	})
	return r, errs.Wrap("ops.CheckCustody", "", err)
}

// findCustody is the doctor's line on the custody log.
func (x *Ops) findCustody(ctx context.Context) (Finding, error) {
	r, err := x.CheckCustody(ctx)
	f := Finding{Check: "custody log", OK: len(r.Found) == 0, Text: fmt.Sprintf("%d entries in %d tiles under %d checkpoints as they were written, %d waiting to be signed", r.Entries, r.Tiles, r.Checkpoints, r.Waiting)}
	if !f.OK {
		f.Text = r.Found[0]
		if more := len(r.Found) - 1; more > 0 {
			f.Text += fmt.Sprintf(" (and %d more)", more)
		}
		f.Fix = "keep the database as it is and compare it with a backup: somebody, or a disk, has changed what cannot be changed unseen"
	}
	return f, err
}

// CustodyHead is the log's newest signed checkpoint and the key it verifies with. Errors: NotFound (nothing was signed yet).
func (x *Ops) CustodyHead(ctx context.Context) (checkpoint, key string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		head, found, err := tx.CustodyHead()
		if err != nil {
			return err
		}
		k, begun, err := tx.CustodyKeyGet()
		if err == nil && (!found || !begun) {
			err = errs.New(errs.NotFound, "ops.CustodyHead", "", "the custody log has no entries yet")
		}
		checkpoint, key = head.Note, k.Verifier
		return err
	})
	return checkpoint, key, errs.Wrap("ops.CustodyHead", "", err)
}

// CustodyProof makes the proof file of a parcel or, without one, of an order; with neither, of the log's head alone. since is the size of an earlier
// checkpoint to tie it to, or 0. Errors: NotFound, Conflict (the log was set back since), Internal (it was changed).
func (x *Ops) CustodyProof(ctx context.Context, orderID, parcel string, since int64) (*custody.Proof, error) {
	var p *custody.Proof
	err := x.st.View(ctx, func(tx *store.Tx) error {
		key, _, err := tx.CustodyKeyGet()
		if err == nil {
			p, err = tx.CustodyProve(key, orderID, parcel, since)
		}
		return err
	})
	return p, errs.Wrap("ops.CustodyProof", "", err)
}

// CustodyEntries are leaves of the log from a place on, a page of them: for who keeps a copy. Entries that are not signed yet are left out.
func (x *Ops) CustodyEntries(ctx context.Context, from int64) (leaves []string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		page, err := tx.CustodyPage(max(from, 0), custodyPage)
		leaves = make([]string, 0, len(page))
		for _, e := range page {
			leaves = append(leaves, string(e.Leaf))
		}
		return err
	})
	return leaves, errs.Wrap("ops.CustodyEntries", "", err)
}

// CustodyTile is a tile of the log's tree, 32 bytes a hash: 256 of them or, at the right edge, as many as there are. Errors: NotFound.
func (x *Ops) CustodyTile(ctx context.Context, level int, n int64) (data []byte, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		if data, err = tx.CustodyTile(custody.TileKey{Level: level, N: n}); err == nil && len(data) == 0 {
			err = errs.New(errs.NotFound, "ops.CustodyTile", "", "there is no tile %d on level %d", n, level)
		}
		return err
	})
	return data, errs.Wrap("ops.CustodyTile", "", err)
}
