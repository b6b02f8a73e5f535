package ops

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Status is which processes run on a database, who works what, and what waits. Times are of the database's clock.
type Status struct {
	At time.Time `json:"at"`
	// Shared says that several processes may run; else Running says whether the one does.
	Shared      bool               `json:"shared"`
	Running     bool               `json:"running"`
	Processes   []ProcessStatus    `json:"processes"`
	Connections []ConnectionStatus `json:"connections"`
	Scheduler   string             `json:"scheduler,omitempty"` // the process that keeps house
	Parked      int64              `json:"parked"`              // messages set aside for a person
	Upkeep      Upkeep             `json:"upkeep,omitzero"`     // the last round of keeping the database in shape
}

// ProcessStatus is one program.
type ProcessStatus struct {
	ID      string    `json:"id"`
	Host    string    `json:"host"`
	PID     int64     `json:"pid"`
	Version string    `json:"version"`
	Role    string    `json:"role"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
	Alive   bool      `json:"alive"`
	Owns    int       `json:"owns"` // connections
}

// ConnectionStatus is one connection with its owner's lease and what waits for it.
type ConnectionStatus struct {
	ID         string      `json:"id"`
	State      string      `json:"state"`
	Owner      string      `json:"owner,omitempty"` // a process; empty: nobody at the moment
	Token      int64       `json:"token,omitempty"`
	Since      time.Time   `json:"since,omitzero"`
	Until      time.Time   `json:"until,omitzero"`
	Pending    int64       `json:"pending"` // messages in the inbox
	Oldest     time.Time   `json:"oldest,omitzero"`
	Telling    int64       `json:"telling"` // listings with a number on its way or in doubt
	LastReport *WireReport `json:"report,omitempty"`
}

// ReadStatus reads the status of whatever runs on a database.
func ReadStatus(ctx context.Context, st *store.Store) (Status, error) {
	const op = "ops.ReadStatus"
	s := Status{Shared: st.Shared()}
	err := st.View(ctx, func(tx *store.Tx) error { return s.read(tx) })
	if err != nil {
		return s, errs.Wrap(op, "", err)
	}
	err = st.ViewInbox(ctx, func(tx *store.InboxTx) error {
		lag, err := tx.InboxLag()
		if err != nil {
			return err
		}
		for _, l := range lag {
			s.connection(l.ConnectionID).Pending, s.connection(l.ConnectionID).Oldest = l.Pending, l.Oldest
		}
		counts, err := tx.InboxCounts()
		s.Parked = counts[store.InboxParked]
		return err
	})
	if err != nil {
		return s, errs.Wrap(op, "", err)
	}
	if s.Shared {
		s.Running = slices.ContainsFunc(s.Processes, func(p ProcessStatus) bool { return p.Alive })
		return s, nil
	}
	release, err := st.Claim()
	if s.Running = errs.Is(err, errs.Conflict); s.Running {
		return s, nil
	}
	if err == nil {
		err = release()
	}
	return s, errs.Wrap(op, "", err)
}

func (s *Status) read(tx *store.Tx) error {
	now, err := tx.Clock()
	if err != nil {
		return err
	}
	s.At, s.Processes, s.Connections = now, nil, nil
	if s.Upkeep, err = lastUpkeep(tx); err != nil {
		return err
	}
	processes, err := tx.ProcessList()
	if err != nil {
		return err
	}
	for _, p := range processes {
		s.Processes = append(s.Processes, ProcessStatus{ID: p.ID, Host: p.Host, PID: p.PID, Version: p.Version, Role: p.Role, Started: p.Started, Seen: p.Seen,
			Alive: now.Sub(p.Seen) < defaultLease})
	}
	conns, err := tx.ConnectionList()
	if err != nil {
		return err
	}
	for _, c := range conns {
		s.Connections = append(s.Connections, ConnectionStatus{ID: c.ID, State: string(c.State)})
	}
	leases, err := tx.LeaseList()
	if err != nil {
		return err
	}
	for _, l := range leases {
		s.lease(l)
	}
	return tx.BookNumbers(bookMarks, func(b store.BookNumber) bool {
		if conn, _, ok := strings.Cut(b.ListingID, ":"); ok && b.Open {
			s.connection(conn).Telling++
		}
		return true
	})
}

// lease notes who has what. One whose time is over counts as nobody's.
func (s *Status) lease(l store.Lease) {
	if l.Owner == "" || !l.Until.After(s.At) {
		return
	}
	conn, ok := strings.CutPrefix(l.Name, connectionLease)
	if !ok {
		if l.Name == schedulerLease {
			s.Scheduler = l.Owner
		}
		return
	}
	c := s.connection(conn)
	c.Owner, c.Token, c.Since, c.Until = l.Owner, l.Token, l.Since, l.Until
	var r WireReport
	if json.Unmarshal([]byte(l.Info), &r) == nil { // one just taken says nothing yet
		c.LastReport = &r
	}
	for i := range s.Processes {
		if s.Processes[i].ID == l.Owner {
			s.Processes[i].Owns++
		}
	}
}

// connection is the entry of a connection. Messages that belong to none, or to one that is gone, are listed too.
func (s *Status) connection(id string) *ConnectionStatus {
	i := slices.IndexFunc(s.Connections, func(c ConnectionStatus) bool { return c.ID == id })
	if i < 0 {
		s.Connections = append(s.Connections, ConnectionStatus{ID: id, State: "unknown"})
		i = len(s.Connections) - 1
	}
	return &s.Connections[i]
}
