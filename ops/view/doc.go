// Package view is what pages show: plain structs of figures and sentences, made by package ops, drawn by package web.
//
// It holds no logic, no addresses of pages and no markup. Quantities are whole units, times are UTC, durations are exact,
// money is already text with its currency. A sentence (fields called Text, Sentence or Why) is written for the person who
// reads it: the trade's words, no secrets, no personal data. Empty slices mean "there is none", never "not known".
//
// It imports the standard library only, so that both sides can change without the other.
package view
