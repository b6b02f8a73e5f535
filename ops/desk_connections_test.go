package ops

import "testing"

// The page of a connection says when the last message about orders came, and nothing before one did. The list says the same of its
// state, and how far orders are read.
func TestDeskLastMessage(t *testing.T) {
	r := newRig(t)
	c, err := r.d.Connection(t.Context(), r.conn)
	r.must(err)
	if c.MessageAt != nil {
		t.Errorf("a message came at %v before anything was sold", c.MessageAt)
	}
	all, err := r.d.Connections(t.Context())
	r.must(err)
	if row := all.Connections[0]; row.State != c.State || row.Text != c.Text || len(row.Streams) != 1 || row.Streams[0].RunAt.IsZero() {
		t.Errorf("the list says %q %q, streams %v; the page %q %q", row.State, row.Text, row.Streams, c.State, c.Text)
	}
	before := r.x.now()
	r.sell("S1", 1)
	r.until("a message came", func() bool {
		c, err = r.d.Connection(t.Context(), r.conn)
		r.must(err)
		return c.MessageAt != nil
	})
	if c.MessageAt.Before(before) || c.MessageAt.After(r.x.now()) {
		t.Errorf("the last message came at %v, sold at %v", c.MessageAt, before)
	}
}
