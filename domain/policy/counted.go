package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// lateBy are the ways in which a late dispatch rate tells late orders, as a person writes them.
var lateBy = map[string]struct {
	test   Test
	anchor Moment
}{"when arranged": {ReadyLate, AtReady}, "when scanned": {HandedOverLate, AtHandedOver}}

// Counted is the rate counted in another way, as a person writes it in parts with commas between them: "14 days" is its window, "2 days ago" its last
// day, "when arranged" or "when scanned" what makes an order late, "fewer than 6 business days" what is on time, "without sample and replacement" what
// does not count at all, of which "without any" leaves nothing out. What is not written stays. The error says what cannot be.
func (r Rate) Counted(text string) (Rate, error) {
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		if err := r.count(strings.Join(strings.Fields(part), " ")); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *Rate) count(part string) error {
	if by, ok := lateBy[part]; ok && (r.Test == ReadyLate || r.Test == HandedOverLate) {
		r.Test, r.Anchor = by.test, by.anchor
		return nil
	}
	if list, ok := strings.CutPrefix(part, "without "); ok {
		return r.without(list)
	}
	if n, ok := numbered(part, "fewer than ", " business day"); ok && r.Test == DeliveredWithin {
		r.Within = n
		return nil
	}
	if n, ok := numbered(strings.TrimSuffix(strings.TrimPrefix(part, "up to "), " ago"), "", " day"); ok {
		if strings.HasSuffix(part, " ago") {
			r.Lag = n
		} else {
			r.Days = n
		}
		return nil
	}
	return fmt.Errorf("%q is no way of counting this rate: write such as 14 days, 2 days ago, when arranged, when scanned, or without sample", part)
}

func numbered(part, lead, unit string) (int, bool) {
	rest, led := strings.CutPrefix(part, lead)
	rest, is := strings.CutSuffix(strings.TrimSuffix(rest, "s"), unit)
	n, err := strconv.Atoi(rest)
	return n, led && is && err == nil && n >= 0
}

func (r *Rate) without(list string) error {
	r.Exclude = nil
	if list == "any" {
		return nil
	}
	for word := range strings.SplitSeq(list, " and ") {
		c := Class(strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(word), "s"), " ", "_"))
		if !slices.Contains([]Class{ByPlatform, PlatformLabel, Sample, Replacement, PreOrder}, c) {
			return fmt.Errorf("%q is no kind of order: leave out platform fulfilled, platform label, sample, replacement or pre order", word)
		}
		if !slices.Contains(r.Exclude, c) {
			r.Exclude = append(r.Exclude, c)
		}
	}
	return nil
}
