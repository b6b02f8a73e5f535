package ops

import (
	"time"

	"github.com/spillway/spillway/store"
)

const (
	// sharedRescan is how often messages that other processes stored are looked for though nobody told of them.
	sharedRescan = time.Second
	// rescanBehind is how far back the quick look begins: row numbers are given before commits, so a row may appear behind a later one. It covers
	// a full batch of each of four processes; what comes later still is found with the look at all.
	rescanBehind = 4 * inboxBatch
	// rescanApart keeps quick looks apart under load: each reads again what waits in hand.
	rescanApart = 100 * time.Millisecond
)

// pass hands a message just stored to whoever works its connection.
func (x *Ops) pass(row store.InboxRow) {
	if x.o.ReceiveOnly || (row.ConnectionID != "" && x.wires.get(row.ConnectionID) == nil && x.keeper.elsewhere(row.ConnectionID)) {
		x.arriving.drop(row.ID)
		x.peers.tell(noticeInbox + " " + row.ConnectionID)
		return
	}
	select {
	case x.arrived <- row:
	default: // it is in the inbox, where a rescan finds it
		x.arriving.drop(row.ID)
	}
}

// inboxTold asks for a look at the inbox now; all says that old messages may be meant too.
func (x *Ops) inboxTold(all bool) {
	if all {
		x.scanAll.Store(true)
	}
	poke(x.told)
}

// inOtherHands reports whether a message that is pending is for somebody else to take up: a request of this process has it in hand, or another
// process works its connection. What nobody works is the scheduler's, after the one who stored it had time.
func (x *Ops) inOtherHands(row store.InboxRow, young bool) bool {
	switch {
	case x.wires.inHand.has(row.ID) || x.finished.has(row.ID):
		return true
	case x.keeper.alone:
		return young // in the hand of the request that brought it
	case x.arriving.has(row.ID):
		return true
	case x.wires.get(row.ConnectionID) != nil:
		return false
	case x.keeper.elsewhere(row.ConnectionID):
		return true
	}
	return young || !x.keeper.has(schedulerLease)
}

// drainInbox takes up pending messages that no worker has in hand: all of them once in a while, and the newest as soon as another process
// says that it has stored some.
func (x *Ops) drainInbox() {
	every := rescanEvery
	if !x.keeper.alone {
		every = sharedRescan
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var all time.Time
	for {
		from := max(0, x.scanned.Load()-rescanBehind)
		if now := x.now(); now.Sub(all) >= rescanEvery || x.scanAll.Swap(false) || x.keeper.alone {
			from, all = 0, now
		}
		if err := x.scan(x.ctx, from); err != nil && x.ctx.Err() == nil {
			x.log.Error("the inbox could not be read", "err", err)
		}
		if !x.keeper.alone && !x.peers.pause(rescanApart) {
			return
		}
		select {
		case <-tick.C:
		case <-x.told:
		case <-x.ctx.Done():
			return
		}
	}
}
