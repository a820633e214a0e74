package faults

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// Several processes with one open file description use one file offset. Here
// the test itself is the other processes: it has the descriptor that the tool
// gets, and writes or reads with it.

// otherLine is what somebody else writes. The data has no '<'.
var otherLine = regexp.MustCompile(`<writer \d+ line \d+>\n`)

// sharedData is what the tools copy.
var sharedData = bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), 400_000)

// A commons is a file that a tool and others write to by one open file
// description.
type commons struct {
	*testing.T
	file  *os.File
	tool  *exec.Cmd
	said  bytes.Buffer
	mu    sync.Mutex
	lines []string // what others have written
}

func newCommons(t *testing.T, dir, tool string, args ...string) *commons {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "shared"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	c := &commons{T: t, file: f, tool: exec.CommandContext(ctx, filepath.Join(testbin.Dir(t), tool), args...)}
	c.tool.Dir, c.tool.Stdout, c.tool.Stderr = dir, f, &c.said
	return c
}

// write adds a line of one writer.
func (c *commons) write(writer, number int) {
	line := fmt.Sprintf("<writer %d line %d>\n", writer, number)
	if n, err := unix.Write(int(c.file.Fd()), []byte(line)); n != len(line) || err != nil {
		c.Errorf("writer %d: %d, %v", writer, n, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
}

// writers has so many others write a line each time the tool is given a piece
// of the data, while it moves that.
func (c *commons) writers(n int, pieces <-chan struct{}) *sync.WaitGroup {
	var all sync.WaitGroup
	turns := make([]chan struct{}, n)
	for i := range turns {
		turns[i] = make(chan struct{}, 1000)
		all.Go(func() {
			number := 0
			for range turns[i] {
				c.write(i, number)
				number++
			}
		})
	}
	all.Go(func() {
		for range pieces {
			for _, turn := range turns {
				turn <- struct{}{}
			}
		}
		for _, turn := range turns {
			close(turn)
		}
	})
	return &all
}

// feed writes data into a pipe, and tells of each piece.
func feed(w *os.File, data []byte, pieces chan<- struct{}) {
	for piece := range slices.Chunk(data, 300_000) {
		if _, err := w.Write(piece); err != nil {
			break
		}
		pieces <- struct{}{}
	}
	close(pieces)
	w.Close()
}

// content is the file, without what others have written, all of which must be
// there whole.
func (c *commons) content() []byte {
	c.Helper()
	all, err := os.ReadFile(c.file.Name())
	if err != nil {
		c.Fatal(err)
	}
	found := []string{}
	for _, line := range otherLine.FindAll(all, -1) {
		found = append(found, string(line))
	}
	slices.Sort(found)
	slices.Sort(c.lines)
	if !slices.Equal(found, c.lines) {
		c.Errorf("%d lines of others are whole, want %d", len(found), len(c.lines))
	}
	return otherLine.ReplaceAll(all, nil)
}

func (c *commons) mustHave(want []byte) {
	c.Helper()
	if got := c.content(); !bytes.Equal(got, want) {
		c.Errorf("%d bytes of data, want %d; %d zeros", len(got), len(want), bytes.Count(got, []byte{0}))
	}
	if c.said.Len() > 0 {
		c.Errorf("said %q", c.said.String())
	}
}

// copies are the commands that bring standard input, or the file "in", to a
// standard output that others write to.
var copies = [][]string{
	{"zcat"}, {"ztee"}, {"ztee", "copy"}, {"zpipe"}, {"zpipe", "--buffer=8M"},
	{"zcat", "in"}, {"zcat", "--method=copy_file_range", "in"}, {"zcat", "--method=splice", "in"},
	{"zcat", "--method=mmap", "in"}, {"zcat", "--method=readwrite", "in"}, {"zpipe", "in", "-"},
}

func TestNothingIsLostInAFileThatOthersWriteToMeanwhile(t *testing.T) {
	for i, fs := range []string{"ext4", "tmpfs", "xfs", "btrfs", "overlay"} {
		for j, command := range copies {
			writers := []int{2, 4, 8}[(i+j)%3]
			t.Run(fmt.Sprintf("%s, %s, %d writers", strings.Join(command, " "), fs, writers), func(t *testing.T) {
				dir := testfs.Shared(t, fs)
				c := newCommons(t, dir, command[0], command[1:]...)
				pieces := make(chan struct{}, 100)
				if slices.Contains(command, "in") {
					if err := os.WriteFile(filepath.Join(dir, "in"), sharedData, 0o644); err != nil {
						t.Fatal(err)
					}
					all := c.writers(writers, pieces)
					c.mustRun(func() {
						for range 50 {
							pieces <- struct{}{}
						}
						close(pieces)
					})
					all.Wait()
				} else {
					r, w := openPipe(t)
					c.tool.Stdin = r
					all := c.writers(writers, pieces)
					c.mustRun(func() {
						r.Close()
						feed(w, sharedData, pieces)
					})
					all.Wait()
				}
				c.mustHave(sharedData)
			})
		}
	}
}

// mustRun runs the tool, and beside it.
func (c *commons) mustRun(beside func()) {
	c.Helper()
	if err := c.tool.Start(); err != nil {
		c.Fatal(err)
	}
	beside()
	if err := c.tool.Wait(); err != nil {
		c.Errorf("%v: %s", err, c.said.String())
	}
}

func openPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func (c *commons) size() int64 {
	c.Helper()
	info, err := c.file.Stat()
	if err != nil {
		c.Fatal(err)
	}
	return info.Size()
}

// holds waits until the file has at least so many bytes.
func (c *commons) holds(size int64) {
	c.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		var st unix.Stat_t
		if err := unix.Fstat(int(c.file.Fd()), &st); err != nil || time.Now().After(end) {
			c.Fatalf("%v; the file has %d bytes, want %d", err, st.Size, size)
		}
		if st.Size >= size {
			return
		}
	}
}

// Whatever a signal interrupts, it leaves no hole behind.
func TestASignalLeavesNoHoleInASharedFile(t *testing.T) {
	for _, fs := range []string{"ext4", "tmpfs"} {
		for _, tool := range []string{"zcat", "ztee", "zpipe"} {
			for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
				t.Run(fmt.Sprint(fs, " ", tool, " ", sig), func(t *testing.T) {
					c := newCommons(t, testfs.Shared(t, fs), tool)
					r, w := openPipe(t)
					c.tool.Stdin = r
					if err := c.tool.Start(); err != nil {
						t.Fatal(err)
					}
					r.Close()
					fed := make(chan struct{})
					go func() {
						defer close(fed)
						for _, err := w.Write(sharedData); err == nil; _, err = w.Write(sharedData) {
						}
					}()
					c.holds(4 << 20)
					sent := time.Now()
					if err := c.tool.Process.Signal(sig); err != nil {
						t.Fatal(err)
					}
					err := c.tool.Wait()
					inTime := time.Since(sent) < time.Second // a write that takes longer is not waited for
					c.write(0, 0)
					<-fed
					if status := c.tool.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != sig {
						t.Errorf("%v, want %v", err, sig)
					}
					if got := c.content(); bytes.Count(got, []byte{0}) > 0 && inTime {
						t.Errorf("%d bytes, %d zeros", len(got), bytes.Count(got, []byte{0}))
					}
				})
			}
		}
	}
}

