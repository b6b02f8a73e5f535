package bench

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// shipArrive orders come between two looks: 80 a second.
const shipArrive = 20

// shipBuyers place the orders of a run: what and where is the seed's.
type shipBuyers struct {
	s   *ship
	rnd *rand.Rand
}

func newShipBuyers(s *ship) *shipBuyers { return &shipBuyers{s, world.Stream(s.o.Seed, "buyers")} }

// shares of the shops, in the order they are opened in, of a hundred.
var shares = []int{40, 20, 20, 20}

// come places some more orders. What a shop shows too few of is wanted again later.
func (b *shipBuyers) come() error {
	for range shipArrive {
		if len(b.s.all) == b.s.o.Orders {
			return nil
		}
		c := b.shop()
		lines, split := b.basket(c)
		within := time.Duration(60+b.rnd.IntN(420)) * time.Minute
		o, err := c.place(lines, within)
		if errs.Is(err, errs.Insufficient) {
			return nil
		}
		if err != nil {
			return err
		}
		o.shop, o.split, o.placed = c, split, b.s.clock.Now()
		for _, l := range lines {
			o.units += l.Qty
		}
		b.s.all = append(b.s.all, o)
	}
	return nil
}

func (b *shipBuyers) shop() *shipShop {
	n := b.rnd.IntN(100)
	for i, share := range shares {
		if n -= share; n < 0 {
			return b.s.shops[i]
		}
	}
	return b.s.shops[0]
}

// basket is one item as a rule, else two; split says that they lie in two places.
func (b *shipBuyers) basket(c *shipShop) (lines []stage.Line, split bool) {
	first := b.item(c)
	lines = []stage.Line{{SKU: first, Qty: 1 + b.rnd.IntN(2)}}
	if c.name == "close" || b.rnd.IntN(100) >= 25 { // the shop with close deadlines sells one item at a time
		return lines, false
	}
	second := b.item(c)
	if second == first {
		return lines, false
	}
	lines = append(lines, stage.Line{SKU: second, Qty: 1})
	return lines, !slices.ContainsFunc(placesOf(first), func(p string) bool { return slices.Contains(placesOf(second), p) })
}

// wants are the shares of items: providers allow few calls a second.
var wants = []int{28, 24, 22, 14, 6, 6}

func (b *shipBuyers) item(c *shipShop) string {
	sum := 0
	for i := range c.skus {
		sum += wants[i]
	}
	n := b.rnd.IntN(sum)
	for i := range c.skus {
		if n -= wants[i]; n < 0 {
			return c.skus[i]
		}
	}
	return c.skus[0]
}

func placesOf(item string) []string { return shipItems[item[len(item)-1]-'1'] }
