package worlds

import (
	"fmt"
	"strings"
	"time"
)

// Case names one random world: everything else follows. A failing one, shrunk, becomes a line of the regression test.
type Case struct {
	Seed    uint64
	Off     Feature
	Horizon time.Duration // cut off here; 0: as long as the seed says
}

// String is the case as Go source.
func (c Case) String() string {
	var off []string
	for i, name := range featureNames {
		if c.Off&(1<<i) != 0 {
			off = append(off, name)
		}
	}
	return fmt.Sprintf("{Seed: %d, Off: %s, Horizon: %d},", c.Seed, strings.Join(off, "|"), int64(c.Horizon))
}

// Spec makes the world of the case.
func (c Case) Spec() Spec {
	s := Random(c.Seed, c.Off)
	if c.Horizon > 0 && c.Horizon < s.Horizon {
		s.cut(c.Horizon)
	}
	return s
}

// cut ends the world early.
func (s *Spec) cut(horizon time.Duration) {
	s.Horizon = horizon
	for i, a := range s.Arrivals {
		if a.at > horizon {
			s.Arrivals = s.Arrivals[:i]
			break
		}
	}
	for i, c := range s.Changes {
		if c.at > horizon {
			s.Changes = s.Changes[:i]
			break
		}
	}
}

// Shrink looks for a smaller world that fails as well: without features, then shorter. It returns the smallest found
// and its error, or the case itself and nil if it does not fail.
func Shrink(c Case) (Case, error) {
	_, err := Play(c.Spec())
	if err == nil {
		return c, nil
	}
	try := func(smaller Case) bool {
		_, again := Play(smaller.Spec())
		if again != nil {
			c, err = smaller, again
		}
		return again != nil
	}
	for i := range featureNames {
		if f := Feature(1 << i); c.Off&f == 0 {
			try(Case{c.Seed, c.Off | f, c.Horizon})
		}
	}
	whole := c.Spec().Horizon
	for step := whole / 2; step > time.Second; step /= 2 {
		if shorter := whole - step; shorter > 0 && try(Case{c.Seed, c.Off, shorter}) {
			whole = shorter
		}
	}
	return c, err
}
