package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"zeroutils/internal/testfs"
)

// An event is a line of `go test -json`, described by `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// A test is one test in one package, in the run of a given number.
type test struct {
	run       int
	pkg, name string
}

// results are what the tests of some runs did.
type results struct {
	live io.Writer // gets each package's line and the output of failures
	runs int

	output  map[test]*strings.Builder // of tests that have not ended, and of packages (no name)
	action  map[test]string           // pass, fail or skip
	reason  map[test]string           // why it was skipped
	parents map[test]bool             // tests that consist of subtests
	seconds map[string]float64        // of packages
}

func newResults(live io.Writer) *results {
	return &results{
		live:    live,
		output:  map[test]*strings.Builder{},
		action:  map[test]string{},
		reason:  map[test]string{},
		parents: map[test]bool{},
		seconds: map[string]float64{},
	}
}

// read reads the events of a run. What is not an event is passed on.
func (r *results) read(from io.Reader) error {
	r.runs++
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				r.say(string(line))
			} else {
				r.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *results) say(s string) { io.WriteString(r.live, s) }

func (r *results) take(e event) {
	t := test{r.runs, e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.say(e.Output)
	case "output":
		if r.output[t] == nil {
			r.output[t] = &strings.Builder{}
		}
		r.output[t].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(t, e)
		} else {
			r.endTest(t, e)
		}
	}
}

func (r *results) endTest(t test, e event) {
	r.action[t] = e.Action
	for i, c := range t.name {
		if c == '/' {
			r.parents[test{t.run, t.pkg, t.name[:i]}] = true
		}
	}
	if e.Action == "fail" && !r.subtestFailed(t) {
		delete(r.parents, t) // it failed by itself
	}
	if out := r.output[t]; out != nil {
		switch e.Action {
		case "fail":
			r.say(out.String())
		case "skip":
			r.reason[t] = reason(out.String())
		}
		delete(r.output, t)
	}
}

func (r *results) subtestFailed(t test) bool {
	for other, action := range r.action {
		if action == "fail" && other.run == t.run && other.pkg == t.pkg && strings.HasPrefix(other.name, t.name+"/") {
			return true
		}
	}
	return false
}

// endPackage prints what `go test` prints of a package. Where it failed, the
// tests that have not ended were cut short: a panic or a time limit ended them.
func (r *results) endPackage(t test, e event) {
	r.seconds[t.pkg] += e.Elapsed
	var own string
	failed := false // by a test
	for other, action := range r.action {
		failed = failed || other.run == t.run && other.pkg == t.pkg && action == "fail"
	}
	if out := r.output[t]; out != nil {
		own = out.String()
		delete(r.output, t)
	}
	for _, cut := range slices.SortedFunc(maps.Keys(r.output), compare) {
		if cut.pkg != t.pkg {
			continue
		}
		if e.Action == "fail" {
			r.action[cut], failed = "fail", true
			r.say(r.output[cut].String())
		}
		delete(r.output, cut)
	}
	if e.Action == "fail" {
		r.say(own)
		if !failed {
			r.action[t] = "fail" // it was not built, or TestMain failed
		}
		return
	}
	for line := range strings.Lines(own) {
		if strings.HasPrefix(line, "ok ") {
			r.say(line)
		}
	}
}

func compare(a, b test) int {
	return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.name, b.name), cmp.Compare(a.run, b.run))
}

var place = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: `)

// reason is the line before "--- SKIP" without its place in the source.
func reason(output string) string {
	var last string
	for line := range strings.Lines(output) {
		if at := place.FindString(line); at != "" {
			last = strings.TrimSpace(line[len(at):])
		}
	}
	return cmp.Or(last, "no reason given")
}

// count returns the number of tests by what they did. A test with subtests counts
// only where it failed and none of them did.
func (r *results) count() map[string]int {
	n := map[string]int{}
	for t, action := range r.action {
		if !r.parents[t] {
			n[action]++
		}
	}
	return n
}

// skipped returns the number of tests that were skipped for each reason.
func (r *results) skipped() map[string]int {
	n := map[string]int{}
	for t, action := range r.action {
		if action == "skip" && !r.parents[t] {
			n[r.reason[t]]++
		}
	}
	return n
}

// unlawful returns the reasons that CI does not accept.
func (r *results) unlawful() []string {
	reasons := slices.Sorted(maps.Keys(r.skipped()))
	return slices.DeleteFunc(reasons, testfs.KernelLacks)
}

// slow is how many of the slowest packages a summary names.
const slow = 5

func (r *results) summarize(w io.Writer) {
	packages := slices.SortedFunc(maps.Keys(r.seconds), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.seconds[b], r.seconds[a]), strings.Compare(a, b))
	})
	fmt.Fprintln(w, "slowest packages:")
	for _, pkg := range packages[:min(slow, len(packages))] {
		took := time.Duration(r.seconds[pkg] * float64(time.Second)).Round(100 * time.Millisecond)
		fmt.Fprintf(w, "  %8s  %s\n", took, pkg)
	}
	n := r.count()
	if skipped := r.skipped(); len(skipped) > 0 {
		fmt.Fprintln(w, "skipped:")
		reasons := slices.SortedFunc(maps.Keys(skipped), func(a, b string) int {
			return cmp.Or(skipped[b]-skipped[a], strings.Compare(a, b))
		})
		for _, reason := range reasons {
			fmt.Fprintf(w, "  %8d  %s\n", skipped[reason], reason)
		}
	}
	if n["fail"] > 0 {
		fmt.Fprintln(w, "failed:")
		for _, t := range slices.SortedFunc(maps.Keys(r.action), compare) {
			if r.action[t] == "fail" && !r.parents[t] {
				fmt.Fprintln(w, strings.TrimRight("            "+t.pkg+" "+t.name, " "))
			}
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"])
}
