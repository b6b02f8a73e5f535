package sqlcore

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// A backup is a gzipped tar of JSON lines, the same from both databases, so that one can be restored into the other:
//
//	item.000001.jsonl      first line {"table":"item","columns":["id",…]}, then one array for each row
//	item.000002.jsonl      …
//	manifest.json          last: format, schema version, rows of each table, SHA-256 of each entry above
//
// Whole numbers are numbers, truth values 0 and 1, text is text, bytes are {"b64":"…"}.
const (
	archiveFormat = 1
	manifestName  = "manifest.json"
	// chunkBytes is about how much one entry holds; it is in memory while it is written and read.
	chunkBytes = 4 << 20
	// maxEntry refuses entries no backup of ours has: a row is at most a webhook body of some megabytes.
	maxEntry = 64 << 20
)

// Manifest describes a backup.
type Manifest struct {
	Format  int               `json:"format"`
	Schema  int64             `json:"schema"`
	Dialect string            `json:"dialect"`
	MadeAt  time.Time         `json:"made_at"`
	Rows    map[string]int64  `json:"rows"`
	Entries map[string]string `json:"entries"` // name to SHA-256
}

type chunkHeader struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type wireBytes struct {
	B64 []byte `json:"b64"`
}

// archiveWriter writes a backup entry by entry.
type archiveWriter struct {
	zip      *gzip.Writer
	tar      *tar.Writer
	manifest Manifest
	chunk    bytes.Buffer
	header   chunkHeader
	part     int
}

func newArchiveWriter(w io.Writer, m Manifest) *archiveWriter {
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid; a backup waits for the disk, not for the best size
	m.Format, m.Rows, m.Entries = archiveFormat, map[string]int64{}, map[string]string{}
	return &archiveWriter{zip: zip, tar: tar.NewWriter(zip), manifest: m}
}

// table begins a table.
func (a *archiveWriter) table(name string, columns []string) error {
	if err := a.flush(); err != nil {
		return err
	}
	a.header, a.part = chunkHeader{Table: name, Columns: columns}, 0
	a.manifest.Rows[name] = 0
	return nil
}

// row adds a row to the table.
func (a *archiveWriter) row(values []any) error {
	if a.chunk.Len() == 0 {
		if err := json.NewEncoder(&a.chunk).Encode(a.header); err != nil {
			return err
		}
	}
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			values[i] = wireBytes{v}
		case bool:
			values[i] = 0
			if v {
				values[i] = 1
			}
		}
	}
	if err := json.NewEncoder(&a.chunk).Encode(values); err != nil {
		return err
	}
	a.manifest.Rows[a.header.Table]++
	if a.chunk.Len() >= chunkBytes {
		return a.flush()
	}
	return nil
}

func (a *archiveWriter) flush() error {
	if a.chunk.Len() == 0 {
		return nil
	}
	a.part++
	name := fmt.Sprintf("%s.%06d.jsonl", a.header.Table, a.part)
	sum := sha256.Sum256(a.chunk.Bytes())
	a.manifest.Entries[name] = hex.EncodeToString(sum[:])
	err := a.entry(name, a.chunk.Bytes())
	a.chunk.Reset()
	return err
}

func (a *archiveWriter) entry(name string, content []byte) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: a.manifest.MadeAt, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

