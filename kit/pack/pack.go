// Package pack takes apart what was written with the variable-length numbers of encoding/binary: numbers, texts, and a table of words that are
// written once. It promises that no bytes make it panic, or take more memory than a few times their length. It knows nothing of what they mean.
package pack

import "encoding/binary"

const (
	// MaxText bounds a text, in bytes: above all ids and names.
	MaxText = 1024
	// MaxNumber bounds a signed number, either way: far above any count, low enough that millions of them add up.
	MaxNumber = 1 << 40
)

// Reader takes data apart. After the first thing that cannot be right it has failed and gives zeros only.
type Reader struct {
	data   []byte // what is left
	all    string // everything, of which texts are parts: one copy for all
	words  []string
	failed bool
}

// Read makes a Reader of data.
func Read(data []byte) Reader { return Reader{data: data, all: string(data)} }

// Fail says that what was read cannot be right.
func (r *Reader) Fail() { r.failed = true }

// Failed reports whether something could not be right.
func (r *Reader) Failed() bool { return r.failed }

// Done reports whether everything was read and right.
func (r *Reader) Done() bool { return !r.failed && len(r.data) == 0 }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.failed || len(r.data) == 0 {
		r.failed = true
		return 0
	}
	c := r.data[0]
	r.data = r.data[1:]
	return c
}

// Uint reads a number of binary.AppendUvarint.
func (r *Reader) Uint() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.failed || size <= 0 {
		r.failed = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

// Count reads how many things of at least size bytes follow: never more than there is room for.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.data)/size) {
		r.failed = true
		return 0
	}
	return int(n)
}

// Text reads a text behind its length, of MaxText bytes at most.
func (r *Reader) Text() string {
	n := r.Count(1)
	if n > MaxText {
		r.failed = true
		return ""
	}
	at := len(r.all) - len(r.data)
	r.data = r.data[n:]
	return r.all[at : at+n]
}

// Number reads a number of binary.AppendVarint, of MaxNumber at most.
func (r *Reader) Number() int64 {
	n, size := binary.Varint(r.data)
	if r.failed || size <= 0 || n > MaxNumber || n < -MaxNumber {
		r.failed = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

// Words reads the table of words, behind those everybody knows.
func (r *Reader) Words(known ...string) {
	r.words = known
	for range r.Count(1) {
		r.words = append(r.words, r.Text())
	}
}

// Word reads the number of a word of the table.
func (r *Reader) Word() string {
	n := r.Uint()
	if n >= uint64(len(r.words)) {
		r.failed = true
		return ""
	}
	return r.words[n]
}
