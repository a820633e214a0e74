package units

import (
	"testing"
	"time"
)

func TestBytesAreNumbersWithUnits(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "010": 10, "1.9": 1, ".5K": 512, "1K": 1024, "1k": 1024, "1KiB": 1024, "1kB": 1000, "1KB": 1000,
		"1.5M": 3 << 19, "2MB": 2_000_000, "3G": 3 << 30, "1T": 1 << 40, "1p": 1 << 50, "7E": 7 << 60, "5.": 5,
	} {
		if got, ok := ParseBytes(s); got != want || !ok {
			t.Errorf("%q: %d, %t, want %d", s, got, ok, want)
		}
	}
}

func TestWhatIsNoNumberOfBytesIsRefused(t *testing.T) {
	for _, s := range []string{"", "-1", "+1", "x", "K", ".", "1e3", "0x10", "1 K", " 1", "1KK", "1ib", "1B", "1.2.3", "8E", "inf", "1K5", "1,5"} {
		if n, ok := ParseBytes(s); ok {
			t.Errorf("%q: %d", s, n)
		}
	}
}

func TestRatesKeepWhatIsLeftOfAByte(t *testing.T) {
	if got, ok := ParseRate("0.5"); got != 0.5 || !ok {
		t.Errorf("%g, %t", got, ok)
	}
	if _, ok := ParseRate("fast"); ok {
		t.Error("taken")
	}
}

func TestSecondsMayHaveDecimals(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "0.25": 250 * time.Millisecond, "90": 90 * time.Second, "1.": time.Second,
	} {
		if got, ok := ParseSeconds(s); got != want || !ok {
			t.Errorf("%q: %v, %t", s, got, ok)
		}
	}
	if got, ok := ParseSeconds("99999999999999999999"); got < 1<<60 || !ok {
		t.Errorf("%v, %t", got, ok)
	}
	for _, s := range []string{"", "-1", "1s", "inf"} {
		if _, ok := ParseSeconds(s); ok {
			t.Errorf("%q was taken", s)
		}
	}
}
