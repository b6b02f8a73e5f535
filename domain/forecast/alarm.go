package forecast

import "time"

// AlarmRule says when a chance is worth an alarm: when it was at least On at Sustain evaluations in a row. It ends when the chance was below Off at
// as many. Between the two nothing changes, so that a chance around one threshold does not ring all day.
type AlarmRule struct {
	On, Off float64
	Sustain int
}

// BreachAlarm is the rule for Forecast: the chance that the rate passes the limit of enforcement on some day up to the last (Ever). A spike takes that
// chance to 1 within hours and the rate over its limit only days later, so the threshold can be high and the nights quiet:
// docs/decisions/forecast.md has what it catches and how often it is wrong.
var BreachAlarm = AlarmRule{On: 0.7, Off: 0.35, Sustain: 2}

// Alarm is the state of one rule for one metric of one shop. The zero Alarm is silent.
type Alarm struct {
	On    bool
	Since time.Time // of the last change of On
	Run   int       // evaluations in a row that speak for a change
}

// Next is the state after an evaluation at a moment. It has just been raised if it is on and the one before was not.
func (r AlarmRule) Next(a Alarm, at time.Time, chance float64) Alarm {
	change := chance >= r.On
	if a.On {
		change = chance < r.Off
	}
	if !change {
		a.Run = 0
		return a
	}
	if a.Run++; a.Run < r.Sustain {
		return a
	}
	return Alarm{On: !a.On, Since: at}
}
