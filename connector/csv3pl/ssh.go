package csv3pl

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of one connection.
const (
	dialTime = 10 * time.Second
	callTime = 50 * time.Second // of everything a call does, below the time a call may take
)

var (
	errHostKey = errors.New("the server's key is not the one that was stored: ask the provider before storing another")
	errLogin   = errors.New("the server refuses user, password or key")
	errAddress = errors.New("the server's address is none that files may be exchanged with")
)

// server is an SFTP server with the one key it must show.
type server struct {
	address, folder string
	key             ssh.PublicKey
	config          ssh.ClientConfig
}

// overSSH reads the settings of a server. Errors: Invalid.
func overSSH(set func(string) string, folder string) (place, error) {
	bad := func(setting, why string) (place, error) {
		return nil, errs.New(errs.Invalid, "csv3pl.Open", setting, "%s", why)
	}
	s := &server{address: set(settingHost), folder: folder}
	if _, _, err := net.SplitHostPort(s.address); err != nil {
		s.address = net.JoinHostPort(strings.Trim(s.address, "[]"), "22")
	}
	if s.folder == "" {
		s.folder = "."
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(set(settingHostKey)))
	if err != nil {
		return bad(settingHostKey, "The server's public key is missing or cannot be read: ask the provider for it.")
	}
	s.key = key
	var auth []ssh.AuthMethod
	if text := set(settingKey); text != "" {
		signer, err := ssh.ParsePrivateKey([]byte(text))
		if err != nil {
			return bad(settingKey, "The private key cannot be read; it must have no passphrase.")
		}
		auth = append(auth, ssh.PublicKeys(signer))
	}
	if password := set(settingPassword); password != "" {
		auth = append(auth, ssh.Password(password))
	}
	if len(auth) == 0 || set(settingUser) == "" {
		return bad(settingUser, "An SFTP server needs a user with a password or a key.")
	}
	s.config = ssh.ClientConfig{User: set(settingUser), Auth: auth, Timeout: dialTime, HostKeyAlgorithms: algorithms(key.Type())}
	return s, nil
}

// algorithms are those by which a key of a kind may be proved; without this a server might choose to show another key.
func algorithms(kind string) []string {
	if kind == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{kind}
}

func (s *server) open(ctx context.Context) (files, error) {
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	fail := func(err error) (files, error) {
		stop()
		conn.Close()
		return nil, err
	}
	if !allowed(conn.RemoteAddr()) {
		return fail(errAddress)
	}
	if err := conn.SetDeadline(time.Now().Add(callTime)); err != nil {
		return fail(err)
	}
	config, mismatch := s.config, false
	config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if mismatch = !bytes.Equal(key.Marshal(), s.key.Marshal()); mismatch {
			return errHostKey
		}
		return nil
	}
	c, channels, requests, err := ssh.NewClientConn(conn, s.address, &config)
	switch {
	case mismatch || err != nil && strings.Contains(err.Error(), "no common algorithm for host key"):
		return fail(errHostKey)
	case err != nil && strings.Contains(err.Error(), "unable to authenticate"):
		return fail(errLogin)
	case err != nil:
		return fail(err)
	}
	client := ssh.NewClient(c, channels, requests)
	f, err := sftp.NewClient(client)
	if err != nil {
		client.Close()
		return fail(err)
	}
	return &remote{f, client, s.folder, stop}, nil
}

// allowed keeps calls from addresses at which machines answer about themselves.
func allowed(a net.Addr) bool {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return false
	}
	ip := ap.Addr().Unmap()
	return !ip.IsLinkLocalUnicast() && !ip.IsMulticast() && !ip.IsUnspecified()
}

type remote struct {
	c      *sftp.Client
	ssh    *ssh.Client
	folder string
	stop   func() bool
}

func (r *remote) close() {
	r.stop()
	r.c.Close()
	r.ssh.Close()
}

func (r *remote) at(name string) string { return path.Join(r.folder, name) }

func (r *remote) list(folder string) ([]entry, error) {
	infos, err := r.c.ReadDir(r.at(folder))
	var out []entry
	for _, i := range infos[:min(len(infos), maxListed)] {
		if i.Mode().IsRegular() {
			out = append(out, entryOf(i))
		}
	}
	return out, err
}

func (r *remote) read(name string) ([]byte, error) {
	f, err := r.c.Open(r.at(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

func (r *remote) stat(name string) (entry, error) {
	i, err := r.c.Stat(r.at(name))
	if err != nil {
		return entry{}, err
	}
	return entryOf(i), nil
}

func (r *remote) put(name string, data []byte) error {
	f, err := r.c.OpenFile(r.at(part(name)), os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return r.move(part(name), name)
}

// move replaces what is there. Servers without the extension for it cannot, so there it is taken away before.
func (r *remote) move(from, to string) error {
	err := r.c.PosixRename(r.at(from), r.at(to))
	if e, ok := errors.AsType[*sftp.StatusError](err); ok && e.FxCode() == sftp.ErrSSHFxOpUnsupported {
		if err := r.c.Remove(r.at(to)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return r.c.Rename(r.at(from), r.at(to))
	}
	return err
}
