// Probe is what the tests of package signals execute: a tool that does with its
// signals and descriptors what the tools of this module do.
//
//	probe kill SIGNAL   send itself a signal, then say that it survived
//	probe notify SIGNAL the same with a signal that it has asked to be told of
//	probe die SIGNAL    end by a signal
//	probe fatal SIGNAL  say whether a signal is fatal
//	probe fault         write where there is no memory
//	probe cleanup SIGNAL
//	                    send itself a signal, with two cleanups
//	probe write         write to a pipe that has no reader, and say what went wrong
//	probe survive       the same, with the signal caught
//	probe child         execute a program that says which signals it ignores and blocks
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
)

func main() {
	switch os.Args[1] {
	case "kill":
		signals.Restore()
		kill(number(os.Args[2]))
		fmt.Println("survived")
	case "notify":
		signals.Restore()
		notify(number(os.Args[2]))
	case "later":
		sig := number(os.Args[2])
		signals.Restore(sig)
		kill(sig)
		notify(sig)
	case "die":
		signal.Ignore(number(os.Args[2]))
		signals.Die(number(os.Args[2]))
	case "cleanup":
		signals.Restore()
		for _, last := range []string{"second", "first"} {
			signals.Cleanup(func() { fmt.Println(last) }, syscall.SIGTERM, syscall.SIGINT)
		}
		if len(os.Args) > 3 {
			signals.Cleanup(func() { select {} }, syscall.SIGTERM)
		}
		kill(number(os.Args[2]))
		time.Sleep(20 * time.Second)
	case "fatal":
		fmt.Println(signals.Fatal(number(os.Args[2])))
	case "fault":
		signals.Restore()
		var nothing *int
		*nothing = 1
	case "child":
		signals.Restore()
		signals.CatchPipe()
		cmd := exec.Command("grep", "-E", "Sig(Ign|Blk)", "/proc/self/status")
		cmd.Stdout = os.Stdout
		if err := cmd.Run(); err != nil {
			panic(err)
		}
	case "write", "survive":
		signals.Restore()
		if os.Args[1] == "survive" {
			signals.CatchPipe()
		}
		var fds [2]int
		if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
			panic(err)
		}
		syscall.Close(fds[0])
		if _, err := syscall.Write(fds[1], []byte("text")); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func notify(sig syscall.Signal) {
	told := make(chan os.Signal, 1)
	signals.Notify(told, sig)
	kill(sig)
	patience := 20 * time.Second
	if procstart.Ignored(sig) || procstart.Blocked(sig) {
		patience = 100 * time.Millisecond
	}
	select {
	case sig := <-told:
		fmt.Println("told of", sig)
	case <-time.After(patience):
		fmt.Println("not told")
	}
}

// kill sends the signal to this thread, which gets it before the call returns,
// and to the process.
func kill(sig syscall.Signal) {
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(syscall.Gettid()), uintptr(sig)); errno != 0 {
		panic(errno)
	}
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		panic(err)
	}
}

func number(s string) syscall.Signal {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return syscall.Signal(n)
}
