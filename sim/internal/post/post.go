// Package post is what simulators of label brokers have in common: tracking numbers with right check digits, labels that can be told apart, the stations
// of a parcel's way, and calls that are carried out after their connection was cut.
//
// It promises that the same seed gives the same numbers. It knows no vendor and must import sim/world only.
package post

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// USPS is a number of 22 digits of the postal service, the last of which is the check digit.
func USPS(r *rand.Rand) string {
	n := fmt.Sprintf("9400%017d", r.Uint64N(1e17))
	sum := 0
	for i := range len(n) { // weighted 3 and 1 in turn from the right
		d := int(n[len(n)-1-i] - '0')
		if i%2 == 0 {
			d *= 3
		}
		sum += d
	}
	return n + string(byte('0'+(10-sum%10)%10))
}

// UPS is a number of a parcel of ground service: 1Z, a shipper, a service, a serial and the check digit.
func UPS(r *rand.Rand) string {
	n := fmt.Sprintf("A%05d03%07d", r.IntN(100_000), r.IntN(10_000_000))
	sum := 0
	for i := range len(n) { // every second counts double; a letter counts as its place from ? on, modulo ten
		v := int(n[i] - '0')
		if n[i] >= 'A' {
			v = int(n[i]-'?') % 10
		}
		if i%2 == 1 {
			v *= 2
		}
		sum += v
	}
	return "1Z" + n + string(byte('0'+(10-sum%10)%10))
}

// PDF is a page of 4 by 6 inches that bears a text.
func PDF(text string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(at))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.4\n")
	page := fmt.Sprintf("BT /F1 14 Tf 20 400 Td (%s) Tj ET", text)
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 288 432]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
	object("<</Length %d>>stream\n%s\nendstream", len(page), page)
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}

// ZPL is the same for thermal printers of 203 dots an inch.
func ZPL(text string) []byte {
	return fmt.Appendf(nil, "^XA^PW812^LL1218^FO60,200^BCN,160,Y,N,N^FD%s^FS^XZ", text)
}

// Station is a place of a parcel's way. Before the first scan a label can be taken back.
type Station struct {
	After       time.Duration // since the label was made
	Name        string
	City, State string
}

// Way are the stations of every parcel. The times are those of a ground parcel over two days.
var Way = []Station{
	{0, "label", "", ""},
	{20 * time.Hour, "accepted", "Columbus", "OH"},
	{31 * time.Hour, "departed", "Columbus", "OH"},
	{60 * time.Hour, "van", "Denver", "CO"},
	{66 * time.Hour, "delivered", "Denver", "CO"},
}

// maxBody bounds a call's body.
const maxBody = 1 << 20

// Late carries out calls struck by world.LateEffect only after the rule's delay: the caller's connection is cut at once.
func Late(clock world.Clock, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, struck := world.FaultFrom(r.Context())
		if !struck || rule.Kind != world.LateEffect {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		late, wrong := http.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
		if err != nil || wrong != nil {
			panic(http.ErrAbortHandler)
		}
		late.Header, late.Host = r.Header.Clone(), r.Host
		clock.At(clock.Now().Add(rule.Delay.Std()), func() { next.ServeHTTP(&nobody{http.Header{}}, late) })
		panic(http.ErrAbortHandler)
	})
}

// nobody reads an answer.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n *nobody) WriteHeader(int)             {}
