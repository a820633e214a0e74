package filecopy

import (
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

func TestNumbersOfBackupsHaveNoLimit(t *testing.T) {
	for number, want := range map[string]string{
		"": "1", "1": "2", "9": "10", "109": "110", "999": "1000",
		"18446744073709551615": "18446744073709551616",
	} {
		if got := increment(number); got != want || !higher(got, number) || !isNumber(got) {
			t.Errorf("%q is followed by %q, want %q", number, got, want)
		}
	}
	for _, text := range []string{"", "0", "01", "1a", "-1", "+1", " 1"} {
		if isNumber(text) {
			t.Errorf("%q is a number", text)
		}
	}
}

func TestTimesAreComparedAsTheDestinationKeepsThem(t *testing.T) {
	at := func(sec, nsec int64) unix.Timespec { return unix.NsecToTimespec(sec*1e9 + nsec) }
	for _, c := range []struct {
		mtim, ctim unix.Timespec
		resolution int64
	}{
		{at(1, 123456789), at(2, 0), 1},
		{at(1, 0), at(2, 123456789), 1},
		{at(1, 500), at(2, 123456700), 100},
		{at(1, 0), at(2, 0), 1e9},
	} {
		got := resolution(place.Path("x"), &unix.Stat_t{Mtim: c.mtim, Ctim: c.ctim})
		if got != c.resolution {
			t.Errorf("%v and %v: resolution %d, want %d", c.mtim, c.ctim, got, c.resolution)
		}
	}
	for _, c := range []struct {
		time, want unix.Timespec
		resolution int64
	}{
		{at(5, 123456789), at(5, 123456789), 1},
		{at(5, 123456789), at(5, 123456700), 100},
		{at(5, 999999999), at(5, 0), 1e9},
		{at(5, 999999999), at(4, 0), 2e9},
		{at(-5, 100), at(-5, 0), 1e9},
	} {
		if got := truncated(c.time, c.resolution); got != c.want {
			t.Errorf("%v at %d: %v, want %v", c.time, c.resolution, got, c.want)
		}
	}
}
