package tiktok

import (
	"fmt"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// TestCasesTellUntilWhenAnAnswerIsWanted: messages about requests name no time; the searches do, and say when there is nothing to answer.
func TestCasesTellUntilWhenAnAnswerIsWanted(t *testing.T) {
	s := newShop(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for n := range 60 { // more than a page
		id := s.place(t, s.skus["MUG-1"], 1)
		do(s.Ship(id, fmt.Sprintf("94001000000000000%05d", n), ""))
		do(s.Scan(id))
		do(s.Deliver(id))
		_, err := s.RequestReturn(id, "REFUND", "")
		do(err)
		ids = append(ids, id)
	}
	session := openSession(t, s.harness(t))
	if !session.TellsCases() {
		t.Fatal("this channel tells of none")
	}
	read := func(from time.Time) map[string]order.Fact {
		t.Helper()
		out := map[string]order.Fact{}
		for page, err := range session.CasePages(t.Context(), from) {
			do(err)
			for _, f := range page.Facts {
				if out[f.ExternalID].ExternalID != "" {
					t.Errorf("%s twice", f.ExternalID)
				}
				out[f.ExternalID] = f
			}
		}
		return out
	}
	got := read(time.Time{})
	if len(got) != len(ids) {
		t.Fatalf("%d of %d", len(got), len(ids))
	}
	for _, id := range ids {
		f := got[id]
		if f.Kind != order.ReturnNotice || f.Return.Kind != "refund" || f.Return.Role != order.RoleBuyer {
			t.Fatalf("%+v", f)
		}
		if by := f.Return.AnswerBy.Sub(f.UpdatedAt); by != 48*time.Hour {
			t.Errorf("%s is to be answered within %s", id, by)
		}
		o, _, err := order.Merge(nil, f)
		do(err)
		if !o.ReturnAnswerBy().Equal(f.Return.AnswerBy) {
			t.Errorf("%+v", o.Returns)
		}
	}
	if late := read(time.Now().Add(time.Hour)); len(late) != 0 {
		t.Errorf("%d changed in an hour from now", len(late))
	}
}

func TestACaseThatCannotBeReadIsLeftOut(t *testing.T) {
	for name, next := range map[string][]wireNext{"nothing to do": nil, "without a time": {{}}, "two": {{Deadline: 1_700_000_500}, {Deadline: 1_700_000_000}}} {
		if by := first(next); by.IsZero() == (name == "two") || (name == "two" && by.Unix() != 1_700_000_000) {
			t.Errorf("%s: %s", name, by)
		}
	}
}
