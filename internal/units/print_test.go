package units

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zeroutils/internal/testfs"
)

func TestAmountsAreThoseOfDd(t *testing.T) {
	testfs.Need(t, "dd")
	for _, n := range []int64{
		1, 2, 999, 1000, 1001, 1023, 1024, 1049, 1050, 1051, 1075, 1076, 1500, 9249, 9250, 9349, 9350, 9949, 9950, 9999,
		10000, 10239, 10240, 10499, 10500, 10501, 11500, 11776, 999499, 999500, 999999, 1000000, 1023999, 1048063,
		1048064, 1048575, 1048576, 1449999, 1450000, 9961471, 9961472, 20971520,
	} {
		dd := exec.Command("dd", "if=/dev/zero", "of=/dev/null", "count=1", fmt.Sprintf("bs=%d", n))
		dd.Env = append(os.Environ(), "LC_ALL=C")
		out, err := dd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		lines := strings.Split(string(out), "\n")
		want, _, _ := strings.Cut(lines[len(lines)-2], " copied")
		if got := Bytes(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAmountsOfAllSizes(t *testing.T) {
	for n, want := range map[int64]string{
		0:             "0 bytes",
		1<<30 - 1:     "1073741823 bytes (1.1 GB, 1.0 GiB)",
		1 << 40:       "1099511627776 bytes (1.1 TB, 1.0 TiB)",
		999999999999:  "999999999999 bytes (1.0 TB, 931 GiB)",
		1 << 50:       "1125899906842624 bytes (1.1 PB, 1.0 PiB)",
		math.MaxInt64: "9223372036854775807 bytes (9.2 EB, 8.0 EiB)",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRatesAndTimesAreThoseOfDd(t *testing.T) {
	for _, c := range []struct {
		bytes         int64
		nanoseconds   time.Duration
		seconds, rate string
	}{
		// As dd printed them.
		{999, 37516, "3.7516e-05", "26.6 MB/s"},
		{999950, 473846, "0.000473846", "2.1 GB/s"},
		{9950, 40400, "4.04e-05", "246 MB/s"},
		{1, 36985, "3.6985e-05", "27.0 kB/s"},
		{0, 31076, "3.1076e-05", "0.0 kB/s"},
		// As it would.
		{500, 1e9, "1", "0.5 kB/s"},
		{100, 100e9, "100", "0.0 kB/s"},
		{536870912, 71200 * 1000, "0.0712", "7.5 GB/s"},
		{1 << 50, 123456789 * 1e3, "123.457", "9.1 TB/s"},
		{math.MaxInt64, 1, "1e-09", "9223372037 EB/s"},
		{1, 0, "0", "Infinity B/s"},
	} {
		if got := Seconds(c.nanoseconds); got != c.seconds {
			t.Errorf("%d ns: %q, want %q", c.nanoseconds, got, c.seconds)
		}
		if got := Rate(c.bytes, c.nanoseconds); got != c.rate {
			t.Errorf("%d bytes in %d ns: %q, want %q", c.bytes, c.nanoseconds, got, c.rate)
		}
	}
}
