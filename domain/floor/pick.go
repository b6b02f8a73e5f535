package floor

import (
	"cmp"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Feed is a parcel that a task feeds.
type Feed struct {
	Parcel string    `json:"parcel"`
	Qty    int64     `json:"qty"`
	Due    time.Time `json:"due,omitzero"`
}

// Task is one item to be taken out of one bin.
type Task struct {
	Bin    string `json:"bin,omitzero"`
	Item   string `json:"item"`
	Feeds  []Feed `json:"feeds"` // those due first in front
	Picked int64  `json:"picked,omitzero"`
	Short  bool   `json:"short,omitzero"` // the bin is empty: nothing more comes of it
	Lacked int64  `json:"lacked,omitzero"`
}

// Tasks is the walk of a wave: a task for each bin and item, in the order of bins; items without a bin come last.
func Tasks(parcels []Parcel, bin func(item string) string) []Task {
	at := map[[2]string]int{}
	var out []Task
	ps := slices.Clone(parcels)
	slices.SortFunc(ps, byDue)
	for _, p := range ps {
		for _, n := range p.Needs {
			k := [2]string{bin(n.Item), n.Item}
			i, seen := at[k]
			if !seen {
				i = len(out)
				at[k] = i
				out = append(out, Task{Bin: k[0], Item: n.Item})
			}
			out[i].Feeds = append(out[i].Feeds, Feed{p.ID, n.Qty, p.Due})
		}
	}
	slices.SortFunc(out, func(a, b Task) int {
		none := func(t Task) int { return map[bool]int{true: 1}[t.Bin == ""] }
		return cmp.Or(none(a)-none(b), cmp.Compare(a.Bin, b.Bin), cmp.Compare(a.Item, b.Item))
	})
	return out
}

// Qty is how many units its parcels need.
func (t *Task) Qty() (n int64) {
	for _, f := range t.Feeds {
		n += f.Qty
	}
	return n
}

// Left is how many are still to be picked.
func (t *Task) Left() int64 {
	if t.Short {
		return 0
	}
	return max(0, t.Qty()-t.Picked)
}

// Surplus is how many were picked that no parcel needs any more: they are put back.
func (t *Task) Surplus() int64 { return max(0, t.Picked-t.Qty()) }

// Pick takes n units. Errors: Invalid (none, or more than are to be picked).
func (t *Task) Pick(n int64) error {
	if n < 1 || n > t.Left() {
		return errs.New(errs.Invalid, "floor.Pick", t.Item, "%d are still to be picked here, not %d", t.Left(), n)
	}
	t.Picked += n
	return nil
}

// Run says that the bin holds no more. What was picked serves whole parcels, those due first in front; the rest lack and are returned. Those
// go nowhere: neither they nor the units they lack are picked for anybody any more.
func (t *Task) Run() (lacking []Feed) {
	missing := t.Left()
	if missing == 0 {
		return nil
	}
	have, keep := t.Picked, t.Feeds[:0:0]
	for _, f := range t.Feeds {
		if f.Qty <= have {
			have -= f.Qty
			keep = append(keep, f)
		} else {
			lacking = append(lacking, f)
		}
	}
	t.Feeds, t.Short, t.Lacked = keep, true, t.Lacked+missing
	return lacking
}

// Divide feeds another parcel with what a parcel does not keep of a task. It returns how many the parcel does.
func (t *Task) Divide(parcel, other string, keep int64) (kept int64) {
	i := slices.IndexFunc(t.Feeds, func(f Feed) bool { return f.Parcel == parcel })
	if i < 0 {
		return 0
	}
	f := t.Feeds[i]
	kept = min(keep, f.Qty)
	two := make([]Feed, 0, 2)
	if kept > 0 {
		two = append(two, Feed{parcel, kept, f.Due})
	}
	if kept < f.Qty {
		two = append(two, Feed{other, f.Qty - kept, f.Due})
	}
	t.Feeds = slices.Replace(slices.Clone(t.Feeds), i, i+1, two...)
	return kept
}

// Drop leaves a parcel out that is not packed in this wave any more. Reports whether it was fed.
func (t *Task) Drop(parcel string) bool {
	n := len(t.Feeds)
	t.Feeds = slices.DeleteFunc(t.Feeds, func(f Feed) bool { return f.Parcel == parcel })
	return len(t.Feeds) < n
}
