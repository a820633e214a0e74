package units

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// The prefixes of the powers of 1000 and of 1024, a blank for none.
const (
	decimalPrefixes = " kMGTPE"
	binaryPrefixes  = " KMGTPE"
)

// Bytes shows a number of bytes as dd does: "2048 bytes (2.0 kB, 2.0 KiB)". A
// number below 1000 stands alone.
func Bytes(n int64) string {
	s := Count(n, "byte")
	switch {
	case n < 1000:
		return s
	case n < 1024:
		return fmt.Sprintf("%s (%s)", s, size(n, 1000))
	}
	return fmt.Sprintf("%s (%s, %s)", s, size(n, 1000), size(n, 1024))
}

// size shows at least 1000 bytes in the largest unit that fits: with one
// decimal below 10, with none above, rounded half to even.
func size(n int64, base uint64) string {
	power, unit := 1, base
	for power < len(decimalPrefixes)-1 && uint64(n)/unit >= base {
		unit *= base
		power++
	}
	if tenths := quotient(uint64(n), 10, unit); tenths < 100 {
		return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, unitName(power, base))
	}
	whole := quotient(uint64(n), 1, unit)
	if whole == base && power < len(decimalPrefixes)-1 {
		return "1.0 " + unitName(power+1, base)
	}
	return fmt.Sprintf("%d %s", whole, unitName(power, base))
}

// quotient is n*factor/divisor, rounded half to even.
func quotient(n, factor, divisor uint64) uint64 {
	high, low := bits.Mul64(n, factor)
	q, rest := bits.Div64(high, low, divisor)
	if twice := 2 * rest; twice > divisor || twice == divisor && q%2 == 1 {
		q++
	}
	return q
}

func unitName(power int, base uint64) string {
	if base == 1024 {
		return binaryPrefixes[power:power+1] + "iB"
	}
	return decimalPrefixes[power:power+1] + "B"
}

// Rate shows n bytes in d as dd does: in kB/s or a larger unit, with one decimal
// below 100.
func Rate(n int64, d time.Duration) string {
	if d <= 0 {
		return "Infinity B/s"
	}
	perSecond, power := float64(n)/d.Seconds()/1000, 1
	for power < len(decimalPrefixes)-1 && perSecond >= 1000 {
		perSecond /= 1000
		power++
	}
	s := fmt.Sprintf("%.1f", perSecond)
	if len(s) > len("99.9") {
		s = fmt.Sprintf("%.0f", perSecond)
	}
	return s + " " + unitName(power, 1000) + "/s"
}

// Count shows a number of things: "1 byte", "2 bytes".
func Count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.FormatInt(n, 10) + " " + thing
}

// Seconds shows a time in seconds, as %g of printf(3).
func Seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', 6, 64) }
