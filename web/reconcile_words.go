package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/spillway/spillway/ops/view"
)

// theirCounts are the channel's own counts; empty: it told none.
func theirCounts(r view.Reconciled) string {
	if r.TheirDen <= 0 {
		return ""
	}
	return num(r.TheirNum) + " of " + num(r.TheirDen)
}

// daysText is the days a figure counts.
func daysText(ctx context.Context, r view.Reconciled) string {
	now := clockOf(ctx).now
	if r.From == "" || r.From == r.Day {
		return dayText(now, r.Day)
	}
	return dayText(now, r.From) + " to " + dayText(now, r.Day)
}

// unnamedText says what the counts of the two sides leave over.
func unnamedText(n int64) string {
	if n > 0 {
		return "they count " + num(n) + " more against the shop that their files do not name"
	}
	return "we count " + num(-n) + " more against the shop than they do, and their files do not tell which"
}

// gaugeDiffers says beside a gauge that the channel counts otherwise.
func gaugeDiffers(r view.Reconciled) string {
	if r.Differ > 0 {
		return count(r.Differ, "order differs", "orders differ")
	}
	return "why it differs"
}

// becauseText is why orders differ, most frequent first.
func becauseText(r view.Reconciled) string {
	if r.NoRule {
		return "our rules do not say how it is counted on these days"
	}
	var parts []string
	for _, c := range r.Explained {
		parts = append(parts, num(c.N)+" "+c.Label)
	}
	return strings.Join(parts, "; ")
}

// uploadText is how much is taken at once.
const uploadText = "64 MiB"

// fileText says what became of the rows of a file, whose rows were taken or only could have been.
func fileText(f view.ReconciledFile, taken bool) string {
	right := "right"
	if taken {
		right = "taken"
	}
	parts := []string{count(int64(f.Rows), "row", "rows")}
	if f.Kind != "" {
		parts[0] += " of " + f.Kind
	}
	for _, x := range []struct {
		n    int
		what string
	}{{f.Taken, right}, {f.Wrong, "wrong"}, {f.Blank, "blank"}, {f.Describe, "explaining the columns"}} {
		if x.n > 0 {
			parts = append(parts, strconv.Itoa(x.n)+" "+x.what)
		}
	}
	for _, o := range f.Others {
		parts = append(parts, num(o.N)+" of “"+o.Label+"”, which is not compared")
	}
	text := strings.Join(parts, ", ") + "."
	if n := len(f.Unread); n > 0 {
		const most = 8
		list := f.Unread[:min(n, most)]
		text += " Columns that were not read: " + strings.Join(list, ", ")
		if n > most {
			text += " and " + strconv.Itoa(n-most) + " more"
		}
		text += "."
	}
	return text
}

// sideLevel marks the side that counts an order against the shop.
func sideLevel(side string) string {
	if side == "against the shop" {
		return string(view.Bad)
	}
	return ""
}
