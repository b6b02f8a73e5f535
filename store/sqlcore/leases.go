package sqlcore

import (
	"database/sql"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Lease is somebody's right to do something alone for a while: to work a connection, to keep house. Its times are of the database's clock,
// so that a process with a wrong one takes nothing from others.
type Lease struct {
	Name  string
	Owner string // a process's id; empty: nobody
	Token int64  // grows whenever the lease is taken; what was written under a smaller one is refused
	Since time.Time
	Until time.Time
	Info  string // what the owner says of its work
}

// Process is a program at work on the database.
type Process struct {
	ID, Host      string
	PID           int64
	Version, Role string
	Started, Seen time.Time // by the database's clock
}

var (
	leaseCols = []col{{"name", text}, {"owner", text}, {"token", bigint}, {"since", bigint}, {"until", bigint}, {"info", text}}
	leaseList = names(leaseCols, plain, ", ")

	// A lease is free when its time is over or its owner gave it back. Taking one's own again gives a new token too: whoever asks has
	// lost the old one.
	leaseTake = def("store.LeaseTake", "INSERT INTO lease ("+leaseList+") VALUES ($1, $2, 1, $3, $4, '') ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, "+
		"token = lease.token + 1, since = excluded.since, until = excluded.until, info = '' WHERE lease.until <= $3 OR lease.owner = $2")
	leaseRenew = update("store.LeaseRenew", "lease", []col{{"until", bigint}, {"info", text}}, []col{{"name", text}, {"owner", text}}, "token")
	// Renewing locks in the order of names, as those who check do.
	leaseLock    = def("store.LeaseRenew", "SELECT name FROM lease WHERE @in(name, $1) ORDER BY name @lock(FOR NO KEY UPDATE)")
	leaseRelease = def("store.LeaseRelease", "UPDATE lease SET owner = '', until = 0, info = '' WHERE owner = $1 AND @in(name, $2)")
	leaseGet     = def("store.LeaseTake", "SELECT "+leaseList+" FROM lease WHERE name = $1")
	leasesAll    = def("store.LeaseList", "SELECT "+leaseList+" FROM lease ORDER BY name")
	// The shared lock holds off who would take the lease until this transaction is over.
	leaseCheck = def("store.LeaseLost", "SELECT name, owner, token, since, until, '' FROM lease WHERE @in(name, $1) ORDER BY name @lock(FOR SHARE)")

	processSeen = insert("store.ProcessSeen", "process", []col{{"id", text}, {"host", text}, {"pid", bigint}, {"version", text}, {"role", text},
		{"started", bigint}, {"seen", bigint}}, upsert("id", []col{{"seen", bigint}}))
	processGone  = def("store.ProcessGone", "DELETE FROM process WHERE id = $1")
	processPrune = def("store.ProcessPrune", "DELETE FROM process WHERE seen < $1")
	processesAll = def("store.ProcessList", "SELECT id, host, pid, version, role, started, seen FROM process ORDER BY started, id")

	clock = both("store.Clock", "SELECT $1", "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 0 * $1::bigint")
)

// Clock is the database's time: PostgreSQL's, which all processes share, or the transaction's.
func (tx *Tx) Clock() (time.Time, error) {
	at, _, err := one(tx, clock, scanOne[int64], us(tx.now))
	return when(at), err
}

func scanLease(r *sql.Rows, l *Lease) error {
	var since, until int64
	err := r.Scan(&l.Name, &l.Owner, &l.Token, &since, &until, &l.Info)
	l.Since, l.Until = when(since), when(until)
	return err
}

// LeaseTake takes a lease for a while if it is free or the owner's already. It says whether it was taken; the lease is as it stands either
// way.
func (tx *Tx) LeaseTake(name, owner string, last time.Duration) (Lease, bool, error) {
	const op = "store.LeaseTake"
	if owner == "" || last <= 0 {
		return Lease{}, false, errs.New(errs.Invalid, op, name, "a lease needs an owner and a time")
	}
	now, err := tx.Clock()
	if err != nil {
		return Lease{}, false, err
	}
	n, err := tx.exec(leaseTake, name, owner, us(now), us(now.Add(last)))
	if err != nil {
		return Lease{}, false, err
	}
	l, _, err := one(tx, leaseGet, scanLease, name)
	return l, n > 0, err
}

// LeaseRenew makes leases last from now on, each only if Owner still has it under Token, and keeps their Info. It says nothing about those
// that are lost: read LeaseList after it. One whose time is over and that nobody took is renewed too: its token has not changed.
func (tx *Tx) LeaseRenew(leases []Lease, last time.Duration) error {
	if len(leases) == 0 {
		return nil
	}
	now, err := tx.Clock()
	if err != nil {
		return err
	}
	ids := make([]string, len(leases))
	rows := make([][]any, len(leases))
	for i, l := range leases {
		ids[i] = l.Name
		rows[i] = []any{us(now.Add(last)), l.Info, l.Name, l.Owner, l.Token}
	}
	if _, err := query(tx, leaseLock, scanOne[string], ids); err != nil {
		return err
	}
	_, err = tx.bulk(leaseRenew, rows)
	return err
}

// LeaseRelease gives leases back. Those that are another's stay as they are.
func (tx *Tx) LeaseRelease(owner string, leases []string) error {
	if len(leases) == 0 {
		return nil
	}
	_, err := tx.exec(leaseRelease, owner, leases)
	return err
}

// LeaseList reads all leases in the order of names.
func (tx *Tx) LeaseList() ([]Lease, error) { return query(tx, leasesAll, scanLease) }

// LeaseLost tells which of the leases are no longer held under these tokens. In Update the others cannot be taken by anybody before the
// transaction ends: what it writes is written by their owner.
func (tx *Tx) LeaseLost(tokens map[string]int64) ([]string, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(tokens))
	for name := range tokens {
		ids = append(ids, name)
	}
	got, err := query(tx, leaseCheck, scanLease, ids)
	if err != nil {
		return nil, err
	}
	held := make(map[string]int64, len(got))
	for _, l := range got {
		if l.Owner != "" {
			held[l.Name] = l.Token
		}
	}
	var lost []string
	for name, token := range tokens {
		if held[name] != token {
			lost = append(lost, name)
		}
	}
	return lost, nil
}

