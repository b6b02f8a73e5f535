package driver_test

import (
	"testing"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// A person reads why a vendor refuses, and never that something failed inside.
func TestAFailureIsASentence(t *testing.T) {
	for _, c := range []struct {
		err  *driver.Error
		want string
	}{
		{&driver.Error{Class: driver.AskHuman, Op: "orders", Status: 400, Code: "36009004", Message: "Invalid token.", RequestID: "r1"}, "The login or the permission is refused: Invalid token (code 36009004)."},
		{&driver.Error{Class: driver.GiveUp, Op: "orders", Status: 404}, "The request is refused."},
		{&driver.Error{Class: driver.Retry, Op: "orders", Status: 502, Message: "<html>"}, "There is no good answer at the moment; it is tried again."},
	} {
		if got := errs.Safe(errs.Wrap("ops.Poll", "shop", c.err)); got != c.want {
			t.Errorf("%v: %q", c.err, got)
		}
	}
	own := &driver.Error{Class: driver.Retry, Cause: errs.New(errs.Unavailable, "x", "", "The store is away.")}
	if got := errs.Safe(own); got != "The store is away." {
		t.Errorf("its cause has a sentence, and it says %q", got)
	}
}
