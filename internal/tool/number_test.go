package tool

import (
	"testing"
	"time"
)

func TestBytesAreNumbersWithUnits(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "010": 10, "1.9": 1, ".5K": 512, "1K": 1024, "1k": 1024, "1KiB": 1024, "1kB": 1000, "1KB": 1000,
		"1.5M": 3 << 19, "2MB": 2_000_000, "3G": 3 << 30, "1T": 1 << 40, "1p": 1 << 50, "7E": 7 << 60, "5.": 5,
	} {
		if got, err := Bytes("size", s); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
}

func TestWhatIsNoNumberOfBytesIsAUsageError(t *testing.T) {
	inLocale(t, "C")
	for _, s := range []string{"", "-1", "+1", "x", "K", ".", "1e3", "0x10", "1 K", " 1", "1KK", "1ib", "1B", "1.2.3", "8E", "inf", "1K5", "1,5"} {
		_, err := Bytes("size", s)
		if err == nil || !isUsage(err) || err.Error() != "invalid size: '"+s+"'" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestRatesKeepWhatIsLeftOfAByte(t *testing.T) {
	if got, err := Rate("rate", "0.5"); got != 0.5 || err != nil {
		t.Errorf("%g, %v", got, err)
	}
	if _, err := Rate("rate", "fast"); err == nil {
		t.Error("taken")
	}
}

func TestSecondsMayHaveDecimals(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "0.25": 250 * time.Millisecond, "90": 90 * time.Second, "1.": time.Second,
	} {
		if got, err := Seconds("interval", s); got != want || err != nil {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	if got, err := Seconds("interval", "99999999999999999999"); got < 1<<60 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "-1", "1s", "inf"} {
		if _, err := Seconds("interval", s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
