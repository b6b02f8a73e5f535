package tracking

import "time"

// Heard is a finding in the light of when whoever tells of the parcel was heard last, of it or of anything: zero is never. Silence says something of a
// parcel only where somebody would have told: while its account tells nothing either, the parcel is not stuck but Unheard.
//
// So a silence counts if the account was heard after it was too long, and is not silent for as long itself by now. What was told outright, as that a parcel
// comes back, is no silence and stands.
func (f Finding) Heard(last, at time.Time) Finding {
	silence := f.Due.Sub(f.Since)
	if !f.Stuck || silence <= 0 || last.After(f.Due) && at.Sub(last) <= silence {
		return f
	}
	f.Stuck, f.Unheard = false, true
	if last.IsZero() {
		f.Why += " Its account has told nothing of any parcel yet, so nobody can say whether it is stuck."
	} else {
		f.Why += last.UTC().Format(" Its account has told nothing of any parcel since 2 January 15:04 UTC, so nobody can say whether it is stuck.")
	}
	return f
}
