package web

import (
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/ops/view"
)

func packedCarton() view.Carton {
	return view.Carton{Name: "M <lined>", L: 300, W: 220, H: 180, Units: []view.CartonUnit{
		{Name: "Cook book & apron", Item: 0, X: 0, Y: 0, Z: 0, L: 210, W: 148, H: 30},
		{Name: "Cook book & apron", Item: 0, X: 0, Y: 0, Z: 30, L: 210, W: 148, H: 30},
		{Name: "Kettle", Item: 1, X: 0, Y: 0, Z: 60, L: 140, W: 140, H: 110},
		{Name: "Tea tin", Item: 2, X: 215, Y: 0, Z: 0, L: 80, W: 80, H: 120},
		{Name: "Tea tin", Item: 2, X: 215, Y: 80, Z: 0, L: 80, W: 80, H: 120},
		{Name: "Whisk", Item: 3, X: 0, Y: 150, Z: 0, L: 290, W: 60, H: 50},
		{Name: "Card", Item: 4, X: 140, Y: 0, Z: 60, L: 70, W: 148, H: 3},
	}}
}

func TestCartonPicture(t *testing.T) {
	for name, step := range map[string]int{"testdata/carton.svg": 0, "testdata/carton_step3.svg": 3} {
		c := packedCarton()
		c.Step = step
		got := cartonSVG(c)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (UPDATE_GOLDEN=1 go test ./web -run CartonPicture writes it anew):\n%s", name, d)
		}
	}
}

func TestCartonStepsSayWhere(t *testing.T) {
	c := packedCarton()
	c.Step = 3
	got := cartonSteps(c)
	want := []string{
		"1. Cook book & apron: 210 mm from left to right, 148 to the back, 30 high; front left, on the bottom.",
		"2. Cook book & apron: 210 mm from left to right, 148 to the back, 30 high; front left, 30 mm up.",
		"3. Kettle: 140 mm from left to right, 140 to the back, 110 high; front left, 60 mm up.",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if title := cartonTitle(c); !strings.HasSuffix(title, "with 3 of 7 units in it; now: Kettle") {
		t.Error(title)
	}
}

// TestCartonPictureIsWhole: whatever is packed, the picture is well-formed, holds nothing outside its frame and draws what is behind first.
func TestCartonPictureIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := view.Carton{Name: rapid.String().Draw(t, "name"), L: 10, W: 10, H: rapid.IntRange(1, 40).Draw(t, "h")}
		for x := range 3 { // a grid of units, each of any size within its cell, so that none overlap
			for y := range 3 {
				n := rapid.IntRange(0, 3).Draw(t, "edge")
				if n > 0 {
					c.Units = append(c.Units, view.CartonUnit{Name: rapid.String().Draw(t, "item"), Item: x + y, X: 3 * x, Y: 3 * y, L: n, W: n, H: min(n, c.H)})
				}
			}
		}
		c.Step = rapid.IntRange(0, 10).Draw(t, "step")
		svg := cartonSVG(c)
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
		drawing := newCartonDrawing(c)
		at := make([]int, len(drawing.units))
		for place, i := range drawing.order {
			at[i] = place
		}
		for i, u := range drawing.units {
			for _, f := range drawing.faces(u) {
				for _, p := range f {
					if p.x < 0 || p.x > cartonWidth || p.y < 0 || p.y > drawing.height {
						t.Fatalf("unit %d reaches %v outside %d × %v", i, p, cartonWidth, drawing.height)
					}
				}
			}
			for j, v := range drawing.units {
				if v.X+v.L <= u.X && v.Y >= u.Y+u.W && at[j] > at[i] {
					t.Fatalf("unit %d, left of and behind %d, is drawn after it", j, i)
				}
			}
		}
	})
}
