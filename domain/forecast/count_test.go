package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func draw(t *rapid.T, kinds int) term {
	q := rapid.Float64Range(0, 1).Draw(t, "q")
	x := term{count: 1, p: q * rapid.Float64Range(0, 1).Draw(t, "p"), q: q}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 1:
		x.q, x.counted = 0, true
	case 2:
		x.future, x.count = true, rapid.Float64Range(0, 1.5).Draw(t, "mean")
	}
	return x
}

// TestFewOrdersAreExact sums over every way in which a few orders can go.
func TestFewOrdersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c cell
		var terms []term
		for range rapid.IntRange(0, 8).Draw(t, "orders") {
			x := draw(t, 2)
			terms = append(terms, x)
			c.put(x)
		}
		want := map[[2]int]float64{}
		var walk func(i, n, d int, p float64)
		walk = func(i, n, d int, p float64) {
			if i == len(terms) {
				want[[2]int{n, d}] += p
				return
			}
			x := terms[i]
			if x.counted {
				walk(i+1, n+1, d, p*x.p)
				walk(i+1, n, d, p*(1-x.p))
				return
			}
			walk(i+1, n+1, d+1, p*x.p)
			walk(i+1, n, d+1, p*(x.q-x.p))
			walk(i+1, n, d, p*(1-x.q))
		}
		walk(0, 0, 0, 1)
		g, sum := c.exact(), 0.0
		for n := range g {
			for d, p := range g[n] {
				sum += p
				if math.Abs(p-want[[2]int{n, d}]) > 1e-12 {
					t.Fatalf("N=%d D=%d: %v, want %v", n, d, p, want[[2]int{n, d}])
				}
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("sum %v", sum)
		}
	})
}

// TestExactMeansAreTheCumulants ties the two ways of computing together, expected orders included.
func TestExactMeansAreTheCumulants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c cell
		for range rapid.IntRange(1, 6).Draw(t, "orders") {
			c.put(draw(t, 3))
		}
		if c.many {
			t.Skip("many")
		}
		var n, d, nn, nd, dd, sss float64
		const r = 0.1
		g := c.exact()
		for i := range g {
			for j, p := range g[i] {
				x, y := float64(i), float64(j)
				n, d, nn, nd, dd = n+p*x, d+p*y, nn+p*x*x, nd+p*x*y, dd+p*y*y
			}
		}
		for i := range g {
			for j, p := range g[i] {
				sss += p * math.Pow(float64(i)-n-r*(float64(j)-d), 3)
			}
		}
		third := c.nnn - 3*r*c.nnd + 3*r*r*c.ndd - r*r*r*c.ddd
		for _, x := range [][2]float64{{n, c.n}, {d, c.d}, {nn - n*n, c.nn}, {nd - n*d, c.nd}, {dd - d*d, c.dd}, {sss, third}} {
			if math.Abs(x[0]-x[1]) > 1e-3 {
				t.Fatalf("%v, want %v", x[0], x[1])
			}
		}
	})
}

// TestManyOrdersAreNearlyExact measures what the normal with skewness is wrong by, against a full table of N and D.
func TestManyOrdersAreNearlyExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	worst := map[int]float64{}
	cases := 120
	if testing.Short() {
		cases = 20
	}
	for range cases {
		size := []int{30, 100, 300}[rng.IntN(3)]
		share, inside := []float64{.02, .1, .3}[rng.IntN(3)], rng.Float64()
		var c cell
		table := [][]float64{{1}}
		for range size {
			q := unit(inside + 0.4*(rng.Float64()-.5))
			x := term{count: 1, q: q, p: q * unit(share*2*rng.Float64())}
			c.put(x)
			table = fold(table, x)
		}
		for _, r := range []float64{.02, .04, .1, .2, .4} {
			exact := 0.0
			for n := range table {
				for d, p := range table[n] {
					if float64(n) > r*float64(d)+1e-9 {
						exact += p
					}
				}
			}
			worst[size] = max(worst[size], math.Abs(c.above(0, 0, r)-exact))
		}
	}
	t.Logf("largest error of a chance: 30 orders %.3f, 100 orders %.3f, 300 orders %.3f", worst[30], worst[100], worst[300])
	if worst[30] > .12 || worst[100] > .04 || worst[300] > .03 {
		t.Errorf("too far: %v", worst)
	}
}

func fold(old [][]float64, x term) [][]float64 {
	out := make([][]float64, len(old)+1)
	for n := range out {
		out[n] = make([]float64, len(old)+1)
	}
	for n := range old {
		for d, p := range old[n] {
			out[n][d] += p * (1 - x.q)
			out[n][d+1] += p * (x.q - x.p)
			out[n+1][d+1] += p * x.p
		}
	}
	return out
}

func TestExactlyOnTheLimitIsInside(t *testing.T) {
	var c cell
	for range 40 {
		c.put(term{count: 1, p: 0, q: 1})
	}
	if p := c.above(4, 0, 0.1); p != 0 {
		t.Errorf("4 of 40 is above 10 %% with %v", p)
	}
	if p := c.above(5, 0, 0.1); p != 1 {
		t.Errorf("5 of 40 is above 10 %% with %v", p)
	}
	if p := c.below(32, 0, 0.8); p != 0 {
		t.Errorf("32 of 40 is below 80 %% with %v", p)
	}
	if p := c.below(31, 0, 0.8); p != 1 {
		t.Errorf("31 of 40 is below 80 %% with %v", p)
	}
}
