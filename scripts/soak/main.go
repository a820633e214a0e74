// Soak runs the tools mixed at random for some time and checks every byte that
// comes out of them.
//
//	soak -tools DIR [-for DURATION] [-seed N] [-only N]
//
// A scene is one use of some tools: a pipeline, a server's client, a tree that
// is moved. Its number and the seed decide all that it draws, so -only repeats
// it, but for the moments at which the kernel lets things happen. Some scenes run
// side by side, and all the time a server serves some of them. The processes'
// memory, threads and descriptors are watched.
//
// The summary is on standard output. A fault ends the run with status 1, after
// its scene has been described.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	tools := flags.String("tools", "", "the directory of the tools")
	length := flags.Duration("for", time.Minute, "how long to go on")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano())%1e9, "what decides the scenes")
	only := flags.Uint64("only", 0, "the number of the only scene to run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newSoak(*tools, *seed)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(out, "seed %d\n", *seed)
	if *only > 0 {
		err = s.play(*only)
	} else {
		err = s.playFor(*length)
	}
	s.summarize(out)
	return errors.Join(err, s.watch.check(), s.server.check())
}

// sideBySide is how many scenes run at a time: more than there are processors,
// so that every tool is stopped in the middle of things.
func sideBySide() uint64 { return uint64(runtime.GOMAXPROCS(0) + 2) }

// playFor plays scenes until the time is over, a scene fails, or a signal comes.
func (s *soak) playFor(length time.Duration) error {
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(over)
	stop := make(chan struct{})
	var once sync.Once
	end := func() { once.Do(func() { close(stop) }) }
	timer := time.AfterFunc(length, end)
	defer timer.Stop()
	go func() {
		select {
		case <-over:
			end()
		case <-stop:
		}
	}()
	faults := make([]error, sideBySide())
	var players sync.WaitGroup
	for first := range sideBySide() {
		players.Go(func() {
			for n := first + 1; faults[first] == nil; n += sideBySide() {
				select {
				case <-stop:
					return
				default:
					faults[first] = s.play(n)
				}
			}
			end()
		})
	}
	players.Wait()
	return errors.Join(faults...)
}
