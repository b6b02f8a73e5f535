// Package api is the program's HTTP edge besides the pages: the webhook endpoints, which are the only public ones, and the
// private ones for operators (health, readiness, metrics). It maps error kinds to HTTP statuses in one place.
//
// It holds no rules: a handler reads the request within its bounds, calls one use-case and answers.
package api
