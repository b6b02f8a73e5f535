package storybook

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// TrackToken is the one parcel whose page can be seen.
const TrackToken = "p1.5f1c9e"

var carrierKinds = []view.CarrierKind{
	{Name: "postbroker", Title: "Postbroker", Docs: "docs/connectors/postbroker.md", Can: []string{"quote", "void", "pdf", "tracking events"}, Settings: []view.Setting{
		{Name: "api_key", Help: "The production key of your account.", Required: true, Secret: true},
		{Name: "mode", Help: "live or test.", Default: "test"}}},
	{Name: "packhouse", Title: "Packhouse", Docs: "docs/connectors/packhouse.md", Can: []string{"stock", "tracking events"}, Keeps: true, Unsigned: true, Settings: []view.Setting{
		{Name: "token", Help: "A personal access token.", Required: true, Secret: true}}},
}

// openAccounts gives the shop an account that works and one that does not.
func (b *Book) openAccounts() {
	at := b.now()
	call := func(ago time.Duration, op string, status int, why string) view.Exchange {
		return view.Exchange{At: at.Add(-ago), Operation: op, Status: status, RequestID: "rq-" + op, Took: 180 * time.Millisecond, Err: why}
	}
	failed := call(2*time.Minute, "parcels", 401, "The token is not accepted any more.")
	b.carriers = []view.CarrierAccount{
		{ID: "acc-1", Carrier: "postbroker", Title: "Postbroker", Name: "Postbroker Berlin", CreatedBy: "lena@nordlicht.example", CreatedAt: at.Add(-90 * 24 * time.Hour),
			Settings:   []view.Input{{Name: "api_key", Value: "sealed"}, {Name: "mode", Value: "live"}},
			WebhookURL: "https://ops.nordlicht.example/hooks/postbroker/acc-1", Nodes: []string{"Berlin"}, State: "answers", Level: view.Good,
			Requests: []view.Exchange{call(30*time.Second, "book", 200, ""), call(31*time.Second, "quote", 200, "")}},
		{ID: "acc-2", Carrier: "packhouse", Title: "Packhouse", Name: "Packhouse Ohio", CreatedBy: "lena@nordlicht.example", CreatedAt: at.Add(-20 * 24 * time.Hour), Unsigned: true,
			Settings: []view.Input{{Name: "token", Value: "sealed"}}, WebhookURL: "https://ops.nordlicht.example/hooks/packhouse/acc-2", State: "fails", Level: view.Bad,
			Requests: []view.Exchange{failed}, Errors: []view.Exchange{failed}},
	}
}

// Carriers lists the accounts.
func (b *Book) Carriers(context.Context) (view.Carriers, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Carriers{}, err
	}
	defer unlock()
	return view.Carriers{At: b.now(), Accounts: slices.Clone(b.carriers), Kinds: carrierKinds}, nil
}

// AddCarrier keeps an account.
func (b *Book) AddCarrier(_ context.Context, d view.CarrierDraft) (view.CarrierAccount, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(carrierKinds, func(k view.CarrierKind) bool { return k.Name == d.Carrier })
	if i < 0 {
		return view.CarrierAccount{}, errs.New(errs.NotFound, "storybook.AddCarrier", d.Carrier, "No carrier is called %s.", d.Carrier)
	}
	a := view.CarrierAccount{ID: id.New(), Carrier: d.Carrier, Title: carrierKinds[i].Title, Name: d.Name, CreatedBy: d.Actor, CreatedAt: b.now(), State: "not used yet", Level: view.Quiet}
	a.WebhookURL = "https://ops.nordlicht.example/hooks/" + a.Carrier + "/" + a.ID
	for _, s := range carrierKinds[i].Settings {
		if s.Secret {
			a.Settings = append(a.Settings, view.Input{Name: s.Name, Value: "sealed"})
		} else {
			a.Settings = append(a.Settings, view.Input{Name: s.Name, Value: d.Settings[s.Name]})
		}
	}
	b.carriers = append(b.carriers, a)
	return a, nil
}

// PreviewCarrierEnd says what would end.
func (b *Book) PreviewCarrierEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.carriers {
		if a.ID == id {
			return view.Preview{Sentence: "The account " + a.Name + " is removed.", Undo: "There is no undo: its secrets are forgotten.",
				Changes: []view.Change{{What: a.Title + " account " + a.Name, From: "in use", To: "removed", Level: view.Watch}}}, nil
		}
	}
	return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewCarrierEnd", id, "There is no such account any more.")
}

// RemoveCarrier ends an account.
func (b *Book) RemoveCarrier(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.carriers = slices.DeleteFunc(b.carriers, func(a view.CarrierAccount) bool { return a.ID == id })
	return view.Done{Sentence: "The account is removed and its secrets are forgotten."}, nil
}

// Track shows the one parcel there is.
func (b *Book) Track(_ context.Context, token string) (view.Track, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Track{}, err
	}
	defer unlock()
	if token != TrackToken {
		return view.Track{}, errs.New(errs.NotFound, "storybook.Track", "", "There is no parcel under this address.")
	}
	at := b.now()
	return view.Track{Status: "On its way", Detail: "Your parcel is on its way.", Level: view.Good, Carrier: "United States Postal Service", Number: "9400111899223197428497",
		URL: "https://tools.usps.com/go/TrackConfirmAction?tLabels=9400111899223197428497", Units: 2, Expected: view.Day(at.AddDate(0, 0, 2).Format(time.DateOnly)), Zone: "America/Los_Angeles",
		Scans: []view.TrackScan{{At: at.Add(-5 * time.Hour), What: "On its way", Place: "Salt Lake City UT Distribution Center"}, {At: at.Add(-20 * time.Hour), What: "Taken in by the carrier", Place: "Reno NV"},
			{At: at.Add(-26 * time.Hour), What: "Label made"}}}, nil
}
