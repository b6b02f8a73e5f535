// Package errs is the one error type of Spillway: what kind of failure it is, which operation failed, on which
// item, why, and one safe sentence for the person who has to act on it.
//
// A package returns an error or logs it, never both. Edges (HTTP, CLI) map Kind to a status and show Safe; the cause
// goes to the log only.
package errs

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what the caller can do about an error. The list is closed.
type Kind uint8

const (
	Internal        Kind = iota // a defect or an unexpected failure below us
	Invalid                     // the input is wrong; fix it and try again
	NotFound                    // the thing named does not exist
	Conflict                    // the same id was used for other content, or the state forbids it
	Insufficient                // not enough stock
	Busy                        // over a bound; the same request may be repeated later
	Unauthenticated             // who are you
	Forbidden                   // you may not
	Unavailable                 // a dependency is down; the same request may be repeated
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "conflict", "insufficient stock", "busy", "unauthenticated", "forbidden", "unavailable",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error carries everything an operator or a caller needs to act.
type Error struct {
	Kind  Kind
	Op    string // package-qualified verb, such as "stock.Reserve"
	Item  string // the id, field or line concerned; may be empty
	Safe  string // one sentence for people; no secrets, no personal data
	Cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Item != "" {
		b.WriteString(e.Item)
		b.WriteString(": ")
	}
	switch {
	case e.Safe != "":
		b.WriteString(e.Safe)
	case e.Cause == nil:
		b.WriteString(e.Kind.String())
	}
	if e.Cause != nil {
		if e.Safe != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of kind k for operation op on item, with a sentence for people.
func New(k Kind, op, item, format string, args ...any) *Error {
	return &Error{Kind: k, Op: op, Item: item, Safe: fmt.Sprintf(format, args...)}
}

// Wrap adds an operation and an item to cause and keeps its kind. It returns nil for a nil cause.
func Wrap(op, item string, cause error) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: KindOf(cause), Op: op, Item: item, Cause: cause}
}

// KindOf returns the kind of the outermost *Error in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// sayer is an error of another kind that has its own sentence for people.
type sayer interface {
	error
	Sentence() string
}

// Safe returns the sentence to show a person: the outermost one there is, or a general one for internal errors.
func Safe(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			break
		}
		if e.Safe != "" {
			if e.Item != "" && !strings.Contains(e.Safe, e.Item) {
				return e.Item + ": " + e.Safe
			}
			return e.Safe
		}
		err = e.Cause
	}
	if e, ok := errors.AsType[sayer](err); ok {
		return e.Sentence()
	}
	return "Something failed inside Spillway. The log has the details."
}
