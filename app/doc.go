// Package app puts the program together: it opens the store and the keys, makes the use-cases, the pages and the HTTP servers,
// starts them in order and stops them in the reverse order. It is the only place that knows every package, and it runs inside
// tests as it runs in production.
package app
