// Package web is the control room: server-rendered pages over a Backend, one file per page, live by server-sent events.
//
// It promises: no page without a session (sign-in, first set-up and assets excepted), no cross-origin write, no inline script,
// no request to anywhere else, under 100 KB of script and style, and that every action shows its effect before it is done.
// It knows view structs only: never the store, a domain package or a vendor. Times are shown in the zone the Frame names.
//
// Run `go generate ./web` after editing a .templ file; the generated files are committed.
package web
