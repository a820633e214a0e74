package units

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseBytes reads a number of bytes, rounded down: a decimal number such as
// "1.5", followed by nothing or a unit. K or KiB is 1024 bytes, kB or KB 1000,
// and so on with M, G, T, P and E, in upper or lower case. It returns false for
// anything else, and for 2^63 bytes and more.
func ParseBytes(s string) (n int64, ok bool) {
	v, ok := quantity(s)
	if !ok || v >= math.MaxInt64 {
		return 0, false
	}
	return int64(v), true
}

// ParseRate reads bytes per second as ParseBytes reads bytes, but keeps the
// fraction and has no upper limit.
func ParseRate(s string) (perSecond float64, ok bool) { return quantity(s) }

// ParseSeconds reads a number of seconds, which may have decimals. More than
// 292 years, which a Duration does not hold, are 292 years.
func ParseSeconds(s string) (d time.Duration, ok bool) {
	const longest = 292 * 365 * 24 * time.Hour
	v, ok := decimal(s)
	if v >= longest.Seconds() {
		return longest, ok
	}
	return time.Duration(v * float64(time.Second)), ok
}

// quantity reads a decimal number with an optional unit.
func quantity(s string) (float64, bool) {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		return decimal(s)
	}
	v, ok := decimal(s[:end])
	power := strings.Index(binaryPrefixes, strings.ToUpper(s[end:end+1]))
	if !ok || power <= 0 {
		return 0, false
	}
	base := 1024.0
	switch s[end+1:] {
	case "", "iB":
	case "B":
		base = 1000
	default:
		return 0, false
	}
	return v * math.Pow(base, float64(power)), true
}

// decimal reads digits with at most one point. ParseFloat alone would also take
// signs, exponents, hexadecimal numbers and infinity.
func decimal(s string) (float64, bool) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}