// What SIGKILL may cost is what had been reserved and not written: a round where
// nobody else has written, and nothing once somebody has.
func TestKILLLeavesAtMostAHoleOfOneRound(t *testing.T) {
	const round = 1 << 20
	for _, fs := range []string{"ext4", "tmpfs"} {
		for _, tool := range []string{"zcat", "ztee", "zpipe"} {
			for _, noticed := range []bool{false, true} {
				t.Run(fmt.Sprint(fs, " ", tool, ", others were noticed: ", noticed), func(t *testing.T) {
					c := newCommons(t, testfs.Shared(t, fs), tool)
					r, w := openPipe(t)
					c.tool.Stdin = r
					if err := c.tool.Start(); err != nil {
						t.Fatal(err)
					}
					r.Close()
					fed := make(chan struct{})
					go func() {
						defer close(fed)
						for _, err := w.Write(sharedData); err == nil; _, err = w.Write(sharedData) {
						}
					}()
					c.holds(4 * round)
					if noticed {
						c.write(0, 0)
						c.holds(c.size() + 4*round)
					}
					if err := c.tool.Process.Kill(); err != nil {
						t.Fatal(err)
					}
					_ = c.tool.Wait() // it was killed
					c.write(0, 1)
					<-fed
					got := c.content()
					data := bytes.TrimRight(got, "\x00")
					zeros, most := len(got)-len(data), round
					if noticed {
						most = 0
					}
					if zeros > most || !isRepeated(data, sharedData) {
						t.Errorf("%d zeros, want at most %d; the data before is right: %t", zeros, most, isRepeated(data, sharedData))
					}
				})
			}
		}
	}
}

// isRepeated reports whether got is want again and again, up to anywhere.
func isRepeated(got, want []byte) bool {
	for ; len(got) > len(want); got = got[len(want):] {
		if !bytes.HasPrefix(got, want) {
			return false
		}
	}
	return bytes.HasPrefix(want, got)
}

