package packing_test

import (
	"fmt"

	"github.com/spillway/spillway/domain/packing"
)

func ExamplePack() {
	p, err := packing.Pack(packing.Order{
		Items: []packing.Item{
			{ID: "book", Units: 2, Size: packing.Size{L: 210, W: 148, H: 30}, Grams: 400},
			{ID: "mug", Units: 1, Size: packing.Size{L: 120, W: 100, H: 110}, Grams: 350, Upright: packing.UprightH, Fragile: true},
			{ID: "lamp", Units: 1, Size: packing.Size{L: 1200, W: 200, H: 200}, Grams: 2500},
		},
		Cartons: []packing.Carton{
			{ID: "S", Inner: packing.Size{L: 220, W: 160, H: 120}, Outer: packing.Size{L: 226, W: 166, H: 128}, Grams: 120, MaxGrams: 5000, Cost: usd(35)},
			{ID: "M", Inner: packing.Size{L: 300, W: 220, H: 180}, Outer: packing.Size{L: 308, W: 228, H: 190}, Grams: 210, MaxGrams: 15000, Cost: usd(55)},
		},
		Rules: packing.Rules{Tariff: packing.ByTiers(5_000_000, 0, []packing.Tier{{UpTo: 2000, Price: usd(620)}, {UpTo: 5000, Price: usd(990)}})},
	})
	if err != nil {
		panic(err)
	}
	for _, parcel := range p.Parcels {
		fmt.Printf("carton %s, %d g billed as %d g, %s\n", parcel.Carton, parcel.Grams, parcel.Charge.BilledGrams, parcel.Carrying)
		for i, pl := range parcel.Placements {
			fmt.Printf("%d. %s at %d,%d,%d mm\n", i+1, pl.Item, pl.X, pl.Y, pl.Z)
		}
	}
	fmt.Println("not packed:", p.Unplaced)
	// Output:
	// carton M, 1360 g billed as 2669 g, 10.45 USD
	// 1. book at 0,0,0 mm
	// 2. book at 30,0,0 mm
	// 3. mug at 180,0,0 mm
	// not packed: [{lamp 1 too_large}]
}
