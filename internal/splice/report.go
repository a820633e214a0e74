package splice

import "time"

// A Report describes what a copy did. It costs a few additions for each system call,
// and is always made.
type Report struct {
	// Delivered is the number of bytes that arrived at the sink, also when an
	// error ended the copy. With several sinks it is the number of bytes that
	// every sink still in order has.
	Delivered int64
	// By is Delivered by method; with several sinks, the bytes of every sink.
	By [methods]int64
	// Copied counts the bytes that a CPU copied: twice for each byte that went
	// through read and write, once for each that was written from a pipe into
	// a file's page cache, never for a byte that only changed pipes.
	Copied int64
	// Calls is the number of system calls made, failed ones included.
	Calls int64
	// Fallbacks lists the methods that were left, in order.
	Fallbacks []Fallback
	// Elapsed is the time from the start of the copy to its end.
	Elapsed time.Duration
	// Lease is the state of the read lease that Options.Stable asks for, and
	// LeaseErr the errno if it was refused.
	Lease    LeaseState
	LeaseErr error
}

// A Fallback is one change of method within a copy.
type Fallback struct {
	From, To Method
	At       int64 // bytes delivered before the change, the first time
	Err      error // the kernel's errno, or why it was not asked
	Count    int   // how often the same was seen, in a total of several copies
}

// addFallback records a change of method. Equal changes are counted, so that the total
// of a million copies stays small.
func (r *Report) addFallback(f Fallback) {
	for i, seen := range r.Fallbacks {
		if seen.From == f.From && seen.To == f.To && seen.Err == f.Err {
			r.Fallbacks[i].Count += f.Count
			return
		}
	}
	r.Fallbacks = append(r.Fallbacks, f)
}

// Add adds what r did to the total. The lease states of several copies add up
// to the most remarkable one.
func (total *Report) Add(r Report) {
	total.Delivered += r.Delivered
	for m, n := range r.By {
		total.By[m] += n
	}
	total.Copied += r.Copied
	total.Calls += r.Calls
	for _, f := range r.Fallbacks {
		total.addFallback(f)
	}
	total.Elapsed += r.Elapsed
	if r.Lease > total.Lease {
		total.Lease, total.LeaseErr = r.Lease, r.LeaseErr
	}
}
