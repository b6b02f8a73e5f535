package bench

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/spillway/spillway/api"
	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/tiktok"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

// frontApp is the app whose webhooks are measured.
var frontApp = ops.NewApp{ID: "front", Vendor: "tiktok", Key: "front-key", Secret: "front-secret", Settings: map[string]string{"service_id": "1"}}

// frontSpec is what the other process is asked to serve.
type frontSpec struct {
	Home     string `json:"home"`
	Database string `json:"database"`
}

// frontNews is where it listens: the program's own front, and a handler that verifies and parses and keeps nothing.
type frontNews struct {
	Ours string `json:"ours"`
	Bare string `json:"bare"`
}

// Front is the other process of Ingest: a front for webhooks, and the bare handler it is compared with behind the same HTTP server.
func Front(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	var spec frontSpec
	told, err := hear(in, &spec)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{Home: spec.Home, Database: spec.Database, Listen: "127.0.0.1:0", OpsListen: "off", ReceiveOnly: true, Log: log})
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.Start(ctx); err != nil {
		return err
	}
	if _, err := a.Ops().AddApp(ctx, frontApp); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errs.Wrap("bench.Front", "listen", err)
	}
	bare := &http.Server{Handler: api.Webhooks(verifyOnly, log)}
	defer bare.Close()
	go bare.Serve(l) //nolint:errcheck // closed at the end
	if err := json.NewEncoder(out).Encode(frontNews{Ours: host(a.URL()), Bare: l.Addr().String()}); err != nil {
		return errs.Wrap("bench.Front", "news", err)
	}
	return told.untilEnd(ctx)
}

func verifyOnly(_ context.Context, _, _ string, header http.Header, body []byte) error {
	_, err := tiktok.Vendor{}.Verify(driver.App{Key: frontApp.Key, Secret: frontApp.Secret}, header, body)
	return err
}
