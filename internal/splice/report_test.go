package splice

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestReportsAddUp(t *testing.T) {
	total := Report{Delivered: 10, Copied: 20, Calls: 3, Elapsed: time.Second}
	total.By[Splice] = 10
	one := Report{Delivered: 5, Copied: 10, Calls: 2, Elapsed: time.Second}
	one.By[Splice], one.By[ReadWrite] = 2, 3
	total.Add(one)
	want := Report{Delivered: 15, Copied: 30, Calls: 5, Elapsed: 2 * time.Second}
	want.By[Splice], want.By[ReadWrite] = 12, 3
	if !reflect.DeepEqual(total, want) {
		t.Errorf("%+v, want %+v", total, want)
	}
}

func TestEqualFallbacksAreCountedAndKeepWhereTheFirstWas(t *testing.T) {
	first := Fallback{From: Splice, To: ReadWrite, At: 100, Err: unix.EINVAL, Count: 1}
	again, other, further := first, first, first
	again.At = 7
	other.Err = unix.EPERM
	further.To = Sendfile
	var total Report
	for _, f := range []Fallback{first, again, other, again, further} {
		total.Add(Report{Fallbacks: []Fallback{f}})
	}
	first.Count = 3
	if want := []Fallback{first, other, further}; !reflect.DeepEqual(total.Fallbacks, want) {
		t.Errorf("%+v, want %+v", total.Fallbacks, want)
	}
}

func TestAddingAReportDoesNotChangeIt(t *testing.T) {
	one := Report{Fallbacks: []Fallback{{From: Splice, To: ReadWrite, Err: unix.EINVAL, Count: 1}}}
	var total Report
	total.Add(one)
	total.Add(one)
	if one.Fallbacks[0].Count != 1 || total.Fallbacks[0].Count != 2 {
		t.Errorf("one %+v, total %+v", one.Fallbacks, total.Fallbacks)
	}
}

func TestTheMostRemarkableLeaseIsReported(t *testing.T) {
	for _, c := range []struct {
		states []LeaseState
		want   LeaseState
	}{
		{[]LeaseState{LeaseNone, LeaseHeld, LeaseNone}, LeaseHeld},
		{[]LeaseState{LeaseHeld, LeaseRefused, LeaseHeld}, LeaseRefused},
		{[]LeaseState{LeaseBroken, LeaseRefused}, LeaseBroken},
		{[]LeaseState{LeaseHeld, LeaseLost, LeaseBroken}, LeaseLost},
	} {
		var total Report
		for _, state := range c.states {
			r := Report{Lease: state}
			if state == LeaseRefused {
				r.LeaseErr = unix.EACCES
			}
			total.Add(r)
		}
		if total.Lease != c.want || (total.LeaseErr != nil) != (c.want == LeaseRefused) {
			t.Errorf("%v: %v, %v", c.states, total.Lease, total.LeaseErr)
		}
	}
}

func TestLeaseStatesHaveNames(t *testing.T) {
	for s, want := range map[LeaseState]string{
		LeaseNone: "none", LeaseHeld: "held", LeaseRefused: "refused", LeaseBroken: "broken", LeaseLost: "lost",
	} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", s, s, want)
		}
	}
}

func TestErrorsSayWhoseTheyAreAndKeepTheErrno(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
		is   error
	}{
		{&ReadError{unix.EIO}, "read: input/output error", unix.EIO},
		{&WriteError{unix.ENOSPC}, "write: no space left on device", unix.ENOSPC},
		{&ReadError{ErrTruncated}, "read: file truncated while it was read", ErrTruncated},
		{&UnservedError{Method: Direct, Src: Pipe, Dst: Regular}, "direct cannot copy from a pipe to a regular file", nil},
		{&UnservedError{Method: Splice, Src: Pipe, Dst: Socket, Errno: unix.EPERM},
			"splice cannot copy from a pipe to a socket: operation not permitted", unix.EPERM},
	} {
		if c.err.Error() != c.want || c.is != nil && !errors.Is(c.err, c.is) {
			t.Errorf("%q, want %q", c.err, c.want)
		}
	}
}
