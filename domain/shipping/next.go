package shipping

import "time"

// StepKind is something to be done for a parcel.
type StepKind string

const (
	Rest     StepKind = "rest"  // nothing, until Step.At if that is set
	Pack     StepKind = "pack"  // somebody must pack and weigh it
	Book     StepKind = "book"  // have it shipped: buy the label, hand the order to the provider
	Find     StepKind = "find"  // read whether it is booked
	Fetch    StepKind = "fetch" // the label to print
	Tell     StepKind = "tell"  // give the channel the number
	Correct  StepKind = "correct"
	TakeBack StepKind = "void"
	Group    StepKind = "package"      // have one package of the channel hold just what the parcel holds
	Seek     StepKind = "find package" // read whether one does
	Scan     StepKind = "scan"         // somebody must scan a number made elsewhere
	Send     StepKind = "send"         // somebody must send the order to a provider that has no account here
	Enter    StepKind = "enter"        // somebody must enter the number such a provider gives
	Hand     StepKind = "hand over"
	Ask      StepKind = "ask" // a person must look, see Question
)

// Calls reports whether a step of this kind changes something outside, so that it is stored before it is made.
func (k StepKind) Calls() bool {
	return k == Book || k == Tell || k == Correct || k == TakeBack || k == Group
}

// Outside reports whether a step of this kind asks somebody outside.
func (k StepKind) Outside() bool { return k.Calls() || k == Find || k == Fetch || k == Seek }

// Step is what is to be done next, and from when on.
type Step struct {
	Kind StepKind
	At   time.Time // not before; zero: now
}

// Due reports whether the step may be done at a moment.
func (s Step) Due(at time.Time) bool { return s.Kind != Rest && !at.Before(s.At) }

// Next says what is to be done for the parcel. It is a function of what is stored alone, but for the time until which a lost call may still be
// carried out.
func (s *Shipment) Next(at time.Time) Step {
	switch {
	case s.Closed():
		return Step{Kind: Rest}
	case s.Label.unsure():
		return s.look(at)
	case !s.Stopped.IsZero() && !s.Shipped():
		return s.undo(at)
	case s.Package.Wanted && s.Package.Fate != Done && (s.Label.Fate != Done || s.MayPart()):
		return s.group(at)
	case s.Label.Fate != Done:
		return s.book()
	}
	return s.bring(at)
}

// unsure reports whether a call may have been carried out, or may be yet.
func (c *Call) unsure() bool { return c.Fate == Open || c.Fate == Unknown || c.Fate == Waiting }

// look settles a booking whose fate is not known. One that is open belongs to a worker until it cannot be carried out any more, or until it is
// found: reading is free.
func (s *Shipment) look(at time.Time) Step {
	from := s.Label.After
	if s.Label.Fate == Open {
		from = s.Label.free(at)
	}
	return Step{Kind: Find, At: from}
}

// CallTime is how long a call may take from Begin to its answer. Who makes it gives up then, and nobody else looks before.
const CallTime = time.Minute

// free is when somebody else may take over from the worker that waits for an answer.
func (c *Call) free(at time.Time) time.Time {
	if over := c.At.Add(CallTime); at.Before(over) {
		return over
	}
	return c.After
}

// group is done before anybody packs: a parcel whose units the channel has in another package cannot ship as it is. What a provider sent in several is
// grouped before the channel is told their numbers.
func (s *Shipment) group(at time.Time) Step {
	p := &s.Package
	switch {
	case p.Stuck:
		return Step{Kind: Ask}
	case p.Fate == Open:
		return Step{Kind: Seek, At: p.free(at)}
	case p.Fate == Unknown:
		return Step{Kind: Seek, At: p.After}
	}
	return Step{Kind: Group, At: p.After}
}

func (s *Shipment) book() Step {
	switch {
	case s.ByPerson():
		return Step{Kind: Send}
	case s.Way == ByHand:
		if s.Box == nil {
			return Step{Kind: Pack}
		}
		return Step{Kind: Scan}
	case s.Box == nil && s.Way != ByProvider:
		return Step{Kind: Pack}
	case s.Label.Stuck:
		return Step{Kind: Ask}
	}
	return Step{Kind: Book, At: s.Label.After}
}

// undo takes back what is paid for. Asked again, a void answers the same.
func (s *Shipment) undo(at time.Time) Step {
	switch {
	case s.Way == ByHand:
		return Step{Kind: Rest} // it was bought elsewhere, and is taken back there
	case s.ByPerson():
		return Step{Kind: Ask}
	case s.Void.Stuck:
		return Step{Kind: Ask}
	case s.Void.Fate == Open:
		return Step{Kind: TakeBack, At: s.Void.free(at)}
	}
	return Step{Kind: TakeBack, At: s.Void.After}
}

// bring is what a parcel with a label needs: its document, then that the channel knows, then somebody who hands it over.
func (s *Shipment) bring(at time.Time) Step {
	fetch, tell := s.fetch(), s.tell(at)
	switch {
	case fetch.Due(at):
		return fetch
	case tell.Due(at):
		return tell
	case fetch.Kind != Rest && (tell.Kind == Rest || fetch.At.Before(tell.At)):
		return fetch
	case tell.Kind != Rest:
		return tell
	case s.Question() != "":
		return Step{Kind: Ask}
	case s.ByPerson() && s.Label.Tracking == "":
		return Step{Kind: Enter}
	case !s.Shipped() && s.Way != ByProvider:
		return Step{Kind: Hand}
	}
	return Step{Kind: Rest}
}

// fetch says whether a label is to be printed that is not here.
func (s *Shipment) fetch() Step {
	printed := s.Way == ByPlatform || s.Way == ByCarrier
	if !printed || s.Label.Document != "" || s.Shipped() || s.Label.Fetch.Stuck {
		return Step{Kind: Rest}
	}
	return Step{Kind: Fetch, At: s.Label.Fetch.After}
}

// tell says whether the channel knows less than it must. A platform that made the label knows the number. Told again, it answers like the first time.
func (s *Shipment) tell(at time.Time) Step {
	t := &s.Tell
	if s.Way == ByPlatform || s.Label.Tracking == "" || t.Tracking == s.Label.Tracking || t.Stuck || t.Along {
		return Step{Kind: Rest}
	}
	step := Step{Kind: Tell, At: t.After}
	if t.Tracking != "" {
		step.Kind = Correct
	}
	if t.Fate == Open {
		step.At = t.free(at)
	}
	return step
}
