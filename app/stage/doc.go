// Package stage is simulated shops behind real HTTP, connected to Spillway the way a person connects real ones. The demo plays on
// it, and so do measurements and end-to-end tests.
package stage
