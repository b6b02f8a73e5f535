package pack

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	long := strings.Repeat("x", 200)
	data := AppendText(AppendText([]byte{7}, "bc"), long)
	data = binary.AppendVarint(binary.AppendVarint(data, -5), 1<<30)
	data = binary.AppendUvarint(data, 1<<64-1)
	r := Read(data)
	if v := r.Byte(); v != 7 {
		t.Error(v)
	}
	if w, l, n := r.Text(), r.Text(), r.Number(); w != "bc" || l != long || n != -5 || r.Done() || !r.More() {
		t.Errorf("%q %q %d %+v", w, l, n, r)
	}
	if n, u := r.Number(), r.Uint(); n != 1<<30 || u != 1<<64-1 || !r.Done() || r.More() || r.Failed() {
		t.Errorf("%d %+v", n, r)
	}
	if r.Byte(); !r.Failed() || r.Done() || r.Number() != 0 || r.Text() != "" {
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
		"what follows a failure":   {[]byte{9, 1, 1}, func(r *Reader) { r.Text(); r.Byte() }},
		"a number of 65 bits":      {append(bytes.Repeat([]byte{0xff}, 9), 2), func(r *Reader) { r.Uint() }},
		"half a number":            {[]byte{0x80}, func(r *Reader) { r.Uint() }},
		"what the caller refuses":  {[]byte{1}, func(r *Reader) { r.Byte(); r.Fail() }},
	} {
		r := Read(c.data)
		if c.read(&r); !r.Failed() || r.Done() {
			t.Errorf("%s is right", name)
		}
	}
}
