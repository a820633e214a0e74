package meter

import (
	"fmt"
	"strconv"
)

// The prefixes of the powers of 1024 and of 1000, a blank for none.
const (
	binaryPrefixes  = " KMGTPEZY"
	decimalPrefixes = " kMGTPEZY"
)

// amount shows a number of bytes as pv does, in powers of 1024: " 100  B",
// "1.20GiB", " 245MiB". It is seven columns wide.
func amount(v float64) string {
	v, power := scaled(v, 1024)
	if power == 0 {
		return digits(v) + "  B"
	}
	return digits(v) + binaryPrefixes[power:power+1] + "iB"
}

// number shows a number of lines, in powers of 1000: "1.00M", " 989k", "0.00 ".
func number(v float64) string {
	v, power := scaled(v, 1000)
	return digits(v) + decimalPrefixes[power:power+1]
}

// scaled divides by the base until the value is below it.
func scaled(v, base float64) (float64, int) {
	power := 0
	for v >= base && power < len(binaryPrefixes)-1 {
		v /= base
		power++
	}
	return v, power
}

// digits shows a value with three digits, in four columns. Like pv it rounds
// below 100 and cuts above.
func digits(v float64) string {
	switch {
	case !(v > 0): // also what is no number
		return "0.00"
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return fmt.Sprintf("%4d", int64(min(v, 999999)))
	}
}
