package tiktok

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// document prints a label. Its address needs no signature, as that of the platform's storage, which is signed by itself.
func (s *Sim) document(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shops {
		p := sh.packages[r.PathValue("id")]
		if p == nil {
			continue
		}
		lines := []string{"SANDBOX LABEL", p.provider.name, p.tracking, "package " + p.id, "orders " + strings.Join(p.orderIDs(), " ")}
		if r.FormValue("format") == "ZPL" {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = fmt.Fprintf(w, "^XA^FO40,40^BCN,160^FD%s^FS^FO40,260^A0N,30^FD%s^FS^XZ\n", p.tracking, strings.Join(lines, " ")) // a client that has gone needs no answer
			return
		}
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = w.Write(pdf(lines))
		return
	}
	http.NotFound(w, r)
}

// pdf is a page of 105 × 148 mm with lines of text, which must need no escaping.
func pdf(lines []string) []byte {
	var text, out bytes.Buffer
	text.WriteString("BT /F1 14 Tf 20 380 Td 22 TL")
	for _, l := range lines {
		fmt.Fprintf(&text, " (%s) Tj T*", l)
	}
	text.WriteString(" ET")
	out.WriteString("%PDF-1.4\n")
	var at []int
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return out.Bytes()
}
