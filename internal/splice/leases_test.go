package splice_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// Stable copies with a reader that takes its time and a writer that is another
// process, as the kernel has it (lease.go says what is promised).

const leaseBreakTime = "/proc/sys/fs/lease-break-time"

// A reading is a stable copy of a file into a pipe.
type reading struct {
	*stage
	name string // of the file
	src  int
	r    int // the pipe's reading end
	wait func() outcome
}

// newReading starts to copy n bytes of text to a pipe of 64 KiB.
func newReading(t *testing.T, n int, o splice.Options) *reading {
	t.Helper()
	s := newStage(t, t.TempDir(), "", "")
	t.Cleanup(s.end)
	s.textFile("source", n)
	name := filepath.Join(s.dir, "source")
	src := s.open(name, unix.O_RDONLY)
	r, w := s.ownedPipe()
	return &reading{s, name, src, r, s.start(w, src, o)}
}

// waits returns when the pipe is full, or has all n bytes.
func (r *reading) waits(n int) {
	r.Helper()
	r.eventually("a pipe with bytes", func() bool { return r.unread(r.r) == min(n, 65536) })
}

// leases are the state and the kind of the leases that this process holds
// (proc_locks(5)), "" if there are none.
func (s *stage) leases() string {
	s.Helper()
	locks, err := os.ReadFile("/proc/locks")
	s.must(err)
	var found []string
	for line := range strings.Lines(string(locks)) {
		f := strings.Fields(line) // 1: LEASE ACTIVE READ PID DEVICE:INODE START END
		if f[1] == "LEASE" && f[4] == strconv.Itoa(os.Getpid()) {
			found = append(found, f[2]+" "+f[3])
		}
	}
	return strings.Join(found, ", ")
}

func (r *reading) read(n int) []byte {
	r.Helper()
	got := make([]byte, n)
	for at := 0; at < n; {
		at += r.readSome(r.r, got[at:])
	}
	return got
}

// overwriter starts a process that opens the file for writing and fills it
// with X. It returns when the kernel has told the lease's holder.
func (r *reading) overwriter() (done chan error) {
	r.Helper()
	child := asChild(r.T, "overwrite", nil, r.name)
	r.must(child.Start())
	r.enders = append(r.enders, func() { child.Process.Kill() })
	done = make(chan error, 1)
	go func() { done <- child.Wait() }()
	r.eventually("a lease that breaks", func() bool { return r.leases() != "ACTIVE READ" })
	return done
}

// overwriteRole is the process.
func overwriteRole() {
	if err := fillWithX(os.Args[1]); err != nil {
		panic(err)
	}
}

func (s *stage) overwrite(name string) {
	s.Helper()
	s.must(fillWithX(name))
}

// fillWithX leaves the file as long as it is, and so its pages where they are.
func fillWithX(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = f.Write(bytes.Repeat([]byte("X"), int(st.Size())))
	return err
}

func (r *reading) expect(want splice.LeaseState) splice.Report {
	r.Helper()
	o := r.wait()
	if o.err != nil || o.report.Lease != want {
		r.Errorf("%v, lease %v, want %v", o.err, o.report.Lease, want)
	}
	return o.report
}

// This is what a lease is for.
func TestWithoutALeaseTheReaderGetsWhatWasWrittenAfterTheCopy(t *testing.T) {
	testfs.NotOnFUSE(t)
	r := newReading(t, 65536, splice.Options{Method: splice.Splice})
	r.expect(splice.LeaseNone)
	r.overwrite(r.name)
	if got := r.read(65536); bytes.Equal(got, text[:65536]) {
		t.Error("the reader got the old bytes: what are leases for?")
	}
}

func TestALeaseIsHeldUntilTheReaderHasEverything(t *testing.T) {
	const size = 300_000
	r := newReading(t, size, splice.Options{Stable: true})
	r.waits(size)
	if leases := r.leases(); leases != "ACTIVE READ" {
		t.Errorf("leases %q, while the pipe is full", leases)
	}
	got := r.readSlowly(r.r, size)
	report := r.expect(splice.LeaseHeld)
	if report.By[splice.Splice] != size || !bytes.Equal(got, text[:size]) {
		t.Errorf("%+v", report)
	}
	if leases := r.leases(); leases != "" {
		t.Errorf("there still is a lease: %s", leases)
	}
}

