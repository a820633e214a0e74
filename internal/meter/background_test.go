package meter

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Job control needs a session with a shell and a job in it. Both are this test
// program again, with the terminal as descriptor 3: the test tells the shell
// what to do, a word a line, and the shell passes on what is not for it.
const roleVariable = "METER_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "shell":
		shell()
	case "job":
		job()
	default:
		os.Exit(m.Run())
	}
}

const ttyFD = 3

// shell starts a job in the foreground and then gives it the terminal or takes
// it away.
func shell() {
	child := role("job", os.NewFile(ttyFD, "terminal"))
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: ttyFD}
	child.Stdout = os.Stdout
	toJob, err := child.StdinPipe()
	check(err)
	check(child.Start())
	signal.Ignore(unix.SIGTTOU) // now, for the job would inherit it
	for words := bufio.NewScanner(os.Stdin); words.Scan(); {
		switch words.Text() {
		case "foreground":
			check(unix.IoctlSetPointerInt(ttyFD, unix.TIOCSPGRP, child.Process.Pid))
			fmt.Println("done")
		case "background":
			check(unix.IoctlSetPointerInt(ttyFD, unix.TIOCSPGRP, os.Getpid()))
			fmt.Println("done")
		default:
			_, err := fmt.Fprintln(toJob, words.Text())
			check(err)
		}
	}
	check(toJob.Close())
	check(child.Wait())
}

// job has a display on the terminal.
func job() {
	d := newDisplay(Options{FD: ttyFD, Interval: time.Hour}, func(f Frame) []string {
		if f.Last {
			return []string{"file", "last"}
		}
		return []string{"file", "row"}
	}, terminalOn(ttyFD), time.Now)
	go d.follow(nil, func() {})
	for words := bufio.NewScanner(os.Stdin); words.Scan(); {
		switch words.Text() {
		case "update":
			d.update()
		case "interject":
			d.Suspend(func() { fmt.Println("said") })
		case "write":
			check(d.term.write([]byte("anyway\n")))
		case "stop":
			d.Stop()
		}
		fmt.Println("done")
	}
}

func role(name string, terminal *os.File) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+name,
		"GORACE=atexit_sleep_ms=0") // or each sleeps a second under go test -race
	cmd.ExtraFiles = []*os.File{terminal}
	cmd.Stderr = os.Stderr
	return cmd
}

// check ends a process of the session.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A session is a shell with its job, on a terminal with stty tostop.
type session struct {
	*pty
	words io.Writer
	said  *bufio.Scanner
}

func newSession(t *testing.T) *session {
	t.Helper()
	p := newPTY(t, 80)
	toStop(t, p.fd)
	terminal := os.NewFile(uintptr(must(unix.Dup(p.fd))(t)), "terminal")
	defer terminal.Close()
	cmd := role("shell", terminal)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: ttyFD}
	words := must(cmd.StdinPipe())(t)
	said := must(cmd.StdoutPipe())(t)
	ok(t, cmd.Start())
	failsafe := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		words.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the session: %v", err)
		}
		failsafe.Stop()
	})
	return &session{p, words, bufio.NewScanner(said)}
}

// toStop makes the terminal stop background processes that write.
func toStop(t *testing.T, fd int) {
	t.Helper()
	termios := must(unix.IoctlGetTermios(fd, unix.TCGETS))(t)
	termios.Lflag |= unix.TOSTOP
	ok(t, unix.IoctlSetTermios(fd, unix.TCSETS, termios))
}

// do has words obeyed and returns what was said to it.
func (s *session) do(t *testing.T, words ...string) (said []string) {
	t.Helper()
	for _, word := range words {
		must(fmt.Fprintln(s.words, word))(t)
		for s.said.Scan() && s.said.Text() != "done" {
			said = append(said, s.said.Text())
		}
		ok(t, s.said.Err())
	}
	return said
}

func TestADisplayIsSilentInTheBackground(t *testing.T) {
	s := newSession(t)
	s.do(t, "update", "update")
	s.shows(t, "\rfile\x1b[K\n\rrow\x1b[K\x1b[1A\rfile\x1b[K\n\rrow\x1b[K")
	s.do(t, "background", "update", "update")
	if said := s.do(t, "interject"); strings.Join(said, " ") != "said" {
		t.Errorf("the message became %q", said)
	}
	s.shows(t, "")
	s.do(t, "foreground", "update", "update")
	s.shows(t, "\rfile\x1b[K\n\rrow\x1b[K\x1b[1A\rfile\x1b[K\n\rrow\x1b[K")
	s.do(t, "stop")
	s.shows(t, "\x1b[1A\rfile\x1b[K\n\rlast\x1b[K\n")
}

func TestADisplayThatEndsInTheBackgroundIsSilent(t *testing.T) {
	s := newSession(t)
	s.do(t, "update")
	s.all(t)
	s.do(t, "background", "stop")
	s.shows(t, "")
}

// The terminal may be taken away between the look and the write.
func TestAWriteInTheBackgroundDoesNotStopTheProcess(t *testing.T) {
	s := newSession(t)
	s.do(t, "background", "write")
	s.shows(t, "anyway\n")
	s.do(t, "update")
	s.shows(t, "")
}

// Without a controlling terminal there are no jobs: the tests themselves have
// drawn in all others of this package. It is stated here once.
func TestATerminalOfOthersHasNoBackground(t *testing.T) {
	if terminalOn(newPTY(t, 80).fd).inBackground() {
		t.Error("this process is no job of that terminal")
	}
}