// What was taken of a full disk is given back: who writes next, when there is
// room again, leaves no hole.
func TestAFullDiskLeavesNoHoleInASharedFile(t *testing.T) {
	for _, command := range copies[:5] {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			dir := testfs.MountSized(t, "tmpfs", 8<<20)
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o644); err != nil {
				t.Fatal(err)
			}
			c := newCommons(t, dir, command[0], command[1:]...)
			r, w := openPipe(t)
			c.tool.Stdin = r
			if err := c.tool.Start(); err != nil {
				t.Fatal(err)
			}
			r.Close()
			go func() { _, _ = w.Write(sharedData); w.Close() }()
			if err := c.tool.Wait(); c.tool.ProcessState.ExitCode() != 1 || !strings.Contains(c.said.String(), ": No space left on device\n") {
				t.Errorf("%v, said %q", err, c.said.String())
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			c.write(0, 0)
			if got := c.content(); !bytes.HasPrefix(sharedData, got) {
				t.Errorf("%d bytes, %d zeros", len(got), bytes.Count(got, []byte{0}))
			}
		})
	}
}

func TestTheSizeLimitLeavesNoHoleInASharedFile(t *testing.T) {
	for _, tool := range []string{"zcat", "ztee", "zpipe"} {
		c := newCommons(t, t.TempDir(), "zcat")
		c.tool.Args = []string{"sh", "-c", `ulimit -f 3000; ulimit -c 0; exec "$0"`, filepath.Join(testbin.Dir(t), tool)}
		c.tool.Path, _ = exec.LookPath("sh")
		c.tool.Stdin = bytes.NewReader(sharedData)
		err := c.tool.Run()
		c.write(0, 0)
		if got := c.content(); !bytes.HasPrefix(sharedData, got) || len(got) < 1<<20 || c.said.Len() > 0 {
			t.Errorf("%s: %v, %d bytes, %d zeros, said %q", tool, err, len(got), bytes.Count(got, []byte{0}), c.said.String())
		}
	}
}

// Some versions of make(1) set O_APPEND on the log that they share.
func TestAppendingSwitchedOnMidwayLosesNothing(t *testing.T) {
	for _, fs := range []string{"ext4", "tmpfs", "xfs", "btrfs", "overlay"} {
		for _, tool := range []string{"zcat", "ztee", "zpipe"} {
			t.Run(fs+" "+tool, func(t *testing.T) {
				c := newCommons(t, testfs.Shared(t, fs), tool)
				r, w := openPipe(t)
				c.tool.Stdin = r
				c.mustRun(func() {
					r.Close()
					half := len(sharedData) / 2
					_, _ = w.Write(sharedData[:half])
					c.holds(2 << 20)
					if _, err := unix.FcntlInt(c.file.Fd(), unix.F_SETFL, unix.O_RDWR|unix.O_APPEND); err != nil {
						t.Error(err)
					}
					// The tool notices with the next round.
					_, _ = w.Write(sharedData[half : half+3<<20])
					c.holds(int64(half))
					for i := range 100 {
						c.write(0, i)
					}
					_, _ = w.Write(sharedData[half+3<<20:])
					w.Close()
				})
				c.mustHave(sharedData)
			})
		}
	}
}

// (zcat & zcat) < big: each byte goes to one of them.
func TestEveryByteOfASharedSourceGoesToOneReader(t *testing.T) {
	numbers := make([]byte, 32<<20)
	for i := range len(numbers) / 4 {
		binary.LittleEndian.PutUint32(numbers[4*i:], uint32(i))
	}
	tools := [][]string{{"zcat"}, {"ztee"}, {"zpipe"}, {"zcat", "--method=mmap"}, {"zcat", "--method=sendfile"}, {"zpipe", "--buffer=4M"}, {"zcat", "--method=readwrite"}, {"zcat", "--method=splice"}}
	for i, fs := range []string{"ext4", "tmpfs", "xfs", "btrfs", "overlay"} {
		readers := []int{2, 4, 8}[i%3]
		t.Run(fmt.Sprint(fs, ", ", readers, " readers"), func(t *testing.T) {
			dir := testfs.Shared(t, fs)
			path := filepath.Join(dir, "in")
			if err := os.WriteFile(path, numbers, 0o644); err != nil {
				t.Fatal(err)
			}
			src, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			var all sync.WaitGroup
			got := make([][]byte, readers)
			for i := range readers {
				command := tools[i%len(tools)]
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, filepath.Join(testbin.Dir(t), command[0]), command[1:]...)
				cmd.Stdin = src
				r, w := openPipe(t)
				cmd.Stdout = w
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				w.Close()
				all.Go(func() {
					got[i], _ = io.ReadAll(r)
					if err := cmd.Wait(); err != nil {
						t.Errorf("%v: %v", command, err)
					}
				})
			}
			all.Wait()
			seen := make([]uint32, 0, len(numbers)/4)
			for _, p := range got {
				for n := range slices.Chunk(p, 4) {
					seen = append(seen, binary.LittleEndian.Uint32(append(n, 0, 0, 0)))
				}
			}
			slices.Sort(seen)
			if len(seen) != len(numbers)/4 {
				t.Fatalf("%d numbers, want %d", len(seen), len(numbers)/4)
			}
			for i, n := range seen {
				if int(n) != i {
					t.Fatalf("number %d is missing or twice", i)
				}
			}
		})
	}
}
