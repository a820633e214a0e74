package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"zeroutils/internal/unstable"
)

// A program is one of those that stand for a tool.
type program struct {
	label string
	argv  []string // how its command line begins; empty for no relay
	ours  bool
	err   error // why it does not take part
}

// A contender is a program in a case.
type contender struct {
	program
	command
}

// line is the whole command line.
func (c contender) line() []string {
	if len(c.program.argv) == 0 {
		return nil
	}
	line := append(c.program.argv[:len(c.program.argv):len(c.program.argv)], c.command.argv[1:]...)
	if c.then != "" {
		line = append([]string{"/bin/sh", "-c", `"$@" && ` + c.then, "sh"}, line...)
	}
	return line
}

var errNotInstalled = errors.New("not installed")

// A toolbox has, for each tool that commands name, the programs to run.
type toolbox map[string][]program

// findTools looks for theirs in PATH. Ours it takes from a directory, as the
// zcat in PATH is usually gzip's. To these it adds the programs that arguments
// TOOL=PATH or TOOL:LABEL=PATH name; without a label, the path is the label.
func findTools(ours string, more []string) (toolbox, error) {
	b := toolbox{noRelay: {{label: "no relay"}}}
	for _, name := range []string{"cat", "tee", "cp", "mv", "pv", "dd", "mbuffer", "socat", "rsync"} {
		b.add(name, name, name)
	}
	for _, name := range []string{"zcat", "ztee", "zcp", "zpipe", "zpv", "zmv"} {
		b.add(name, name, ours+"/"+name)
		b[name][0].ours = true
	}
	for name := range ways {
		b[name] = []program{{label: name, argv: []string{"/proc/self/exe", "way", name}}}
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
	p := program{label: label, argv: []string{path}}
	if err != nil {
		p.err = errNotInstalled
	}
	b[tool] = append(b[tool], p)
	return err
}

// The peers are programs of Debian's unstable suite that join those of the
// system, or take the place of those that are not installed.
var peers = []struct {
	pkg, program string
	applets      []string // the tools that a program is that is many in one
}{
	{"coreutils", "", []string{"cat", "tee", "cp", "mv", "dd"}},
	{"rust-coreutils", "coreutils", []string{"cat", "tee", "cp", "mv"}},
	{"busybox", "busybox", []string{"cat", "tee", "cp", "mv"}},
	{"pv", "pv", nil},
	{"mbuffer", "mbuffer", nil},
	{"socat", "socat", nil},
	{"rsync", "rsync", nil},
}

// addPeers fetches the peers. A tool that is only itself replaces the system's,
// which is older. The error says which could not be had.
func (b toolbox) addPeers() (err error) {
	for _, p := range peers {
		applets := p.applets
		if applets == nil {
			applets = []string{p.program}
		}
		for _, tool := range applets {
			name := p.program
			if name == "" {
				name = tool
			}
			argv, fetchErr := unstable.Command(p.pkg, name)
			if fetchErr != nil {
				err = errors.Join(err, fmt.Errorf("%s is missing: %w", p.pkg, fetchErr))
				continue
			}
			if p.applets != nil && p.program != "" {
				argv = append(argv, tool)
			}
			peer := program{label: peerLabel(p.pkg, tool), argv: argv}
			if p.applets == nil {
				b[tool] = []program{peer}
			} else {
				b[tool] = append(b[tool], peer)
			}
		}
	}
	return err
}

func peerLabel(pkg, tool string) string {
	switch pkg {
	case "coreutils":
		return tool + " (GNU, newest)"
	case "rust-coreutils":
		return tool + " (uutils)"
	case "busybox":
		return tool + " (busybox)"
	}
	return tool
}

// lineup is who takes part in a case; the first is the reference.
func (b toolbox) lineup(c benchCase) (all []contender) {
	for _, command := range c.commands {
		for _, p := range b[command.argv[0]] {
			all = append(all, contender{p, command})
		}
	}
	return all
}

// versions says what each program of the contenders calls itself.
func (b toolbox) versions() map[string]string {
	versions := map[string]string{}
	for tool, programs := range b {
		for _, p := range programs {
			if len(p.argv) > 0 && p.err == nil && ways[tool] == nil {
				versions[p.label] = version(tool, p.argv)
			}
		}
	}
	return versions
}

func version(tool string, argv []string) string {
	option := "--version"
	if tool == "socat" {
		option = "-V"
	}
	said, _ := exec.Command(argv[0], append(argv[1:len(argv):len(argv)], option)...).CombinedOutput()
	lines := strings.Split(string(said), "\n")
	for _, line := range lines { // socat begins with who made it
		if strings.Contains(line, "ersion") || strings.Contains(line, "BusyBox v") {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return lines[0]
}
