package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestSealIsBoundToPlaceAndKeySurvivesRotation(t *testing.T) {
	first := NewKey()
	old, err := Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	sealed := old.Seal("app/secret/a", []byte("s3cret"))
	if bytes.Contains(sealed, []byte("s3cret")) {
		t.Fatal("the secret is readable")
	}
	rotated, err := Parse(first + "\n# newer\n" + NewKey() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rotated.Open("app/secret/a", sealed); err != nil || string(got) != "s3cret" {
		t.Fatalf("after rotation: %q, %v", got, err)
	}
	if rotated.Current(sealed) || !rotated.Current(rotated.Seal("x", nil)) {
		t.Error("Current must tell old from new")
	}
	if _, err := rotated.Open("app/secret/b", sealed); err == nil {
		t.Error("a value moved to another place must not open")
	}
	if old.Pseudonym("buyer") != rotated.Pseudonym("buyer") || old.Pseudonym("buyer") == old.Pseudonym("another") {
		t.Error("a pseudonym must survive rotation and differ by id")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := old.Open("app/secret/a", bad); err == nil {
			t.Fatalf("byte %d changed and it still opens", i)
		}
	}
	stranger, _ := Parse(NewKey())
	if _, err := stranger.Open("app/secret/a", sealed); err == nil {
		t.Error("another ring must not open it")
	}
}

func TestLoadMakesAKeyFileOnceForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	a, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	b, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open("p", a.Seal("p", []byte("x"))); err != nil || string(got) != "x" {
		t.Errorf("second load: %q, %v", got, err)
	}
	if _, err := Parse("nonsense"); err == nil {
		t.Error("a broken key file must be refused")
	}
}
