package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestAnInterruptedTaskIsNoSuccess: what is there until it is stopped ends well when it is; anything else has not done what it was asked to.
func TestAnInterruptedTaskIsNoSuccess(t *testing.T) {
	cut := fmt.Errorf("reading: %w", context.Canceled)
	for _, c := range []struct {
		command string
		stopped bool
		err     error
		want    int
	}{
		{"import stock <file>", false, nil, 0},
		{"import stock <file>", true, nil, 0}, // it was done before
		{"import stock <file>", true, cut, interrupted},
		{"import stock <file>", false, cut, 1}, // nobody asked for it: a fault
		{"import stock <file>", true, errors.New("line 3 has no SKU"), 1},
		{"bench ledger", true, cut, interrupted},
		{"serve", true, cut, 0},
		{"sandbox tiktok", true, cut, 0},
		{"demo", true, errors.New("the port is taken"), 1},
		{"verify <file>", false, &exitError{errors.New("the log was changed"), 3}, 3},
	} {
		say, code := outcome(c.command, c.stopped, c.err)
		if code != c.want || (say == "") != (code == 0) {
			t.Errorf("%s, stopped %t, %v: %d, %q; want %d", c.command, c.stopped, c.err, code, say, c.want)
		}
	}
}
