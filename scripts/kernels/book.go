package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A result is what a guest says of one thing that it tried, a line of JSON.
type result struct {
	Kernel  string // uname -r, in the first line of a guest alone
	Test    string // "fs/ext4"
	Place   int    // of the test in the list of all
	Part    string // what was tried, such as "zcat, file to pipe"
	Method  string // of --method, if that is what the part is about
	Verdict string // works, refused or FAULT; "begins" before a test
	Detail  string // the method that served, the reason, or what is wrong
	Done    bool   // the last line of a guest
	Status  int    // of the command
}

const (
	works   = "works"
	refused = "refused"
	fault   = "FAULT"
	begins  = "begins"
)

// A book holds the results of a guest.
type book struct {
	name    string // "5.10"
	Release string // uname -r
	Results []result
}

func (b *book) count(verdict string) (n int) {
	for _, r := range b.Results {
		if r.Verdict == verdict {
			n++
		}
	}
	return n
}

func (b *book) faults() int { return b.count(fault) }

func (b *book) summary() string {
	return fmt.Sprintf("%d work, %d are refused, %d faults", b.count(works), b.count(refused), b.faults())
}

// path is where a cache has what came out of the last run of each test.
func (b *book) path(cache string) string { return filepath.Join(cache, "results-"+b.name+".json") }

// kept returns what the cache has of a kernel.
func kept(cache, name string) (*book, error) {
	b := &book{name: name}
	text, err := os.ReadFile(b.path(cache))
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(text, b)
	}
	return b, err
}

// keep puts the tests that ran into the cache, in place of what they said before.
func (b *book) keep(cache string) error {
	old, err := kept(cache, b.name)
	if err != nil {
		return err
	}
	ran := map[string]bool{}
	for _, r := range b.Results {
		ran[r.Test] = true
	}
	all := book{Release: b.Release, Results: b.Results}
	for _, r := range old.Results {
		if !ran[r.Test] {
			all.Results = append(all.Results, r)
		}
	}
	slices.SortStableFunc(all.Results, func(a, b result) int { return a.Place - b.Place })
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(b.path(cache), text, 0o644)
}

func (r result) String() string {
	if r.Verdict == begins {
		return r.Test
	}
	s := r.Test + ": " + r.Part
	if r.Method != "" {
		s += " by " + r.Method
	}
	s += ": " + r.Verdict
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}
