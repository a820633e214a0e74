package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
	"zeroutils/internal/tool"
)

const (
	leaseBreakTime = "/proc/sys/fs/lease-break-time"
	patience       = 2 * time.Minute
)

// A slowRead is zcat, writing a file of old bytes into a pipe of 1 MiB that the
// test reads when it wants to.
type slowRead struct {
	*testing.T
	file   string
	old    []byte
	zcat   *exec.Cmd
	out    *os.File
	stderr bytes.Buffer
}

func startReading(t *testing.T, size int, options ...string) *slowRead {
	t.Helper()
	testfs.NeedPipeAllowance(t)
	r := &slowRead{T: t, file: filepath.Join(t.TempDir(), "file"), old: bytes.Repeat([]byte("old\n"), size/4)}
	if err := os.WriteFile(r.file, r.old, 0o644); err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = out
	r.zcat = exec.Command("zcat", append(options, "--stats=json", r.file)...)
	r.zcat.Stdout, r.zcat.Stderr = in, &r.stderr
	if err := r.zcat.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { out.Close(); r.zcat.Process.Kill() })
	r.waitForBytes(min(size, 1<<20))
	return r
}

// waitForBytes returns when the pipe holds n bytes.
func (r *slowRead) waitForBytes(n int) {
	r.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if has, err := unix.IoctlGetInt(int(r.out.Fd()), unix.TIOCINQ); err != nil || has >= n {
			return
		}
		if time.Now().After(end) {
			r.Fatal("the pipe stays empty")
		}
	}
}

// overwrite puts new bytes at the start of the file. The channel tells when
// that is done.
func (r *slowRead) overwrite() <-chan error {
	done := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(r.file, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("new\n")
			f.Close()
		}
		done <- err
	}()
	return done
}

// waitForWriter returns when somebody waits for zcat's lease on the file, which
// the writer, whose end written tells, must do.
func (r *slowRead) waitForWriter(written <-chan error) {
	r.Helper()
	waits := regexp.MustCompile(fmt.Sprintf(`LEASE +BREAKING +[A-Z]+ +%d `, r.zcat.Process.Pid))
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		select {
		case err := <-written:
			r.Fatal("the writer did not wait: ", err)
		default:
		}
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			r.Fatal(err)
		}
		if waits.Match(locks) {
			return
		}
		if time.Now().After(end) {
			r.Fatal("nobody waits for the lease")
		}
	}
}

// rest reads the pipe to its end and returns it with zcat's exit status and
// what it said.
func (r *slowRead) rest() (got []byte, status int, said string) {
	r.Helper()
	got, err := io.ReadAll(r.out)
	if err != nil {
		r.Fatal(err)
	}
	_ = r.zcat.Wait() // the status says it
	return got, r.zcat.ProcessState.ExitCode(), r.stderr.String()
}

func within(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
	}
}

func TestWithoutStableTheReaderGetsWhatWasWrittenLater(t *testing.T) {
	testfs.NotOnFUSE(t)
	r := startReading(t, 400_000)
	within(t, "the writer", r.overwrite())
	got, status, said := r.rest()
	if !bytes.HasPrefix(got, []byte("new\nold\n")) || len(got) != len(r.old) || status != 0 {
		t.Errorf("got %q..., %d bytes, status %d, %s", got[:8], len(got), status, said)
	}
	if !strings.Contains(said, `"lease":"none"`) {
		t.Error(said)
	}
}

func TestWithStableTheWriterWaitsUntilTheReaderHasEverything(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "3600")
	for _, size := range []int{400_000, 5_000_000} { // within the pipe, and beyond it
		r := startReading(t, size, "--stable")
		written := r.overwrite()
		r.waitForWriter(written)
		got, status, said := r.rest()
		if !bytes.Equal(got, r.old) || status != 0 {
			t.Errorf("%d bytes: got %q..., %d bytes, status %d, %s", size, got[:8], len(got), status, said)
		}
		if !strings.Contains(said, `"lease":"broken"`) {
			t.Error(said)
		}
		within(t, "the writer", written)
		now, err := os.ReadFile(r.file)
		if err != nil || !bytes.HasPrefix(now, []byte("new\nold\n")) {
			t.Errorf("the writer wrote %q, %v", now[:8], err)
		}
	}
}

func TestTruncationWaitsForAStableReader(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "3600")
	r := startReading(t, 400_000, "--stable")
	done := make(chan error, 1)
	go func() { done <- os.Truncate(r.file, 0) }()
	r.waitForWriter(done)
	if got, status, said := r.rest(); !bytes.Equal(got, r.old) || status != 0 {
		t.Errorf("got %d bytes, status %d, %s", len(got), status, said)
	}
	within(t, "truncate", done)
}

func TestAReaderThatOutlastsTheLeaseMakesStableFail(t *testing.T) {
	testfs.Setting(t, leaseBreakTime, "1")
	r := startReading(t, 400_000, "--stable")
	within(t, "the writer", r.overwrite()) // the kernel lets it in after a second
	ended := make(chan error, 1)
	go func() { _ = r.zcat.Wait(); ended <- nil }()
	within(t, "zcat", ended) // waits a second more, but not for the reader
	got, status, said := r.rest()
	if len(got) != len(r.old) || status != 1 {
		t.Errorf("got %d bytes, status %d", len(got), status)
	}
	want := "zcat: " + tool.Quote(r.file) + ": a writer was let in before the reader was done (lease-break-time exceeded)\n"
	if !strings.HasPrefix(said, want) || !strings.Contains(said, `"lease":"lost"`) {
		t.Error(said)
	}
}

func TestAStableCopyEndsWithItsReader(t *testing.T) {
	r := startReading(t, 5_000_000, "--stable")
	r.out.Close()
	done := make(chan error, 1)
	go func() { _ = r.zcat.Wait(); done <- nil }()
	within(t, "zcat without a reader", done)
	if ws := r.zcat.ProcessState.Sys().(interface{ Signal() unix.Signal }); ws.Signal() != unix.SIGPIPE {
		t.Errorf("%v", r.zcat.ProcessState)
	}
}
