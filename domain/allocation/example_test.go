package allocation_test

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// A listing shows 100 and is told 60: until every sale before the answer is known, it may sell 160.
func Example() {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	book := allocation.NewBook("shop/mug", allocation.Absolute, 100, at, at, at)
	book, _ = book.SalesKnownUntil(at, at) // the first reading's barrier

	push := allocation.Push{ID: "1", Listing: "shop/mug", Kind: allocation.Absolute, Quantity: 60}
	book, _ = book.PushSent(push, at, 30*time.Second)
	fmt.Println("on its way:", book.Exposure)

	answered := at.Add(time.Second)
	book, _ = book.PushConfirmed("1", allocation.Answer{At: answered, ChannelAt: answered})
	fmt.Println("confirmed:", book.Exposure)

	pollBegan := at.Add(2 * time.Second)
	book, _ = book.SalesKnownUntil(pollBegan, at.Add(3*time.Second))
	fmt.Println("barrier reached:", book.Exposure)
	// Output:
	// on its way: 160
	// confirmed: 160
	// barrier reached: 60
}
