// Command serve shows the control room over the storybook, for people who work on pages:
//
//	go run ./web/storybook/serve
//
// Visitors from this machine are signed in. A sale happens every second, so that the stream has something to say.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/spillway/spillway/web"
	"github.com/spillway/spillway/web/storybook"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8099", "where to listen")
	empty := flag.Bool("empty", false, "show an installation nobody has set up")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	book, user := storybook.New(time.Now), "mia@nordlicht.example"
	if *empty {
		book, user = storybook.Empty(time.Now), ""
	}
	go sell(book)
	fmt.Println("http://" + *addr)
	srv := &http.Server{Addr: *addr, Handler: web.New(book, web.Options{Log: log, DemoUser: user, Version: "storybook"}), ReadHeaderTimeout: 5 * time.Second}
	if err := srv.ListenAndServe(); err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func sell(book *storybook.Book) {
	for range time.Tick(time.Second) {
		item := []string{"MUG-01", "MUG-01", "CANDLE-04", "SOCKS-08"}[rand.IntN(4)]
		_ = book.Sell(item, []string{"clip-north", "cart-north"}[rand.IntN(2)], 1) // sold out is a fine end of a story
	}
}
