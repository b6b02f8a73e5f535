package ops

import "testing"

// The page of a connection says when the last message about orders came, and nothing before one did.
func TestDeskLastMessage(t *testing.T) {
	r := newRig(t)
	c, err := r.d.Connection(t.Context(), r.conn)
	r.must(err)
	if c.MessageAt != nil {
		t.Errorf("a message came at %v before anything was sold", c.MessageAt)
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
