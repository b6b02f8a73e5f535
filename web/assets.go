package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// assets serves the embedded files under names that hold their content's hash, so that browsers keep them for good.
type assets struct {
	byPath map[string]asset  // "/assets/app-1a2b3c4d.css"
	hashed map[string]string // "app.css" to its path
}

// asset is a file. One that few browsers ever ask for is not held in memory before the first does.
type asset struct {
	kind        string
	plain, gzip func() []byte
}

// heldFromStart bounds what is read and squeezed when the program starts: pages need it at once. What is larger, the reader of barcodes for phones whose
// browser has none, waits until it is asked for.
const heldFromStart = 200_000

// together are files sent as one, in this order. An extension of htmx has to be there when htmx looks at the page, which it does as soon as its
// own script has run: one that came a moment later, as on a slow line, would leave the page dead.
var together = map[string][]string{"htmx.js": {"htmx.min.js", "hx-sse.min.js"}}

func newAssets() *assets {
	a := &assets{byPath: map[string]asset{}, hashed: map[string]string{}}
	apart := map[string]bool{}
	for name, of := range together {
		var all []byte
		for _, one := range of {
			apart[one] = true
			all = append(append(all, embedded(one)...), ";\n"...)
		}
		a.add(name, all, func() []byte { return all })
	}
	err := fs.WalkDir(assetFiles, "assets", func(p string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(p, "assets/")
		if err != nil || d.IsDir() || apart[name] {
			return err
		}
		a.add(name, embedded(name), func() []byte { return embedded(name) })
		return nil
	})
	if err != nil {
		panic("web: embedded assets cannot be read: " + err.Error()) // they are part of the binary
	}
	return a
}

// embedded reads a file that is part of the binary.
func embedded(name string) []byte {
	b, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		panic("web: embedded assets cannot be read: " + err.Error())
	}
	return b
}

// add lists what name holds, b, which read gives again.
func (a *assets) add(name string, b []byte, read func() []byte) {
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	to := "/assets/" + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:4]) + ext
	kind := mime.TypeByExtension(ext)
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	f := asset{kind: kind, plain: sync.OnceValue(read)}
	f.gzip = sync.OnceValue(func() []byte { return squeeze(f.plain()) })
	if len(b) <= heldFromStart {
		f.gzip()
	}
	a.byPath[to] = f
	a.hashed[name] = to
}

func squeeze(b []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	z.Write(b)                                              // into memory: cannot fail
	z.Close()
	return out.Bytes()
}

// url is the address of the asset called name.
func (a *assets) url(name string) string { return a.hashed[name] }

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(f.gzip()) < len(f.plain()) {
		h.Set("Content-Encoding", "gzip")
		w.Write(f.gzip())
		return
	}
	w.Write(f.plain())
}
