package csv3pl

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/spillway/spillway/sim/depot"
	"github.com/spillway/spillway/sim/world"
)

const webhookSecret = "whsec_Y3N2M3BsLXNlY3JldC0wMTIzNDU2Nzg5"

// partner is a logistics provider that works through the files of a folder.
type partner struct {
	t     *testing.T
	dir   string
	clock *world.Virtual
	floor *depot.Depot

	mu      sync.Mutex
	changed []depot.Order
	files   int
	hook    string
	refused []string // orders it was sent again
}

func newPartner(t *testing.T) *partner {
	p := &partner{t: t, dir: t.TempDir(), clock: world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))}
	p.floor = depot.New(p.clock, 7, depot.Options{Changed: func(o depot.Order) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed = append(p.changed, o)
	}})
	for _, f := range []string{outFolder, inFolder, doneFolder, sentFolder, problemsFolder} {
		if err := os.Mkdir(filepath.Join(p.dir, f), 0o770); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// take works off what was handed over: an order id that is known is no new order.
func (p *partner) take() {
	names, err := filepath.Glob(filepath.Join(p.dir, outFolder, "*.csv"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			p.t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil || len(rows) < 2 {
			p.t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		known := p.floor.Orders(func(o depot.Order) bool { return o.Reference == rows[1][0] })
		switch {
		case strings.HasPrefix(filepath.Base(name), "cancel-"):
			for _, o := range known {
				p.floor.Cancel(o.ID)
			}
		case len(known) > 0:
			p.refused = append(p.refused, rows[1][0])
		default:
			o := depot.Order{Reference: rows[1][0], Number: rows[1][1]}
			for _, r := range rows[1:] {
				qty, _ := strconv.ParseInt(r[5], 10, 64)
				o.Lines = append(o.Lines, depot.Line{Ref: r[2], SKU: r[3], Qty: qty})
			}
			p.floor.Place(o)
		}
		if err := os.Remove(name); err != nil {
			p.t.Fatal(err)
		}
	}
}

// pass works for a while, and tells of it.
func (p *partner) pass(t *testing.T, d time.Duration) {
	p.take()
	p.clock.Advance(d)
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"order_id", "status", "tracking", "carrier", "shipped_at", "sku", "quantity", "message"})
	n := 0
	p.mu.Lock()
	for _, o := range p.changed {
		status := map[depot.Stage]string{depot.Shipped: "shipped", depot.Delivered: "delivered", depot.Short: "exception", depot.Cancelled: "cancelled"}[o.Stage]
		at := o.ShippedAt
		if o.Stage == depot.Delivered {
			at = o.DeliveredAt
		}
		for _, l := range o.Lines {
			if status != "" {
				_ = w.Write([]string{o.Reference, status, o.Tracking, o.Carrier, at.Format(time.RFC3339), l.SKU, strconv.FormatInt(l.Qty, 10), o.Problem})
				n++
			}
		}
	}
	p.changed = nil
	p.files++
	p.mu.Unlock()
	w.Flush()
	if n > 0 {
		p.file(fmt.Sprintf("shipments-%04d.csv", p.files), b.String())
		p.post(t, b.String())
	}
	var s strings.Builder
	s.WriteString("sku,location,on_hand,reserved,blocked\n")
	for _, h := range p.floor.Shelves() {
		fmt.Fprintf(&s, "%s,%s,%d,%d,%d\n", h.SKU, h.Place, h.OnHand, h.Allocated, h.Damaged)
	}
	p.file(fmt.Sprintf("stock-%04d.csv", p.files), s.String())
}

// file puts a whole file in.
func (p *partner) file(name, text string) {
	part := filepath.Join(p.dir, inFolder, name+".tmp")
	if err := os.WriteFile(part, []byte(text), 0o660); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(part, filepath.Join(p.dir, inFolder, name)); err != nil {
		p.t.Fatal(err)
	}
}

// post sends the rows as a webhook too.
func (p *partner) post(t *testing.T, body string) {
	if p.hook == "" {
		return
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.hook, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	id, at := fmt.Sprintf("m-%d", p.files), strconv.FormatInt(p.clock.Now().Unix(), 10)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "." + body))
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// sftpServer serves a folder over SSH with a key of its own, and takes one user with a password or a key.
type sftpServer struct {
	address, hostKey, clientKey string
}

func serveSFTP(t *testing.T, dir string) sftpServer {
	signer, _ := newKey(t)
	client, text := newKey(t)
	config := &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() == "seller" && string(password) == "right" {
				return nil, nil
			}
			return nil, fmt.Errorf("no")
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() == "seller" && string(key.Marshal()) == string(client.PublicKey().Marshal()) {
				return nil, nil
			}
			return nil, fmt.Errorf("no")
		},
	}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveConn(conn, config, dir)
		}
	}()
	return sftpServer{l.Addr().String(), string(ssh.MarshalAuthorizedKey(signer.PublicKey())), text}
}

func newKey(t *testing.T) (ssh.Signer, string) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

func serveConn(conn net.Conn, config *ssh.ServerConfig, dir string) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem" && strings.HasSuffix(string(r.Payload), "sftp"), nil)
			}
		}()
		server, err := sftp.NewServer(channel, sftp.WithServerWorkingDirectory(dir))
		if err != nil {
			return
		}
		if err := server.Serve(); err != nil && err != io.EOF {
			return
		}
		server.Close()
	}
}
