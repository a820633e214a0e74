// Probe is what the tests of package atexec execute: a tool that does with its
// signals and descriptors what the tools of this module do.
//
//	probe show          what package atexec found out
//	probe kill SIGNAL   send itself a signal, then say that it survived
//	probe notify SIGNAL the same with a signal that it has asked to be told of
//	probe die SIGNAL    end by a signal
//	probe prepared SIGNAL
//	                    have two things to do before it is ended by a signal
//	probe write         write on standard output, and say on 2 what went wrong
//	probe survive       the same, prepared for a reader that has gone
//	probe child         execute a shell that says which signals it ignores
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"zeroutils/internal/atexec"
)

func main() {
	switch os.Args[1] {
	case "show":
		show()
	case "kill":
		atexec.RestoreSignals()
		kill(number(os.Args[2]))
		if !atexec.Ignored(number(os.Args[2])) {
			time.Sleep(20 * time.Second) // another thread may be the one to get it
		}
		fmt.Println("survived")
	case "notify":
		atexec.RestoreSignals()
		notify(number(os.Args[2]))
	case "later":
		sig := number(os.Args[2])
		atexec.RestoreSignals(sig)
		kill(sig)
		notify(sig)
	case "die":
		signal.Ignore(number(os.Args[2]))
		atexec.Die(number(os.Args[2]))
	case "prepared":
		atexec.RestoreSignals()
		for _, last := range []string{"second", "first"} {
			atexec.BeforeDying(func() { fmt.Println(last) }, syscall.SIGTERM, syscall.SIGINT)
		}
		if len(os.Args) > 3 {
			atexec.BeforeDying(func() { select {} }, syscall.SIGTERM)
		}
		kill(number(os.Args[2]))
		time.Sleep(20 * time.Second)
	case "child":
		atexec.RestoreSignals()
		atexec.SurvivePipes()
		cmd := exec.Command("grep", "SigIgn", "/proc/self/status")
		cmd.Stdout = os.Stdout
		if err := cmd.Run(); err != nil {
			panic(err)
		}
	case "write", "survive":
		atexec.RestoreSignals()
		if os.Args[1] == "survive" {
			atexec.SurvivePipes()
		}
		if _, err := syscall.Write(1, []byte("text")); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func show() {
	fmt.Fprintf(os.NewFile(3, "report"), "recorded %t\nclosed %t %t %t\nignored %v\n",
		atexec.Recorded(), atexec.Closed(0), atexec.Closed(1), atexec.Closed(2), ignored())
}

func ignored() []int {
	list := []int{}
	for sig := 1; sig <= 64; sig++ {
		if atexec.Ignored(syscall.Signal(sig)) {
			list = append(list, sig)
		}
	}
	return list
}

func notify(sig syscall.Signal) {
	told := make(chan os.Signal, 1)
	atexec.Notify(told, sig)
	kill(sig)
	patience := 20 * time.Second
	if atexec.Ignored(sig) {
		patience = 100 * time.Millisecond
	}
	select {
	case sig := <-told:
		fmt.Println("told of", sig)
	case <-time.After(patience):
		fmt.Println("not told")
	}
}

func kill(sig syscall.Signal) {
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
