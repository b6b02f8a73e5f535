package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Help says how to get PostgreSQL.
const Help = `On Debian or Ubuntu: apt-get install postgresql   (the server need not be started)
Elsewhere: put the folder of initdb and pg_ctl on PATH, or in the variable SPILLWAY_POSTGRES_BIN.`

// timeout bounds one call of PostgreSQL's programs: they take about two seconds; a loaded machine gets a minute.
const timeout = time.Minute

// ErrNotInstalled says that the machine has no PostgreSQL server programs.
var ErrNotInstalled = errors.New("PostgreSQL is not installed\n" + Help)

// Options say how a server is run. The zero value is PostgreSQL's own defaults.
type Options struct {
	Settings []string // as in "fsync=off"
	Socket   bool     // URL goes by a Unix socket: the quickest way there is; false: by TCP on loopback
}

// Server is a cluster in a temporary folder.
type Server struct {
	dir, bin string
	port     int
	o        Options
	as       *syscall.Credential // PostgreSQL refuses to run as root
}

// Installed says whether the machine has PostgreSQL's server programs; if not, the error says how to get them.
func Installed() error {
	_, err := find()
	return err
}

// Start makes a cluster and starts it on a spare loopback port.
func Start(o Options) (s *Server, err error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	s = &Server{bin: bin, o: o}
	dir, err := os.MkdirTemp("", "pgserver")
	if err != nil {
		return nil, err
	}
	s.dir = dir
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if os.Geteuid() == 0 {
		if err := s.dropRoot(); err != nil {
			return nil, err
		}
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	if s.port, err = sparePort(); err != nil {
		return nil, err
	}
	return s, s.Up()
}

// Standby makes a streaming standby of a server that runs and starts it, with the same options, on a port of its own.
func (s *Server) Standby() (b *Server, err error) {
	b = &Server{bin: s.bin, o: s.o}
	dir, err := os.MkdirTemp("", "pgserver")
	if err != nil {
		return nil, err
	}
	b.dir = dir
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if os.Geteuid() == 0 {
		if err := b.dropRoot(); err != nil {
			return nil, err
		}
	}
	if err := b.run("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres", "-D", b.data(), "-R", "-c", "fast", "--no-sync"); err != nil {
		return nil, err
	}
	if b.port, err = sparePort(); err != nil {
		return nil, err
	}
	return b, b.Up()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// URL is the server's database.
func (s *Server) URL() string {
	if s.o.Socket {
		return fmt.Sprintf("postgres://postgres@/postgres?host=%s&port=%d&sslmode=disable", url.QueryEscape(s.dir), s.port)
	}
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Version is the programs' version, as in 15.4.
func (s *Server) Version() string {
	said, err := exec.Command(filepath.Join(s.bin, "postgres"), "--version").Output()
	if f := strings.Fields(string(said)); err == nil && len(f) > 2 {
		return f[2]
	}
	return "of unknown version"
}

// Up starts the server on its cluster and returns when it answers.
func (s *Server) Up() error {
	options := []string{"-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories='" + s.dir + "'"}
	for _, v := range s.o.Settings {
		options = append(options, "-c", v)
	}
	return s.run("pg_ctl", "start", "-w", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-o", strings.Join(options, " "))
}

// Down stops the server at once, as a crash would: what was not committed is gone.
func (s *Server) Down() error {
	return s.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", s.data())
}

// Close stops the server if it runs and removes its folder.
func (s *Server) Close() error {
	var err error
	if _, e := os.Stat(filepath.Join(s.data(), "postmaster.pid")); e == nil {
		err = s.Down()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// dropRoot makes the folder the postgres user's (or nobody's) and lets the server run as that user.
func (s *Server) dropRoot() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

func (s *Server) run(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	out, err := os.Create(filepath.Join(s.dir, name+".out")) // a pipe would stay open in the server and make Wait wait for it
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, said)
	}
	return nil
}

// find looks for the newest installed server programs: they are often not on PATH.
func find() (string, error) {
	if dir := os.Getenv("SPILLWAY_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil { // beside the real one lie all the others
			path = real
		}
		return filepath.Dir(path), nil
	}
	newest, dir := 0, ""
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, f := range found {
			part := filepath.Base(filepath.Dir(filepath.Dir(f)))
			v, err := strconv.Atoi(part[strings.LastIndexAny(part, "-@")+1:])
			if err == nil && v > newest {
				newest, dir = v, filepath.Dir(f)
			}
		}
	}
	if dir == "" {
		return "", ErrNotInstalled
	}
	return dir, nil
}

func sparePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
