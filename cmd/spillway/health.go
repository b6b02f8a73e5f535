package main

import (
	"context"
	"net/http"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// healthTime bounds the question: who asks has a patience of seconds.
const healthTime = 2 * time.Second

type healthCmd struct {
	URL string `help:"What to ask." default:"http://127.0.0.1:7071/readyz" env:"SPILLWAY_HEALTH_URL"`
}

// Run asks a running Spillway whether it is ready, for containers, which have no other program to ask with. Errors: Unavailable.
func (c *healthCmd) Run(e *env) error {
	ctx, cancel := context.WithTimeout(e.ctx, healthTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return errs.New(errs.Invalid, "health", c.URL, "is not an address such as http://127.0.0.1:7071/readyz")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: "health", Item: c.URL, Safe: "does not answer", Cause: err}
	}
	resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return errs.New(errs.Unavailable, "health", c.URL, "answers %s", resp.Status)
	}
	return nil
}
