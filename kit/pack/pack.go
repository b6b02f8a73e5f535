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

// Reader takes data apart. After the first thing that cannot be right it has failed and gives zeros only. It goes on by a number: moving a slice
// along would have the garbage collector told of each step.
type Reader struct {
	all    string // of which texts are parts: one copy for all
	at     int
	failed bool
}

// Read makes a Reader of data.
func Read(data []byte) Reader { return Reader{all: string(data)} }

// Fail says that what was read cannot be right.
func (r *Reader) Fail() { r.failed, r.at = true, len(r.all) }

// Failed reports whether something could not be right.
func (r *Reader) Failed() bool { return r.failed }

// Done reports whether everything was read and right.
func (r *Reader) Done() bool { return !r.failed && r.at == len(r.all) }

// More reports whether there is something left to read.
func (r *Reader) More() bool { return r.at < len(r.all) }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.at >= len(r.all) {
		r.Fail()
		return 0
	}
	c := r.all[r.at]
	r.at++
	return c
}

// Uint reads a number of binary.AppendUvarint.
func (r *Reader) Uint() uint64 {
	if r.at < len(r.all) && r.all[r.at] < 0x80 { // nearly all of them
		r.at++
		return uint64(r.all[r.at-1])
	}
	return r.long()
}

func (r *Reader) long() (n uint64) {
	for shift := 0; shift < 64; shift += 7 {
		c := r.Byte()
		if shift == 63 && c > 1 {
			break
		}
		if n |= uint64(c&0x7f) << shift; c < 0x80 {
			if r.failed {
				return 0
			}
			return n
		}
	}
	r.Fail()
	return 0
}

// Count reads how many things of at least size bytes follow: never more than there is room for.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64((len(r.all)-r.at)/size) {
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
	r.at += n
	return r.all[r.at-n : r.at]
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
