// Command kernels starts virtual machines with other kernels, has their guests
// run tests, and collects what came out. scripts/kernels.sh makes what it needs.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A setting is what the command line says.
type setting struct {
	root, cache, built string
	kernels, tests     []string
	command            string
	list, all, doc     bool
	verbose            bool
}

func main() {
	var s setting
	var kernels, tests string
	flag.StringVar(&s.root, "root", "", "the project's directory")
	flag.StringVar(&s.cache, "cache", "", "where kernels and programs are")
	flag.StringVar(&s.built, "built", "", "where guest and tools are; removed at the end")
	flag.StringVar(&kernels, "kernels", "", "the kernels' names")
	flag.StringVar(&tests, "tests", "", "the tests' names")
	flag.BoolVar(&s.list, "l", false, "list the tests")
	flag.BoolVar(&s.verbose, "v", false, "show every result")
	flag.BoolVar(&s.all, "all", false, "run all tests at all sizes")
	flag.BoolVar(&s.doc, "doc", false, "write docs/kernels.md")
	flag.Parse()
	s.kernels, s.tests = strings.Fields(kernels), strings.Fields(tests)
	s.command = strings.Join(flag.Args(), " ")

	status := make(chan int)
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		// The kernel kills the virtual machines when this thread has ended.
		runtime.LockOSThread()
		status <- s.run()
	}()
	code := 0
	select {
	case code = <-status:
	case got := <-stopped:
		code = 128 + int(got.(unix.Signal))
	}
	os.RemoveAll(s.built)
	os.Exit(code)
}

// run returns the exit status.
func (s *setting) run() int {
	status, err := s.runKernels()
	if err == nil && s.doc {
		err = s.writeDocument()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		return 1
	}
	return status
}

func (s *setting) runKernels() (status int, err error) {
	if s.doc && !s.all && len(s.tests) == 0 {
		return 0, nil
	}
	if s.all || slices.ContainsFunc(s.tests, func(name string) bool { return strings.HasPrefix(name, "package") }) {
		if err := s.buildTests(); err != nil {
			return 1, err
		}
	}
	for _, kernel := range s.kernels {
		start := time.Now()
		book, code, err := s.boot(kernel)
		switch {
		case err != nil:
			fmt.Fprintf(os.Stderr, "kernels: Linux %s: %v\n", kernel, err)
			status = 1
		case code != 0:
			status = code
		}
		if s.list {
			break
		}
		if s.command != "" {
			continue
		}
		fmt.Printf("Linux %s: %s in %.0f s\n", kernel, book.summary(), time.Since(start).Seconds())
		if book.faults() > 0 {
			status = 1
		}
		if err := book.keep(s.cache); err != nil {
			return 1, err
		}
	}
	return status, nil
}

// writeDocument makes the page of what all runs with --all have found.
func (s *setting) writeDocument() error {
	var books []*book
	for _, kernel := range s.kernels {
		b, err := kept(s.cache, kernel)
		if err != nil {
			return err
		}
		books = append(books, b)
	}
	dir := filepath.Join(s.root, "docs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "kernels.md"), document(books), 0o644)
}
