package splice

import "golang.org/x/sys/unix"

// An otherProcess has a descriptor of the same open file description as the
// engine, and uses it at certain steps.
type otherProcess struct {
	d    *opened
	f    *fakeFile
	acts []act
	got  []claim // what it has read
}

// An act is what a process does between two calls of the engine.
type act struct {
	step int
	do   func(*otherProcess)
}

// sharing adds a process that shares what is open as d.
func (k *fakeKernel) sharing(d *opened, acts ...act) *otherProcess {
	o := &otherProcess{d: d, f: d.object.(*fakeFile), acts: acts}
	k.others = append(k.others, o)
	return o
}

// writes is write(2).
func writes(p string) func(*otherProcess) {
	return func(o *otherProcess) {
		if _, err := o.f.put(o.d, slotsIn([]byte(p)), manner{whole: true}); err != nil {
			o.f.k.said = o.f.k.said[:len(o.f.k.said)-1] // it was not the engine's
		}
	}
}

// reads is read(2).
func reads(n int) func(*otherProcess) {
	return func(o *otherProcess) {
		end := min(o.d.offset+int64(n), o.f.size)
		if o.d.offset < end {
			o.got = append(o.got, claim{o.d.offset, end})
			o.d.offset = end
		}
	}
}

// appends is F_SETFL with O_APPEND.
func appends(o *otherProcess) { o.d.flags |= unix.O_APPEND }

// hurry does what is left to do.
func (o *otherProcess) hurry() {
	for _, a := range o.acts {
		a.do(o)
	}
	o.acts = nil
}
