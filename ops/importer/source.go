package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"unicode/utf8"
)

// Bounds of a file. A row is one record, which quoted line breaks may spread over several lines.
const (
	// maxFile bytes after decompression: about 12 million order lines; also what a small .gz may not exceed when unpacked.
	maxFile = 1 << 30
	// maxRow is far above any real row; a quote that is never closed is found here instead of swallowing the file.
	maxRow = 1 << 20
	// maxRows of order lines; items and stock have bounds of their own, since each of their rows is kept.
	maxRows = 5_000_000
	// readBuffer is what is read at once.
	readBuffer = 64 << 10
)

// Source is a CSV file, plain or gzip. It is read more than once, so that nothing need be kept: Open begins anew.
type Source struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// unpack reads gzip as what is in it, and anything else as it is.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, readBuffer)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) { // a short or failing file shows when it is read
		return b, nil
	}
	return gzip.NewReader(b)
}

// guard stands between the file and the CSV reader: it refuses what is not text, and what has no bound.
type guard struct {
	r       *bufio.Reader
	sum     hash.Hash // of the content, which is the file's identity
	started bool
	total   int64
	line    int
	row     int64  // bytes of the row so far
	rowLine int    // the line it began in
	quoted  bool   // inside quotes, where a line break does not end the row
	tail    []byte // of a character cut by the end of the last read
	fail    *Problem
}

func newGuard(r io.Reader) *guard {
	return &guard{r: bufio.NewReaderSize(r, readBuffer), sum: sha256.New(), line: 1, rowLine: 1}
}

// id is the identity of the content read so far, without a byte order mark.
func (g *guard) id() string { return fmt.Sprintf("%x", g.sum.Sum(nil)[:16]) }

func (g *guard) Read(p []byte) (int, error) {
	if !g.started {
		g.start()
	}
	if g.fail != nil {
		return 0, errGuard
	}
	n, err := g.r.Read(p)
	n = g.check(p[:n], err != nil)
	if err != nil && err != io.EOF && g.fail == nil {
		g.fail = &Problem{Line: g.line, Text: "the file cannot be read further: " + err.Error()}
	}
	if g.fail != nil {
		return n, errGuard
	}
	return n, err
}

// errGuard ends the CSV reader; what is wrong is in guard.fail.
var errGuard = errors.New("refused")

// start looks at the first bytes: a UTF-8 mark is dropped, another encoding is named.
func (g *guard) start() {
	g.started = true
	head, _ := g.r.Peek(3) // what keeps them from being read shows at the first read
	switch {
	case bytes.Equal(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = g.r.Discard(3) // they are in the buffer
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		g.fail = &Problem{Line: 1, Text: `the file is UTF-16; save it as "CSV UTF-8"`}
	}
}

// check looks at every byte and returns how many may pass.
func (g *guard) check(p []byte, last bool) int {
	for i, c := range p {
		switch c {
		case 0:
			g.fail = &Problem{Line: g.line, Text: "has a zero byte: this is no text file, or it is damaged; export it again"}
			return i
		case '"':
			g.quoted = !g.quoted
		case '\n':
			g.line++
			if !g.quoted {
				g.row, g.rowLine = -1, g.line
			}
		}
		g.row++
		if g.row > maxRow {
			g.fail = &Problem{Line: g.rowLine, Text: fmt.Sprintf("the row that begins here is longer than %d KiB; is a quote not closed?", maxRow>>10)}
			return i
		}
	}
	if g.total += int64(len(p)); g.total > maxFile {
		g.fail = &Problem{Line: g.line, Text: fmt.Sprintf("the file is larger than %d MiB unpacked; cut it into several", maxFile>>20)}
		return 0
	}
	g.text(p, last)
	g.sum.Write(p)
	return len(p)
}

// text refuses bytes that are not UTF-8; a character may be cut by the end of p.
func (g *guard) text(p []byte, last bool) {
	all := p
	if len(g.tail) > 0 {
		all = append(g.tail, p...)
	}
	ok := all
	if !last {
		for k := 1; k <= min(utf8.UTFMax-1, len(all)); k++ {
			if from := len(all) - k; utf8.RuneStart(all[from]) {
				if !utf8.FullRune(all[from:]) {
					ok = all[:from]
				}
				break
			}
		}
	}
	g.tail = append([]byte(nil), all[len(ok):]...)
	if g.fail == nil && !utf8.Valid(ok) {
		at := 0
		for at < len(ok) {
			r, n := utf8.DecodeRune(ok[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		line := g.line - bytes.Count(ok[at:], []byte{'\n'})
		g.fail = &Problem{Line: line, Text: fmt.Sprintf(`has the byte 0x%02X, which is not UTF-8; save the file as "CSV UTF-8"`, ok[at])}
	}
}
