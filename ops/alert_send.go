package ops

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// sendAtOnce messages are under way together: a receiver that hangs holds up seven others at most, for the time of one call.
	sendAtOnce = 8
	// sendLease is how long a message is nobody else's to send. It is longer than a call takes, so that only the crash of a process, between
	// the receiver's taking it and our noting so, sends it twice. It carries its id then as before.
	sendLease = 2 * time.Minute
	// sendBack is the first pause after a failure; it doubles up to sendBackMost.
	sendBack, sendBackMost = 15 * time.Second, 15 * time.Minute
	// sendTries and refusedTries end the trying: two hours of it, or a service that has said three times that the address is wrong.
	sendTries, refusedTries = 14, 3
)

// outgoing is a message with where it goes.
type outgoing struct {
	store.AlertDelivery
	to store.AlertTarget
}

// sendAlerts sends what is due. Each message is claimed first, sent, and its fate noted: at least once, and twice only after a crash.
func (x *Ops) sendAlerts(ctx context.Context) error {
	var waiting bool
	at := x.now()
	if err := x.st.View(ctx, func(tx *store.Tx) error {
		due, err := tx.DeliveriesDue(at, 1)
		waiting = len(due) > 0
		return err
	}); err != nil || !waiting {
		return err
	}
	var claimed []outgoing
	err := x.st.Update(ctx, func(tx *store.Tx) (err error) {
		claimed, err = claimDeliveries(tx, at)
		return err
	})
	if err != nil {
		return errs.Wrap("ops.sendAlerts", "", err)
	}
	var calls sync.WaitGroup
	for _, o := range claimed {
		calls.Go(func() { x.complain(x.sendOne(ctx, o), "the fate of an alert could not be noted") })
	}
	calls.Wait()
	return nil
}

// claimDeliveries takes messages that are due. Those for somebody who was removed meanwhile are given up.
func claimDeliveries(tx *store.Tx, at time.Time) ([]outgoing, error) {
	if err := tx.IncidentLock(); err != nil {
		return nil, err
	}
	due, err := tx.DeliveriesDue(at, sendAtOnce)
	if err != nil {
		return nil, err
	}
	var out []outgoing
	for _, d := range due {
		to, err := tx.TargetGet(d.Target)
		if errs.Is(err, errs.NotFound) || (err == nil && !to.RemovedAt.IsZero()) {
			if err := tx.DeliveriesDrop(d.Target, "nobody is there any more"); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		d.Tries++
		d.NextAt = at.Add(sendLease)
		if _, err := tx.DeliveryFate(d); err != nil {
			return nil, err
		}
		out = append(out, outgoing{d, to})
	}
	return out, nil
}

// targetPlace is what a target's address is sealed for.
func targetPlace(id string) string { return "alert_target/" + id }

// sendOne sends a claimed message and notes what became of it.
func (x *Ops) sendOne(ctx context.Context, o outgoing) error {
	err := x.tell(ctx, o.to, o.Delivery)
	if ctx.Err() != nil {
		return nil // stopping: it stays claimed, and is sent by who starts next
	}
	at, d, kind := x.now(), o.AlertDelivery, alert.EntryDelivered
	d.State, d.EndedAt, d.Error = store.DeliverySent, at, ""
	text := o.to.Name + " has it, by " + o.to.Service + "."
	if err != nil {
		d.Error = errs.Safe(err)
		x.log.Warn("an alert could not be sent", "target", o.to.ID, "service", o.to.Service, "try", d.Tries, "err", err)
		refused := errs.Is(err, errs.Invalid) || errs.Is(err, errs.Forbidden)
		d.State, kind, text = store.DeliveryFailed, alert.EntryUndelivered, o.to.Name+" could not be told: "+d.Error+"."
		if d.Tries < sendTries && !(refused && d.Tries >= refusedTries) {
			d.State, d.EndedAt, d.NextAt = store.DeliveryWaiting, time.Time{}, at.Add(sendPause(d.Tries))
		}
	}
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		noted, err := tx.DeliveryFate(d)
		if err != nil || !noted || d.State == store.DeliveryWaiting {
			return err
		}
		entries := make([]alert.Entry, len(d.Incidents))
		for n, id := range d.Incidents {
			entries[n] = alert.NewEntry(id, at, kind, "", text, d.ID)
		}
		return tx.EntriesAppend(entries)
	})
	x.live.notify(incidentTopics(d.Incidents)...)
	return err
}

func sendPause(tries int64) time.Duration {
	d := sendBack
	for ; tries > 1 && d < sendBackMost; tries-- {
		d *= 2
	}
	return min(d, sendBackMost)
}

func incidentTopics(ids []string) []string {
	out := []string{view.TopicAlerts}
	for _, id := range ids {
		out = append(out, view.TopicIncident+":"+id)
	}
	return out
}

// tell sends one message to a target, whose address is opened for that moment only.
func (x *Ops) tell(ctx context.Context, to store.AlertTarget, d alert.Delivery) error {
	address, err := x.o.Ring.Open(targetPlace(to.ID), to.Sealed)
	if err != nil {
		return err
	}
	m := notify.Message{ID: d.ID, Title: d.Title, Text: d.Text, Severity: string(d.Severity), At: d.At}
	if base := strings.TrimRight(x.o.PublicURL, "/"); base != "" {
		switch len(d.Incidents) {
		case 0:
		case 1:
			m.Link = base + "/incidents/" + d.Incidents[0]
		default:
			m.Link = base + "/incidents"
		}
	}
	return x.o.Notify.Send(ctx, string(address), m)
}