func TestAWriterWaitsUntilTheReaderHasTheOldBytes(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "3600")
	const size = 65536
	r := newReading(t, size, splice.Options{Stable: true})
	r.waits(size)
	written := r.overwriter()
	time.Sleep(200 * time.Millisecond)
	if now, err := os.ReadFile(r.name); err != nil || !bytes.Equal(now, text[:size]) {
		t.Errorf("the writer has not waited, %v", err)
	}
	if got := r.read(size); !bytes.Equal(got, text[:size]) {
		t.Errorf("the reader got something else from %d on", difference(got, text))
	}
	r.expect(splice.LeaseBroken)
	r.must(<-written)
	if now, err := os.ReadFile(r.name); err != nil || !bytes.Equal(now, bytes.Repeat([]byte("X"), size)) {
		t.Errorf("the writer has not written, %v", err)
	}
}

// What was on its way when the writer came arrives as it was; the rest is read
// and written, whatever the file holds by then.
func TestAWriterInTheMiddleChangesNothingThatWasUnderWay(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "3600")
	r := newReading(t, len(text), splice.Options{Stable: true})
	got := r.read(25 * page) // so that no slot of the pipe is left half full
	r.waits(len(text))
	written := r.overwriter()
	got = append(got, r.read(len(text)-len(got))...)
	report := r.expect(splice.LeaseBroken)
	r.must(<-written)
	if report.By[splice.Splice]+report.By[splice.ReadWrite] != int64(len(text)) || report.By[splice.ReadWrite] == 0 {
		t.Errorf("%+v", report)
	}
	if old := difference(got, text); old < 25*page+65536 {
		t.Errorf("the reader got something else from %d on", old)
	}
	for i, b := range got {
		if b != text[i] && b != 'X' {
			t.Fatalf("byte %d is %q, neither the old one nor the writer's", i, b)
		}
	}
}

func TestAReaderWhoOutlastsTheLeaseIsToldOf(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "1")
	r := newReading(t, 65536, splice.Options{Stable: true})
	r.waits(65536)
	r.must(<-r.overwriter())
	o := r.wait()
	var failed *splice.ReadError
	if !errors.As(o.err, &failed) || failed.Err != splice.ErrLeaseLost || o.report.Lease != splice.LeaseLost {
		t.Errorf("%v, lease %v", o.err, o.report.Lease)
	}
	if o.report.Delivered != 65536 || len(r.read(65536)) != 65536 {
		t.Errorf("%+v", o.report)
	}
}

func TestAReaderWhoGoesAwayGivesTheLeaseBack(t *testing.T) {
	for _, size := range []int{30_000, 1 << 20} { // the pipe has all of it, or is full
		s := newStage(t, t.TempDir(), "", "")
		defer s.end()
		src := s.textFile("source", size)
		r, w := s.pipe()
		wait := s.start(s.owns(w, nil), src, splice.Options{Stable: true})
		s.eventually("a pipe with bytes", func() bool { return s.unread(r) == min(size, 65536) })
		unix.Close(r)
		o := wait()
		var failed *splice.WriteError
		if complete := size == 30_000; complete && o.err != nil || !complete && (!errors.As(o.err, &failed) || failed.Err != unix.EPIPE) {
			t.Errorf("%d bytes: %v", size, o.err)
		}
		if leases := s.leases(); leases != "" {
			t.Errorf("there still is a lease: %s", leases)
		}
	}
}

