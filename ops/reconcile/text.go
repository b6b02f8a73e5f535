package reconcile

import (
	"fmt"
	"strings"

	compare "github.com/spillway/spillway/domain/reconcile"
)

// maxShown lines of a section are written for people; all are in the CSV.
const maxShown = 50

// causeTexts say what each cause means, in the words of the report.
var causeTexts = map[compare.Cause]string{
	compare.Agree: "both sides agree", compare.NotTold: "the files do not say how the channel counts them", compare.UnknownHere: "not known here",
	compare.NotRead: "known here by a notice only", compare.NotInFile: "not in the channel's file", compare.TimeDiffers: "a time differs",
	compare.DeadlineDiffers: "the deadline differs", compare.CancelDiffers: "cancelled on one side only", compare.FaultDiffers: "the cancellation is laid at another door",
	compare.TrackingDiffers: "the tracking differs", compare.SeveralDiffer: "several facts together differ", compare.ClassDiffers: "orders of a class one side leaves out",
	compare.OtherDefinition: "counted as on other days", compare.OtherDay: "counted on another day", compare.NotJudged: "not judged here",
	compare.Unexplained: "unexplained", compare.NoRule: "no rule is known for these days", compare.OutsidePeriods: "in no period compared",
}

// CauseText says what a cause means.
func CauseText(c compare.Cause) string { return causeTexts[c] }

// Text is the report for people.
func Text(r compare.Report, all bool) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, s := range r.Sections {
		say("")
		say("%s, %s to %s", strings.ToUpper(string(s.Metric)), s.From, s.To)
		if s.RateID == "" {
			say("  our rules do not say how it is counted on these days")
		} else {
			say("  ours    %s", fraction(s.Ours.Num, s.Ours.Den))
		}
		if f := s.Theirs; f != nil {
			say("  theirs  %s", theirs(f))
		}
		for _, c := range s.Causes {
			say("  %6d %s", c.N, CauseText(c.Cause))
		}
		if s.Residual != nil && *s.Residual != 0 {
			say("  %+6d orders against the shop that no list of the channel names", -*s.Residual)
		}
		shown := 0
		for _, l := range s.Lines {
			if l.Cause == compare.Agree && !all {
				continue
			}
			if shown++; shown > maxShown {
				say("    and %d more; --csv writes all", len(s.Lines)-maxShown)
				break
			}
			say("    %s", sentence(l))
		}
	}
	if len(r.Outside) > 0 {
		say("")
		say("%d rows and entries of the files are in none of these periods", len(r.Outside))
	}
	return b.String()
}

func sentence(l compare.Line) string {
	s := fmt.Sprintf("%s: %s here, %s there: %s", l.OrderID, words(l.Ours), words(l.Theirs), CauseText(l.Cause))
	if l.Field != "" {
		s += " (" + l.Field + ")"
	}
	if l.OursValue+l.TheirsValue != "" {
		s += fmt.Sprintf(", %q here, %q there", l.OursValue, l.TheirsValue)
	}
	if l.Minutes != 0 {
		s += fmt.Sprintf(", %+d minutes", l.Minutes)
	}
	return s
}

func words(s compare.Side) string { return strings.ReplaceAll(string(s), "_", " ") }

func fraction(num, den int64) string {
	if den == 0 {
		return "nothing counted"
	}
	return fmt.Sprintf("%.2f %% (%d of %d)", 100*float64(num)/float64(den), num, den)
}

func theirs(f *compare.Figure) string {
	if f.Den > 0 {
		return fraction(f.Num, f.Den)
	}
	return f.Share.String()
}
