package csv3pl

import (
	"context"
	"io"
	"os"
	"path"
	"time"
)

// Folders at the provider's place. Who writes into which is what keeps the two sides apart.
const (
	outFolder      = "out"      // orders and cancellations, for the provider to take away
	inFolder       = "in"       // shipments and stock, from the provider
	doneFolder     = "done"     // what we have taken in
	sentFolder     = "sent"     // one mark for each order handed over; nobody else's
	problemsFolder = "problems" // what was wrong in which line, for the provider
)

// place is where files are exchanged; open makes a connection that is used by one call and closed.
type place interface {
	open(ctx context.Context) (files, error)
}

// files are those of a place. Paths are relative, with slashes.
type files interface {
	list(folder string) ([]entry, error)
	read(name string) ([]byte, error) // at most maxFile and a byte
	stat(name string) (entry, error)
	// put makes a file whole or not at all: nobody sees it before its rename.
	put(name string, data []byte) error
	move(from, to string) error
	close()
}

type entry struct {
	name string
	size int64
	at   time.Time
}

func entryOf(i os.FileInfo) entry { return entry{i.Name(), i.Size(), i.ModTime().UTC()} }

// part is the name a file has while it is written.
func part(name string) string { return path.Join(path.Dir(name), "."+path.Base(name)+".part") }

// bounded reads a file that may be longer than it should.
func bounded(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, maxFile+1)) }

// here is a folder on this machine. Nothing outside it is touched, by whatever links.
type here string

func (h here) open(context.Context) (files, error) {
	root, err := os.OpenRoot(string(h))
	if err != nil {
		return nil, err
	}
	return &local{root}, nil
}

type local struct{ root *os.Root }

func (l *local) close() { l.root.Close() }

func (l *local) list(folder string) ([]entry, error) {
	f, err := l.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	infos, err := f.Readdir(maxListed)
	if err == io.EOF {
		err = nil
	}
	var out []entry
	for _, i := range infos {
		if i.Mode().IsRegular() {
			out = append(out, entryOf(i))
		}
	}
	return out, err
}

func (l *local) read(name string) ([]byte, error) {
	f, err := l.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

func (l *local) stat(name string) (entry, error) {
	i, err := l.root.Stat(name)
	if err != nil {
		return entry{}, err
	}
	return entryOf(i), nil
}

func (l *local) put(name string, data []byte) error {
	f, err := l.root.OpenFile(part(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o660)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return l.root.Rename(part(name), name)
}

func (l *local) move(from, to string) error { return l.root.Rename(from, to) }
