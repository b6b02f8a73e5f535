package pack

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	data := binary.AppendUvarint([]byte{7}, 2)
	for _, w := range []string{"a", "bc"} {
		data = append(binary.AppendUvarint(data, uint64(len(w))), w...)
	}
	data = binary.AppendUvarint(data, 2)
	data = binary.AppendVarint(data, -5)
	r := Read(data)
	if v := r.Byte(); v != 7 {
		t.Error(v)
	}
	r.Words("")
	if w, n := r.Word(), r.Number(); w != "bc" || n != -5 || !r.Done() || r.Failed() {
		t.Errorf("%q %d %+v", w, n, r)
	}
	if r.Byte(); !r.Failed() || r.Done() || r.Number() != 0 || r.Word() != "" {
		t.Error("reading past the end is right")
	}
}

func TestWhatCannotBeRight(t *testing.T) {
	long := append(binary.AppendUvarint(nil, MaxText+1), strings.Repeat("x", MaxText+1)...)
	for name, c := range map[string]struct {
		data []byte
		read func(*Reader)
	}{
		"a count beyond the bytes": {binary.AppendUvarint(nil, 5), func(r *Reader) { r.Count(1) }},
		"a text that is too long":  {long, func(r *Reader) { r.Text() }},
		"a number that is too big": {binary.AppendVarint(nil, MaxNumber+1), func(r *Reader) { r.Number() }},
		"one that is too small":    {binary.AppendVarint(nil, -MaxNumber-1), func(r *Reader) { r.Number() }},
		"a word that is none":      {[]byte{0, 3}, func(r *Reader) { r.Words(); r.Word() }},
		"half a number":            {[]byte{0x80}, func(r *Reader) { r.Uint() }},
		"what the caller refuses":  {[]byte{1}, func(r *Reader) { r.Byte(); r.Fail() }},
	} {
		r := Read(c.data)
		if c.read(&r); !r.Failed() || r.Done() {
			t.Errorf("%s is right", name)
		}
	}
}
