// Gotest runs `go test` and says at the end what was left out.
//
//	gotest DIR test [ARGUMENT...]
//	gotest DIR summary
//
// The first form runs `go test -json ARGUMENT...` and keeps its events in a file
// in DIR. It prints a line for each package and all output of a test that
// fails. Under CI=true it also fails if a test was skipped for any reason but a
// feature that the running kernel lacks.
//
// The second form prints what all runs did: the packages that took longest, the
// skipped tests by reason, and last a line "N passed, N failed, N skipped".
// Subtests count, tests that consist of subtests do not.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) > 1 && args[1] == "test":
		err = run(os.Stdout, args[0], args[2:])
	case len(args) == 2 && args[1] == "summary":
		err = summarize(os.Stdout, args[0])
	default:
		err = errors.New("usage: gotest DIR test [ARGUMENT...] | gotest DIR summary")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func summarize(w io.Writer, log string) error {
	files, err := filepath.Glob(filepath.Join(log, "*.json"))
	if err != nil {
		return err
	}
	r := newResults(io.Discard)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = r.read(f)
		f.Close()
		if err != nil {
			return err
		}
	}
	r.summarize(w)
	return nil
}

func run(w io.Writer, log string, args []string) error {
	f, err := os.CreateTemp(log, "*.json")
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newResults(w)
	readErr := r.read(io.TeeReader(out, f))
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	if readErr != nil {
		return readErr
	}
	if unlawful := r.unlawful(); os.Getenv("CI") == "true" && len(unlawful) > 0 {
		for _, reason := range unlawful {
			fmt.Fprintln(w, "skipped under CI=true:", reason)
		}
		return errors.New("under CI=true a test may skip only what the kernel lacks")
	}
	return nil
}
