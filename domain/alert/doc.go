// Package alert decides who is told what, and when: what is wrong comes in as signals, one incident is kept for each cause, and deliveries
// come out, each once.
//
// It promises: a cause has at most one open incident; the same signals again send nothing; nobody is told anything in their quiet hours that
// is not critical; an incident somebody has acknowledged escalates no further; a critical one that lasts reaches somebody before its second
// step is due. Who is to be told is a level, worked out anew in each step from who was told already, so nothing is lost when a step is not
// stored, and nothing is said twice when it is.
//
// It reads no clock and sends nothing: time is handed in, deliveries are handed out. It never imports a store, a network or a vendor.
package alert
