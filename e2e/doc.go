// Package e2e runs the whole program against simulated channels over real HTTP and reads like a seller's day. It only uses what
// people and channels use: the use-cases behind the pages, webhooks, the channels' own APIs.
package e2e
