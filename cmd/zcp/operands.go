package main

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// A job is what is to be copied to where: sources into a directory, or one
// source to a name.
type job struct {
	sources []string
	target  *filecopy.Target // nil if there is no directory
	dest    string
	parents bool // sources go under all of their names
	missing bool // dest was looked for, and is not there
}

func (j *job) run(c *filecopy.Copier) {
	if j.target == nil {
		c.To(j.dest, j.sources[0], j.missing)
		return
	}
	defer j.target.Close()
	for _, source := range j.sources {
		if j.parents {
			c.IntoParents(j.target, source)
		} else {
			c.Into(j.target, source)
		}
	}
}

// jobOf sorts the operands out. Nothing is written before it is done.
func jobOf(operands []string, o *options) (*job, error) {
	j, err := sortOperands(operands, o)
	if err != nil {
		return nil, err
	}
	j.parents = o.parents
	switch {
	case j.target == nil && j.parents:
		return nil, tool.UsageErrorf("with --parents, the destination must be a directory")
	case j.target == nil:
		j.copyToBackup(&o.copy)
	case o.strip:
		for i, source := range j.sources {
			if stripped := strings.TrimRight(source, "/"); stripped != "" {
				j.sources[i] = stripped
			}
		}
	}
	return j, nil
}

// copyToBackup makes of cp -bf file file, which asks for a backup of a file and
// no more, a copy to the backup.
func (j *job) copyToBackup(o *filecopy.Options) {
	if j.dest != j.sources[0] || o.Backup.Control == filecopy.NoBackups || o.Existing&filecopy.Force == 0 {
		return
	}
	var st unix.Stat_t
	if unix.Stat(j.dest, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
		j.dest = o.Backup.Name(j.dest)
		o.Backup.Control = filecopy.NoBackups
	}
}

func sortOperands(operands []string, o *options) (*job, error) {
	given, plain := o.directoryGiven, o.exact
	switch {
	case len(operands) == 0:
		return nil, tool.MissingFileOperand()
	case len(operands) == 1 && !given:
		return nil, tool.MissingDestination(operands[0])
	case plain && given:
		return nil, errors.New("cannot combine --target-directory (-t) and --no-target-directory (-T)")
	case plain && len(operands) > 2:
		return nil, tool.ExtraOperand(operands[2])
	case plain:
		return &job{sources: operands[:1], dest: operands[1]}, nil
	case given:
		return intoDirectory(operands, "target directory", o.directory)
	}
	return lastOperand(operands)
}

// lastOperand decides by what the last operand is.
func lastOperand(operands []string) (*job, error) {
	last := len(operands) - 1
	j, err := intoDirectory(operands[:last], "target", operands[last])
	failed, ok := err.(*targetError)
	if !ok || last > 1 {
		return j, err
	}
	return &job{sources: operands[:1], dest: operands[1], missing: failed.err == unix.ENOENT}, nil
}

func intoDirectory(sources []string, role, name string) (*job, error) {
	target, err := filecopy.OpenTarget(name)
	if err != nil {
		return nil, &targetError{role, name, err}
	}
	return &job{sources: sources, target: target}, nil
}

// A targetError is a directory that cannot be copied into.
type targetError struct {
	role, name string
	err        error
}

func (e *targetError) Error() string {
	return e.role + " " + tool.QuoteAlways(e.name) + ": " + tool.ErrorText(e.err)
}
