package tiktok

// limiter counts requests in fixed windows: a second for each endpoint, app and shop, and an hour for each shop. The
// shape of the platform's window is not documented; a fixed one is the most a client can get away with.
type limiter struct {
	perSecond, perHour int
	second, hour       int64
	bySecond           map[string]int
	byHour             map[string]int
}

func newLimiter(perSecond, perHour int) limiter {
	return limiter{perSecond: perSecond, perHour: perHour, bySecond: map[string]int{}, byHour: map[string]int{}}
}

// allow counts one request at a time in Unix seconds and reports whether it is within bounds. Refused requests count
// too.
func (l *limiter) allow(now int64, endpoint, shop string) bool {
	if now != l.second {
		l.second = now
		clear(l.bySecond)
	}
	if h := now / 3600; h != l.hour {
		l.hour = h
		clear(l.byHour)
	}
	key := endpoint + "|" + shop
	l.bySecond[key]++
	l.byHour[shop]++
	return (l.perSecond <= 0 || l.bySecond[key] <= l.perSecond) && (l.perHour <= 0 || l.byHour[shop] <= l.perHour)
}
