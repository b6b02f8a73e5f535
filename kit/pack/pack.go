// Package pack writes texts and takes apart what was written with them and the variable-length numbers of encoding/binary. It promises that no
// bytes make it panic, or take more memory than a few times their length. It knows nothing of what they mean.
package pack

import "encoding/binary"

const (
	// MaxText bounds a text, in bytes: above all ids and names.
	MaxText = 1024
	// MaxNumber bounds a signed number, either way: far above any count, low enough that millions of them add up.
	MaxNumber = 1 << 40
)

// AppendText writes a text behind its length, as Reader.Text reads it.
func AppendText(out []byte, s string) []byte {
	if len(s) < 0x80 {
		out = append(out, byte(len(s)))
	} else {
		out = binary.AppendUvarint(out, uint64(len(s)))
	}
	return append(out, s...)
}

// Reader takes data apart. After the first thing that cannot be right it has failed and gives zeros only.
type Reader struct {
	data   []byte // what is left
	all    string // everything, of which texts are parts: one copy for all
	failed bool
}

// Read makes a Reader of data.
func Read(data []byte) Reader { return Reader{data: data, all: string(data)} }

// Fail says that what was read cannot be right.
func (r *Reader) Fail() { r.failed, r.data = true, nil }

// Failed reports whether something could not be right.
func (r *Reader) Failed() bool { return r.failed }

// Done reports whether everything was read and right.
func (r *Reader) Done() bool { return !r.failed && len(r.data) == 0 }

// More reports whether there is something left to read.
func (r *Reader) More() bool { return len(r.data) > 0 }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.data) == 0 {
		r.Fail()
		return 0
	}
	c := r.data[0]
	r.data = r.data[1:]
	return c
}

// Uint reads a number of binary.AppendUvarint.
func (r *Reader) Uint() uint64 {
	if len(r.data) > 0 && r.data[0] < 0x80 { // nearly all of them
		n := r.data[0]
		r.data = r.data[1:]
		return uint64(n)
	}
	return r.long()
}

func (r *Reader) long() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.Fail()
		return 0
	}
	r.data = r.data[size:]
	return n
}

// Count reads how many things of at least size bytes follow: never more than there is room for.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.data)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Text reads a text behind its length, of MaxText bytes at most.
func (r *Reader) Text() string {
	n := r.Count(1)
	if n > MaxText {
		r.Fail()
		return ""
	}
	at := len(r.all) - len(r.data)
	if r.failed {
		return ""
	}
	r.data = r.data[n:]
	return r.all[at : at+n]
}

// Number reads a number of binary.AppendVarint, of MaxNumber at most.
func (r *Reader) Number() int64 {
	u := r.Uint()
	n := int64(u>>1) ^ -int64(u&1)
	if n > MaxNumber || n < -MaxNumber {
		r.Fail()
		return 0
	}
	return n
}
