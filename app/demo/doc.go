// Package demo is a shop to look at: three channel simulators behind real HTTP, real order history, a viral spike and a LIVE.
//
// It connects Spillway to the simulators exactly as a real shop is connected (consent page, code, tokens, signed webhooks), and
// then only plays buyers and a warehouse. What is shown is the product at work, not a recording.
package demo
