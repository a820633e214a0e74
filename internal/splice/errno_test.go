package splice

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// lastErrno is EHWPOISON.
const lastErrno = 133

// leadsOn are the functions of errno.go, by the call whose errnos they judge.
var leadsOn = map[string]func(error) bool{
	"clone":           reflinkRefused,
	"copy_file_range": copyFileRangeRefused,
	"sendfile":        sendfileRefused,
	"splice in":       spliceInRefused,
	"splice out":      spliceOutRefused,
	"mmap":            mmapRefused,
	"pread":           directRefused,
	"pwrite":          directRefused,
}

func TestACallThatIsMissingOrForbiddenLeadsOn(t *testing.T) {
	for call, refused := range leadsOn {
		for _, e := range []unix.Errno{unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EINVAL} {
			if !refused(e) {
				t.Errorf("%s: %v is final", call, e)
			}
		}
	}
}

func TestADiskWithoutRoomOrABrokenReaderIsFinal(t *testing.T) {
	for call, refused := range leadsOn {
		for _, e := range []unix.Errno{unix.ENOSPC, unix.EDQUOT, unix.EPIPE, unix.ECONNRESET} {
			if refused(e) {
				t.Errorf("%s: %v leads on", call, e)
			}
		}
	}
}

// errnoCases set up a copy that begins with a call.
var errnoCases = []struct {
	call  string
	who   party
	final any // the type of a final error
	scene func() *scene
}{
	{"clone", either, &WriteError{}, func() *scene { return fileToFile(unix.XFS_SUPER_MAGIC, Auto) }},
	{"copy_file_range", either, &WriteError{}, func() *scene {
		s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
		s.dst[0].Stat.Dev = 7
		return s
	}},
	{"sendfile", either, &WriteError{}, func() *scene {
		s := newScene()
		s.file(Regular, 20*page, 0)
		s.toHole(Terminal, 0)
		return s
	}},
	{"splice in", source, &ReadError{}, pipeToPipe},
	{"splice out", theSink, &WriteError{}, pipeToPipe},
	{"mmap", source, &ReadError{}, func() *scene { return fileToFile(0, Mmap) }},
	{"pread", source, &ReadError{}, func() *scene { return fileToFile(0, Direct) }},
	{"pwrite", theSink, &WriteError{}, func() *scene { return fileToFile(0, Direct) }},
}

func fileToFile(fs int64, m Method) *scene {
	s := newScene()
	s.file(Regular, 20*page, 0).fs = fs
	s.toFile(Regular, 0, 0, 0).fs = fs
	s.options.Method = m
	return s
}

func pipeToPipe() *scene {
	s := newScene()
	s.stream(Pipe, 0, page, 100, page, 1, 2000, page, page)
	s.toPipe(0, 16)
	return s
}

func TestEachErrnoLeadsOnOrIsFinalAtTheFirstCall(t *testing.T) { checkErrnos(t) }

func TestEachErrnoLeadsOnOrIsFinalAtALaterCall(t *testing.T) {
	checkErrnos(t, fault{most: page}, fault{most: 3 * page})
}

func checkErrnos(t *testing.T, before ...fault) {
	for _, c := range errnoCases {
		if before != nil && (c.call == "clone" || c.call == "mmap") {
			continue // there is no later call
		}
		for e := unix.Errno(1); e <= lastErrno; e++ {
			if e == unix.EINTR || e == unix.EAGAIN && c.call != "mmap" {
				continue
			}
			s := c.scene()
			s.fail(c.call, c.who, append(before, fault{errno: e})...)
			r, err := s.copy()
			checkErrno(t, c.call, s, e, leadsOn[c.call](e), c.final, r, err)
			s.checkCopy(t, r, err)
		}
	}
}

func checkErrno(t *testing.T, call string, s *scene, e unix.Errno, leadsOn bool, final any, r Report, err error) {
	t.Helper()
	switch {
	case leadsOn && s.options.Method != Auto:
		var unserved *UnservedError
		if !errors.As(err, &unserved) || unserved.Errno != e {
			t.Errorf("%s says %v: error %v, want that it cannot serve", call, e, err)
		}
	case leadsOn:
		if err != nil || len(r.Fallbacks) != 1 || r.Fallbacks[0].Err != e {
			t.Errorf("%s says %v: error %v, fallbacks %+v", call, e, err, r.Fallbacks)
		}
	default:
		_, reads := err.(*ReadError)
		_, wanted := final.(*ReadError)
		if !errors.Is(err, e) || reads != wanted || len(r.Fallbacks) > 0 {
			t.Errorf("%s says %v: error %T %v, want a final %T; fallbacks %+v", call, e, err, err, final, r.Fallbacks)
		}
	}
}
