package driver

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what to do about a vendor's error. Policy code looks at it and at nothing else.
type Class string

const (
	Retry        Class = "retry"         // passing; try again with backoff
	RetryAfter   Class = "retry after"   // try again, not before After
	RefreshLogin Class = "refresh login" // the access token is not good; refresh once, then retry once
	AskHuman     Class = "ask a human"   // consent, scope or set-up is wrong
	GiveUp       Class = "give up"       // the same request will never work
	Forged       Class = "forged"        // a webhook that the vendor did not sign
)

// Error is a vendor's failure.
type Error struct {
	Class     Class
	Op        Operation
	Status    int           // HTTP status, 0 if none was received
	Code      string        // vendor's code
	Message   string        // vendor's text, redacted
	RequestID string        // vendor's id of the request
	After     time.Duration // with RetryAfter
	// Applied is true where the request may have been carried out although it failed (no answer, gateway timeout).
	Applied bool
	Cause   error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Op, e.Class)
	if e.Status != 0 {
		s += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Code != "" {
		s += ": code " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Sentence says to a person what failed and whose turn it is.
func (e *Error) Sentence() string {
	var s string
	switch e.Class {
	case AskHuman, RefreshLogin:
		s = "The login or the permission is refused"
	case GiveUp:
		s = "The request is refused"
	case Forged:
		return "A message is not signed as it must be."
	default:
		return "There is no good answer at the moment; it is tried again."
	}
	if e.Message != "" {
		s += ": " + strings.TrimSuffix(e.Message, ".")
	}
	if e.Code != "" {
		s += " (code " + e.Code + ")"
	}
	return s + "."
}

func (e *Error) Unwrap() error { return e.Cause }

// ClassOf returns the class of err; an error that no driver classed is passing.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Retry
}

// MayBeApplied reports whether the request behind err may have been carried out.
func MayBeApplied(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return !ok || e.Applied
}

// BeforeCall marks the error of what a driver reads before a call that changes something: nothing of that call was carried out.
func BeforeCall(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Applied {
		return err
	}
	c := *e
	c.Applied = false
	return &c
}
