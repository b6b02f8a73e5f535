package web

import (
	"net/http"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// keptStock reads the stock a provider keeps, or takes over what it counts.
func (s *Site) keptStock(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	act, at, node := f.text("act", "What to do", true), f.text("read", "Reading", false), r.PathValue("id")
	if f.err != nil {
		return f.err
	}
	if act == "read" {
		done, err := s.b.ReadKept(ctx, node)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(nodePath(node)))
	}
	read, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || act != "take" {
		return errs.New(errs.Invalid, "web.keptStock", node, "open the node’s page and take over what it shows")
	}
	done, err := s.b.TakeKept(ctx, node, read, s.user(ctx))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(nodePath(node)))
}
