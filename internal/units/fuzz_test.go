package units

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
)

// written is the grammar of sizes, as the man pages describe it.
var written = regexp.MustCompile(`^([0-9]+\.?[0-9]*|\.[0-9]+)(?:([KMGTPEkmgtpe])(iB|B)?)?$`)

// exactly computes a size with rational numbers. It returns nil for what is no
// size.
func exactly(s string) *big.Rat {
	parts := written.FindStringSubmatch(s)
	if parts == nil {
		return nil
	}
	n, ok := new(big.Rat).SetString(strings.TrimSuffix(parts[1], "."))
	if !ok {
		return nil
	}
	base := int64(1024)
	if parts[3] == "B" {
		base = 1000
	}
	power := strings.Index("KMGTPE", strings.ToUpper(parts[2])) + 1
	if parts[2] == "" {
		power = 0
	}
	return n.Mul(n, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(power)), nil)))
}

// FuzzQuantities compares with exact arithmetic. A float64 has 53 bits: no size
// is off by more than that.
func FuzzQuantities(f *testing.F) {
	for _, s := range []string{
		"", "0", "010", "1.9", ".5K", "1kiB", "1KiB", "1kB", "1KB", "2MB", "3G", "1T", "1p", "7E", "8E", "7.9999999999999999E", "5.",
		".", "..", "1.2.3", "-1", "+1", "1e3", "0x10", "1_000", "1 K", "1KK", "inf", "NaN", "1ſ", "1K", "٣", "9223372036854775807", "18446744073709551616",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 300 {
			return // ParseFloat refuses what a float64 does not hold
		}
		want := exactly(s)
		n, isSize := ParseBytes(s)
		rate, isRate := ParseRate(s)
		if isRate != (want != nil) || isSize && !isRate {
			t.Fatalf("ParseBytes(%q): %d, %t; ParseRate: %g, %t; it is %v", s, n, isSize, rate, isRate, want)
		}
		if want != nil {
			v, _ := want.Float64()
			if math.Abs(rate-v) > v/(1<<51) {
				t.Fatalf("ParseRate(%q) is %g, not %g", s, rate, v)
			}
			if isSize != (rate < math.MaxInt64) || isSize && math.Abs(float64(n)-math.Floor(v)) > 1+v/(1<<51) {
				t.Fatalf("ParseBytes(%q) is %d, %t, not %g", s, n, isSize, v)
			}
		}
		if isSize && !strings.Contains(Bytes(n), "byte") {
			t.Fatalf("Bytes(%d) is %q", n, Bytes(n))
		}
		d, isTime := ParseSeconds(s)
		if isTime != (want != nil && written.FindStringSubmatch(s)[2] == "") || isTime && (d < 0 || rate < 1e9 && math.Abs(d.Seconds()-rate) > 1e-6) {
			t.Fatalf("ParseSeconds(%q) is %v, %t", s, d, isTime)
		}
		_ = Rate(n, d) + Seconds(d)
		_ = Rate(n, time.Duration(n))
	})
}
