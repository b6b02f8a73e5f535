package tracking_test

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/tracking"
)

func ExampleRecognise() {
	for _, m := range tracking.Recognise("]C142010282000092612 90113185417468510") {
		fmt.Println(m.Name, m.Number, m.Service, "proved:", m.Proved)
	}
	// Output:
	// USPS 9261290113185417468510 Parcel Select proved: true
	// FedEx 13185417468510  proved: true
}

func ExampleParcel_State() {
	at := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	p, _ := tracking.NewParcel("usps", "9400 1112 0620 6406 2607 87")
	p, _ = p.Add(
		tracking.Event{At: at.Add(48 * time.Hour), Status: tracking.Delivered},
		tracking.Event{At: at.Add(20 * time.Hour), Status: tracking.InTransit}, // told late
		tracking.Event{At: at.Add(-9 * time.Hour), Status: tracking.LabelCreated},
	)
	s := p.State()
	fmt.Println(s.Status, s.LabelAt.Format(time.DateTime), s.ScannedAt.Format(time.DateTime))
	// Output: delivered 2026-11-23 09:00:00 2026-11-24 14:00:00
}

func ExampleWatch() {
	fetched := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	p, _ := tracking.NewParcel("ups", "1Z5R89390357567127")
	f, _ := tracking.Watch(p, fetched, tracking.Lane{}, tracking.UsualPatience, fetched.Add(30*time.Hour))
	fmt.Println(f.Trouble, f.Stuck, f.Why)
	// Output: no_first_scan true It was fetched on 23 November 18:00 UTC, and the carrier has not scanned it.
}
