package tiktok

import "net/http"

func (s *Sim) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sandbox/documents/{id}", s.document)
}
