package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store/sqlcore"
)

// bouncer starts PgBouncer, which lends its two sessions for a transaction each, before a database of its own, and returns the URL through
// it and the one past it.
func bouncer(t *testing.T) (through, direct string) {
	t.Helper()
	program := "/usr/sbin/pgbouncer"
	if found, err := exec.LookPath("pgbouncer"); err == nil {
		program = found
	} else if _, err := os.Stat(program); err != nil {
		const help = "PgBouncer is not installed, so nothing is tried through a pooler. On Debian or Ubuntu: apt-get install pgbouncer"
		fmt.Fprintf(os.Stderr, "\nSKIPPED %s\n%s\n\n", t.Name(), help)
		t.Skip(help)
	}
	u, err := url.Parse(pgtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	name := "b" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir, err := os.MkdirTemp("", "bouncer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "pgbouncer.ini")
	users := filepath.Join(dir, "users.txt")
	text := fmt.Sprintf("[databases]\n%s = host=127.0.0.1 port=%s dbname=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = trust\n"+
		"auth_file = %s\npool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n", name, u.Port(), name, port, users)
	for path, content := range map[string]string{config: text, users: `"postgres" ""` + "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, config)
	if os.Geteuid() == 0 { // it refuses to run as root
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	said := &strings.Builder{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	through = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable&pooler=transaction", port, name)
	for began := time.Now(); ; {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			break
		}
		if time.Since(began) > 20*time.Second {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("PgBouncer does not start: %v\n%s", err, said)
		}
	}
	return through, fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", u.Port(), name)
}

// Sessions are lent to whoever comes: what one transaction sets or prepares, another must neither find nor miss.
func TestThroughATransactionPooler(t *testing.T) {
	through, direct := bouncer(t)
	engines := make([]sqlcore.Engine, 3) // processes that share two sessions
	for i := range engines {
		var err error
		if engines[i], err = Open(t.Context(), through); err != nil {
			t.Fatal(err)
		}
		defer engines[i].Close()
	}
	var wg sync.WaitGroup
	for _, e := range engines {
		wg.Go(func() {
			if err := e.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want := map[bool]map[string]string{
		false: {"jit": "off", "enable_seqscan": "off", "synchronous_commit": "on", "lock_timeout": "10s", "TimeZone": "UTC", "transaction_isolation": "read committed"},
		true:  {"jit": "off", "enable_seqscan": "on", "lock_timeout": "10s", "TimeZone": "UTC", "transaction_isolation": "repeatable read", "transaction_read_only": "on"},
	}
	for n := range 24 {
		wg.Go(func() {
			for i := range 20 {
				if err := settings(t.Context(), engines[n%len(engines)], (n+i)%2 == 0, want[(n+i)%2 == 0]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for range 20 { // a notice is told though nothing can be heard through a pooler
		if err := engines[0].Peers.Notify(t.Context(), []string{"me\nlive order:1", "me\nleases"}); err != nil {
			t.Fatal(err)
		}
	}
	st := sqlcore.New(engines[0], nil, nil)
	for i := range 20 { // often enough for a statement to be prepared where it would be
		if err := st.Update(t.Context(), func(tx *sqlcore.Tx) error {
			if err := tx.SettingSet("a", strconv.Itoa(i)); err != nil {
				return err
			}
			return tx.EventsAppend([]sqlcore.Event{{Kind: "k", Subject: "s"}})
		}); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := pgx.Connect(t.Context(), strings.Replace(through, "&pooler=transaction", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close(t.Context())
	past, err := pgx.Connect(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close(t.Context())
	for name, c := range map[string]*pgx.Conn{"through": plain, "past": past} {
		var seqscan string
		var events int
		if err := c.QueryRow(t.Context(), "SELECT current_setting('enable_seqscan'), (SELECT count(*) FROM event)", pgx.QueryExecModeExec).Scan(&seqscan, &events); err != nil {
			t.Fatal(err)
		}
		if seqscan != "on" || events != 20 {
			t.Errorf("%s the pooler: enable_seqscan is %s, %d events", name, seqscan, events)
		}
	}
}

// settings compares the settings of a transaction.
func settings(ctx context.Context, e sqlcore.Engine, readOnly bool, want map[string]string) error {
	tx, err := e.Begin(ctx, readOnly)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for name, value := range want {
		rows, err := tx.Query(ctx, "SELECT current_setting($1)", name)
		if err != nil {
			return err
		}
		var got string
		for rows.Next() {
			if err := rows.Scan(&got); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if got != value {
			return fmt.Errorf("%s (read only: %v) is %q, want %q", name, readOnly, got, value)
		}
	}
	return nil
}
