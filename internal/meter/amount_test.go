package meter

import (
	"math"
	"testing"
	"time"
)

// What pv 1.12 shows of files of these sizes; it shows 99.9 to 100 as "  99".
func TestAmountsHaveThreeDigitsAsInPv(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0.00  B", 1: "1.00  B", 10: "10.0  B", 99: "99.0  B", 100: " 100  B", 999: " 999  B", 1000: "1000  B", 1023: "1023  B",
		1024: "1.00KiB", 1030: "1.01KiB", 1234: "1.21KiB", 10000: "9.77KiB", 10239: "10.0KiB", 10240: "10.0KiB",
		102300: "99.9KiB", 102399: "  99KiB", 102400: " 100KiB", 1000000: " 976KiB", 1048575: "1023KiB",
		mib: "1.00MiB", 1041500000: " 993MiB", gib: "1.00GiB", math.MaxInt64: "8.00EiB",
		0.5: "0.50  B", -1: "0.00  B", math.NaN(): "0.00  B",
	} {
		if got := amount(n); got != want {
			t.Errorf("%g: got %q, want %q", n, got, want)
		}
	}
}

func TestLinesAreCountedInPowersOf1000(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0.00 ", 999: " 999 ", 1000: "1.00k", 989000: " 989k", 1000000: "1.00M", math.MaxInt64: "9.22E",
	} {
		if got := number(n); got != want {
			t.Errorf("%g: got %q, want %q", n, got, want)
		}
	}
}

func TestTimesAreHoursMinutesAndSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00:00", 0: "0:00:00", 999 * time.Millisecond: "0:00:00", time.Second: "0:00:01",
		time.Hour - 1: "0:59:59", time.Hour: "1:00:00", 24*time.Hour - 1: "23:59:59",
		24 * time.Hour: "1:00:00:00", 104856 * time.Second: "1:05:07:36", math.MaxInt64: "106751:23:47:16",
	} {
		if got := clock(d); got != want {
			t.Errorf("%d: got %q, want %q", d, got, want)
		}
	}
}