// InboxLag is what waits for one connection.
type InboxLag struct {
	ConnectionID string
	Pending      int64
	Oldest       time.Time // when the oldest of them was received
}

var inboxLag = def("store.InboxLag", "SELECT connection_id, count(*), min(received_at) FROM inbox WHERE state = 'pending' GROUP BY connection_id ORDER BY connection_id")

// InboxLag counts the deliveries that are pending by connection.
func (x *InboxTx) InboxLag() ([]InboxLag, error) {
	return query(x.tx, inboxLag, func(r *sql.Rows, l *InboxLag) error {
		var oldest int64
		err := r.Scan(&l.ConnectionID, &l.Pending, &oldest)
		l.Oldest = when(oldest)
		return err
	})
}

// ProcessSeen says that a process is alive, by the database's clock. Started is kept from the first time.
func (tx *Tx) ProcessSeen(p Process) error {
	if p.ID == "" {
		return errs.New(errs.Invalid, "store.ProcessSeen", "", "a process needs an id")
	}
	now, err := tx.Clock()
	if err != nil {
		return err
	}
	_, err = tx.bulk(processSeen, [][]any{{p.ID, p.Host, p.PID, p.Version, p.Role, us(now), us(now)}})
	return err
}

// ProcessGone forgets a process that has ended in good order.
func (tx *Tx) ProcessGone(id string) error {
	_, err := tx.exec(processGone, id)
	return err
}

// ProcessPrune forgets processes not seen since before.
func (tx *Tx) ProcessPrune(before time.Time) error {
	_, err := tx.exec(processPrune, us(before))
	return err
}

// ProcessList reads the processes known, alive or not, the longest at work first.
func (tx *Tx) ProcessList() ([]Process, error) {
	return query(tx, processesAll, func(r *sql.Rows, p *Process) error {
		var started, seen int64
		err := r.Scan(&p.ID, &p.Host, &p.PID, &p.Version, &p.Role, &started, &seen)
		p.Started, p.Seen = when(started), when(seen)
		return err
	})
}
