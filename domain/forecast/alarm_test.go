package forecast

import (
	"testing"
	"time"
)

func TestAlarmNeedsTwoInARowAndStaysUntilItIsOver(t *testing.T) {
	var a Alarm
	for i, step := range []struct {
		chance float64
		on     bool
	}{{.9, false}, {.6, false}, {.7, false}, {.7, true}, {.5, true}, {.3, true}, {.4, true}, {.3, true}, {.349, false}, {.8, false}, {.8, true}} {
		at := at0.Add(time.Duration(i) * time.Hour)
		before := a.On
		a = BreachAlarm.Next(a, at, step.chance)
		if a.On != step.on {
			t.Errorf("step %d: %v", i, a)
		}
		if a.On != before && !a.Since.Equal(at) {
			t.Errorf("step %d: since %v", i, a.Since)
		}
	}
}
