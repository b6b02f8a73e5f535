package sqlcore

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

func TestArchiveGivesBackWhatWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.SliceOf(rapid.Byte()).AsAny(), rapid.Just[any](nil))
		want := map[string][][]any{}
		for _, table := range []string{"item", "orders"} {
			want[table] = rapid.SliceOfN(rapid.SliceOfN(value, 2, 2), 1, 20).Draw(t, table)
		}
		var file bytes.Buffer
		a := newArchiveWriter(&file, Manifest{Schema: 1, MadeAt: time.Unix(0, 0)})
		for _, table := range []string{"item", "orders"} {
			if err := a.table(table, []string{"x", "y"}); err != nil {
				t.Fatal(err)
			}
			for _, row := range want[table] {
				if err := a.row([]any{row[0], row[1]}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := a.close(); err != nil {
			t.Fatal(err)
		}
		got := map[string][][]any{}
		if _, err := readArchive(&file, func(table string, _ []string, rows [][]any) error {
			got[table] = append(got[table], rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// tarred packs entries as a backup would.
func tarred(tb testing.TB, entries ...[2]string) []byte {
	tb.Helper()
	var file bytes.Buffer
	zip := gzip.NewWriter(&file)
	w := tar.NewWriter(zip)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Name: e[0], Mode: 0o600, Size: int64(len(e[1]))}); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func FuzzReadArchive(f *testing.F) {
	// The fuzzer works on what is inside the compression: checksums would turn all its changes away at the door.
	f.Add("item.000001.jsonl", `{"table":"item","columns":["id","n"]}`+"\n"+`["a",1]`+"\n"+`[null,{"b64":"AA=="}]`, `{"format":1,"rows":{"item":2}}`)
	f.Add("x", "", "")
	f.Add("item.000001.jsonl", `{"table":"item","columns":["id"]}`+"\n"+`[1e99]`, `{"format":2}`)
	f.Add("manifest.json", `{}`, `[[[[[[[[[[`)
	f.Fuzz(func(t *testing.T, name, entry, manifest string) {
		if len(name) > 90 || bytes.IndexByte([]byte(name), 0) >= 0 || name == "" || strings.HasSuffix(name, "/") {
			t.Skip("not a name of a file that a tar can hold")
		}
		file := tarred(t, [2]string{name, entry}, [2]string{manifestName, manifest})
		total := int64(0)
		m, err := readArchive(bytes.NewReader(file), func(_ string, columns []string, rows [][]any) error {
			for _, r := range rows {
				if len(r) != len(columns) {
					t.Fatalf("a row of %d values for %d columns", len(r), len(columns))
				}
				for _, v := range r {
					switch v.(type) {
					case nil, string, int64, []byte:
					default:
						t.Fatalf("a value of type %T", v)
					}
				}
			}
			total += int64(len(rows))
			return nil
		})
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%v is not Invalid", err)
			}
			return
		}
		promised := int64(0)
		for _, n := range m.Rows {
			promised += n
		}
		if promised > total {
			t.Fatalf("the manifest speaks of %d rows, %d were read", promised, total)
		}
	})
}

func TestReadArchiveRefusesWhatDoesNotAgree(t *testing.T) {
	entry := [2]string{"item.000001.jsonl", `{"table":"item","columns":["id"]}` + "\n" + `["a"]`}
	for name, file := range map[string][]byte{
		"no manifest":     tarred(t, entry),
		"unlisted entry":  tarred(t, entry, [2]string{manifestName, `{"format":1,"rows":{"item":1}}`}),
		"missing entry":   tarred(t, [2]string{manifestName, `{"format":1,"entries":{"item.000001.jsonl":"x"}}`}),
		"missing rows":    tarred(t, [2]string{manifestName, `{"format":1,"rows":{"item":1}}`}),
		"entry twice":     tarred(t, entry, entry),
		"future format":   tarred(t, [2]string{manifestName, `{"format":2}`}),
		"half a number":   tarred(t, [2]string{"item.1", `{"table":"item","columns":["id"]}` + "\n" + `[1.5]`}),
		"too few values":  tarred(t, [2]string{"item.1", `{"table":"item","columns":["id","x"]}` + "\n" + `[1]`}),
		"another's entry": tarred(t, [2]string{"orders.1", `{"table":"item","columns":["id"]}`}),
	} {
		if _, err := readArchive(bytes.NewReader(file), func(string, []string, [][]any) error { return nil }); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
