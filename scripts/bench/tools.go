package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// A contender is one program in one case.
type contender struct {
	label string
	argv  []string // empty for no relay
	err   error    // why it does not take part, or no longer
}

var errNotInstalled = errors.New("not installed")

// A toolbox has, for each tool that commands name, the programs to run.
type toolbox map[string][]contender

// findTools looks for theirs in PATH. Ours it takes from a directory, as the
// zcat in PATH is usually gzip's. To these it adds the programs that arguments
// TOOL=PATH or TOOL:LABEL=PATH name; without a label, the path is the label.
func findTools(ours string, more []string) (toolbox, error) {
	b := toolbox{noRelay: {{label: "no relay"}}}
	for _, name := range []string{"cat", "tee", "cp", "pv", "dd", "mbuffer", "socat"} {
		b.add(name, name, name)
	}
	for _, name := range []string{"zcat", "ztee", "zcp", "zpipe"} {
		b.add(name, name, ours+"/"+name)
	}
	for _, arg := range more {
		name, path, ok := strings.Cut(arg, "=")
		tool, label, labelled := strings.Cut(name, ":")
		if !ok || tool == noRelay || b[tool] == nil {
			return nil, fmt.Errorf("%q is not TOOL=PATH or TOOL:LABEL=PATH with a tool of the cases", arg)
		}
		if !labelled {
			label = path
		}
		if err := b.add(tool, label, path); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// add adds a program, which a lineup has even if it is not installed.
func (b toolbox) add(tool, label, name string) error {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path) // it is run in another directory
	}
	who := contender{label: label, argv: []string{path}}
	if err != nil {
		who.err = errNotInstalled
	}
	b[tool] = append(b[tool], who)
	return err
}

// lineup is who takes part in a case; the first is the reference.
func (b toolbox) lineup(c benchCase) (all []contender) {
	for _, command := range c.commands {
		for _, who := range b[command[0]] {
			if len(who.argv) > 0 {
				who.argv = append(who.argv[:1:1], command[1:]...)
			}
			all = append(all, who)
		}
	}
	return all
}