func TestTwoStableCopiesOfOneDescriptionKeepTheirLeases(t *testing.T) {
	each := 24 * page // more than a pipe has
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src := s.textFile("source", 2*each)
	var readers [2]*reading
	for i := range readers {
		r, w := s.ownedPipe()
		readers[i] = &reading{stage: s, r: r, wait: s.start(w, src, splice.Options{Stable: true, Limit: int64(each)})}
		readers[i].waits(each)
	}
	if leases := s.leases(); leases != "ACTIVE READ, ACTIVE READ" {
		t.Errorf("leases %q", leases)
	}
	for i, r := range readers {
		if got := r.read(each); !bytes.Equal(got, text[i*each:][:each]) {
			t.Errorf("reader %d got something else", i)
		}
		r.expect(splice.LeaseHeld)
	}
}

// Without a lease the bytes are copied, so that what is written to the file
// afterwards is not seen by the reader.
func TestARefusedLeaseIsACopyThatNobodyCanChange(t *testing.T) {
	for _, c := range []struct {
		why  string
		copy func(s *stage, name string, w int) account
	}{
		{"somebody has the file open for writing", func(s *stage, name string, w int) account {
			s.open(name, unix.O_WRONLY)
			o := s.start(w, s.open(name, unix.O_RDONLY), splice.Options{Stable: true})()
			return accountOf(o.report, o.err)
		}},
		{"not the owner", func(s *stage, name string, w int) account {
			testfs.NeedRoot(s.T)
			child := asChild(s.T, "copy stable", []*os.File{s.inherited(s.open(name, unix.O_RDONLY)), s.inherited(w)})
			asNobody(child)
			return s.account(child)
		}},
		{"Stable by read and write asks for no lease", func(s *stage, name string, w int) account {
			o := s.start(w, s.open(name, unix.O_RDONLY), splice.Options{Stable: true, Method: splice.ReadWrite})()
			return accountOf(o.report, o.err)
		}},
		{"Stable by mmap asks for no lease", func(s *stage, name string, w int) account {
			o := s.start(w, s.open(name, unix.O_RDONLY), splice.Options{Stable: true, Method: splice.Mmap})()
			return accountOf(o.report, o.err)
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			s.textFile("source", 65536)
			name := filepath.Join(s.dir, "source")
			r, w := s.ownedPipe()
			a := c.copy(s, name, w)
			want := map[string]string{
				"somebody has the file open for writing": "refused " + unix.EAGAIN.Error(),
				"not the owner":                          "refused " + unix.EACCES.Error(),
			}[c.why]
			if want == "" {
				want = "none "
			}
			if got := a.Lease + " " + a.LeaseErr; got != want || a.Delivered != 65536 || a.By["splice"] != 0 || a.Err != "" {
				t.Errorf("lease %q, want %q: %+v", got, want, a)
			}
			s.overwrite(name)
			if got := (&reading{stage: s, r: r}).read(65536); !bytes.Equal(got, text[:65536]) {
				t.Errorf("the reader got something else from %d on", difference(got, text))
			}
		})
	}
}

// procfs gives leases, and files that say they are empty.
func TestAStableCopyOfAGeneratedFileIsComplete(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, want := sourceNamed("procfs file").open(s, nil, 0)
	dst, arrived := sinkNamed("pipe").open(s, 0, 0)
	o := s.start(dst, src, splice.Options{Stable: true})()
	if got := arrived(); o.err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, %+v: %q", o.err, o.report, got)
	}
}

// No lease guards a socket's buffers, so no pages go there.
func TestAStableCopyToASocketIsACopy(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.Sendfile} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src := s.textFile("source", 65536)
			r, w := s.unixSockets()
			s.owns(r, nil)
			s.must(unix.SetsockoptInt(w, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20)) // nobody reads before the copy ends
			o := s.start(s.owns(w, nil), src, splice.Options{Stable: true, Method: m})()
			var unserved *splice.UnservedError
			if errors.As(o.err, &unserved) && m != splice.Auto {
				return
			}
			s.must(o.err)
			s.overwrite(filepath.Join(s.dir, "source"))
			if got := (&reading{stage: s, r: r}).read(65536); !bytes.Equal(got, text[:65536]) {
				t.Errorf("the reader got something else from %d on", difference(got, text))
			}
		})
	}
}
