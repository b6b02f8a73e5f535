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

func newAssets() *assets {
	a := &assets{byPath: map[string]asset{}, hashed: map[string]string{}}
	err := fs.WalkDir(assetFiles, "assets", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := assetFiles.ReadFile(p)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, "assets/")
		sum := sha256.Sum256(b)
		ext := path.Ext(name)
		to := "/assets/" + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:4]) + ext
		kind := mime.TypeByExtension(ext)
		if kind == "" {
			kind = "text/plain; charset=utf-8"
		}
		f := asset{kind: kind, plain: sync.OnceValue(func() []byte { b, _ := assetFiles.ReadFile(p); return b })} // it was read a moment ago
		f.gzip = sync.OnceValue(func() []byte { return squeeze(f.plain()) })
		if len(b) <= heldFromStart {
			f.gzip()
		}
		a.byPath[to] = f
		a.hashed[name] = to
		return nil
	})
	if err != nil {
		panic("web: embedded assets cannot be read: " + err.Error()) // they are part of the binary
	}
	return a
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
