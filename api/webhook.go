package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// maxWebhook is the largest webhook body taken: a hundred times a usual one.
	maxWebhook = 1 << 20
	// receiveTime is how long storing a webhook may take; vendors give up after three to five seconds.
	receiveTime = 2500 * time.Millisecond
	// comeAgain is told to a vendor when too much is waiting.
	comeAgain = 2 * time.Second
)

// Receiver takes one webhook and returns when it is durable.
type Receiver func(ctx context.Context, vendor, appID string, header http.Header, body []byte) error

// Webhooks serves POST /hooks/{vendor}/{app}: 200 with an empty body once the message is durable, 401 for a bad signature,
// 413 for one too large, 503 with Retry-After when it should come again.
func Webhooks(receive Receiver, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/{vendor}/{app}", func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxWebhook {
			Problem(w, errs.New(errs.Invalid, "webhook", "body", "is larger than %d bytes", maxWebhook), http.StatusRequestEntityTooLarge)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
		if err != nil {
			status := http.StatusBadRequest
			if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
				status = http.StatusRequestEntityTooLarge
			}
			Problem(w, errs.New(errs.Invalid, "webhook", "body", "could not be read whole"), status)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), receiveTime)
		defer cancel()
		if err := receive(ctx, r.PathValue("vendor"), r.PathValue("app"), r.Header, body); err != nil {
			if status := Status(err); status >= http.StatusInternalServerError {
				log.Error("webhook not taken", "vendor", r.PathValue("vendor"), "err", err)
			}
			Problem(w, err, 0)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	return mux
}

// Status is the HTTP status of an error's kind.
func Status(err error) int {
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict, errs.Insufficient:
		return http.StatusConflict
	case errs.Busy, errs.Unavailable:
		return http.StatusServiceUnavailable
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Forbidden:
		return http.StatusForbidden
	}
	return http.StatusInternalServerError
}

// Problem answers an error as application/problem+json (RFC 9457) with its safe sentence only. status 0 means by its kind.
func Problem(w http.ResponseWriter, err error, status int) {
	if status == 0 {
		status = Status(err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(comeAgain.Seconds())))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": errs.Safe(err)})
}