// close writes the manifest: a backup without one was cut off.
func (a *archiveWriter) close() error {
	if err := a.flush(); err != nil {
		return err
	}
	m, err := json.MarshalIndent(a.manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := a.entry(manifestName, m); err != nil {
		return err
	}
	if err := a.tar.Close(); err != nil {
		return err
	}
	return a.zip.Close()
}

func badArchive(item, format string, args ...any) error {
	return errs.New(errs.Invalid, "store.Restore", item, "the backup is damaged or not a backup: "+format, args...)
}

// readArchive reads a backup and calls chunk with the rows of each entry: strings, int64s, []byte and nil. It returns the manifest, which
// agrees with everything read. Errors are Invalid, or chunk's.
func readArchive(r io.Reader, chunk func(table string, columns []string, rows [][]any) error) (Manifest, error) {
	none := Manifest{}
	zip, err := gzip.NewReader(r)
	if err != nil {
		return none, badArchive("", "%v", err)
	}
	files := tar.NewReader(zip)
	rows, sums := map[string]int64{}, map[string]string{}
	for {
		h, err := files.Next()
		if err != nil {
			return none, badArchive("", "it ends without a manifest (%v)", err)
		}
		if h.Typeflag != tar.TypeReg || h.Size > maxEntry {
			return none, badArchive(h.Name, "an entry of this kind or size does not belong in it")
		}
		content, err := io.ReadAll(io.LimitReader(files, maxEntry+1))
		if err != nil || len(content) > maxEntry {
			return none, badArchive(h.Name, "the entry cannot be read (%v)", err)
		}
		if h.Name == manifestName {
			m, err := checkManifest(content, rows, sums)
			if err == nil {
				err = ended(files, zip)
			}
			return m, err
		}
		if sums[h.Name] != "" {
			return none, badArchive(h.Name, "the entry is there twice")
		}
		sum := sha256.Sum256(content)
		sums[h.Name] = hex.EncodeToString(sum[:])
		header, got, err := readChunk(h.Name, content)
		if err != nil {
			return none, err
		}
		rows[header.Table] += int64(len(got))
		if err := chunk(header.Table, header.Columns, got); err != nil {
			return none, err
		}
	}
}

// ended reads what follows the manifest, which is nothing, to the end of the file: there gzip keeps the checksum of all of it, of what
// stands between the entries too.
func ended(files *tar.Reader, zip io.Reader) error {
	if _, err := files.Next(); err != io.EOF {
		return badArchive("", "it does not end with its manifest (%v)", err)
	}
	if _, err := io.ReadFull(zip, make([]byte, 1)); err != io.EOF {
		return badArchive("", "it does not end where it should (%v)", err)
	}
	return nil
}

// readChunk reads one entry.
func readChunk(name string, content []byte) (chunkHeader, [][]any, error) {
	var h chunkHeader
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, maxEntry)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &h) != nil || len(h.Columns) == 0 || !strings.HasPrefix(name, h.Table+".") {
		return h, nil, badArchive(name, "the first line does not name its table and columns")
	}
	var rows [][]any
	for n := 2; lines.Scan(); n++ {
		var raw []json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil || len(raw) != len(h.Columns) {
			return h, nil, badArchive(name, "line %d does not have its %d values", n, len(h.Columns))
		}
		row := make([]any, len(raw))
		for i, v := range raw {
			var err error
			if row[i], err = readValue(v); err != nil {
				return h, nil, badArchive(name, "line %d, column %s: %v", n, h.Columns[i], err)
			}
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return h, nil, badArchive(name, "%v", err)
	}
	return h, rows, nil
}

func readValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{':
		var b wireBytes
		err := json.Unmarshal(raw, &b)
		return bytesOf(b.B64), err
	}
	var n int64
	err := json.Unmarshal(raw, &n)
	return n, err
}

func checkManifest(content []byte, rows map[string]int64, sums map[string]string) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return m, badArchive(manifestName, "%v", err)
	}
	if m.Format != archiveFormat {
		return m, errs.New(errs.Invalid, "store.Restore", manifestName, "the backup has format %d, this program reads %d", m.Format, archiveFormat)
	}
	for name, sum := range m.Entries {
		if sums[name] != sum {
			return m, badArchive(name, "the entry is missing or changed")
		}
	}
	for table, n := range m.Rows {
		if rows[table] != n {
			return m, badArchive(table, "%d rows were saved and %d are there", n, rows[table])
		}
	}
	if len(sums) != len(m.Entries) {
		return m, badArchive(manifestName, "%d entries are there and %d are listed", len(sums), len(m.Entries))
	}
	return m, nil
}

// ReadArchive reads the backup at path and calls chunk with the rows of each of its entries.
func ReadArchive(path string, chunk func(table string, columns []string, rows [][]any) error) error {
	f, err := os.Open(path)
	if err != nil {
		return &errs.Error{Kind: errs.NotFound, Op: "store.Restore", Item: path, Safe: "the backup cannot be opened", Cause: err}
	}
	defer f.Close()
	_, err = readArchive(f, chunk)
	return err
}
