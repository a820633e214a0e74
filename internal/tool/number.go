package tool

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes reads a number of bytes: a decimal number, "1.5", and behind it nothing
// or a unit. K or KiB is 1024 bytes, kB or KB 1000, and so on with M, G, T, P
// and E, in either case. What is left of a byte is cut off. The error is a usage
// error; thing says what the number is, "size".
func Bytes(thing, s string) (int64, error) {
	v, ok := quantity(s)
	if !ok || v >= math.MaxInt64 {
		return 0, UsageErrorf("invalid %s: %s", thing, QuoteLocale(s))
	}
	return int64(v), nil
}

// Rate is Bytes per second, not cut off and without an upper end.
func Rate(thing, s string) (float64, error) {
	v, ok := quantity(s)
	if !ok {
		return 0, UsageErrorf("invalid %s: %s", thing, QuoteLocale(s))
	}
	return v, nil
}

// Seconds reads a number of seconds, which may have decimals. More than three
// centuries are as good as that.
func Seconds(thing, s string) (time.Duration, error) {
	const longest = 292 * 365 * 24 * time.Hour // about what a Duration holds
	v, ok := decimal(s)
	if !ok {
		return 0, UsageErrorf("invalid %s: %s", thing, QuoteLocale(s))
	}
	if v >= longest.Seconds() {
		return longest, nil
	}
	return time.Duration(v * float64(time.Second)), nil
}

func quantity(s string) (float64, bool) {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		return decimal(s)
	}
	v, ok := decimal(s[:end])
	power := strings.Index("KMGTPE", strings.ToUpper(s[end:end+1])) + 1
	if !ok || power == 0 {
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

// decimal is digits with at most one point. ParseFloat alone would also take
// signs, exponents, hexadecimals and infinity.
func decimal(s string) (float64, bool) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}
