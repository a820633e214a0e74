package main

import (
	"errors"
	"strings"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// A mvJob is what is to be moved to where: sources into a directory, or one
// source to a name.
type mvJob struct {
	sources []string
	target  *filecopy.Target // nil if there is no directory
	dest    string
	tried   error // how renaming the source to dest went
}

func (j *mvJob) run(r *filecopy.Renamer) {
	if j.target == nil {
		r.To(j.dest, j.sources[0], j.tried)
		return
	}
	defer j.target.Close()
	for i, source := range j.sources {
		r.Into(j.target, source, i == len(j.sources)-1)
	}
}

// mvJobOf sorts the operands out. Of two operands the first is renamed to the
// second, if nothing has that name: whether it is a directory is then no question.
func mvJobOf(operands []string, o *mvOptions) (*mvJob, error) {
	given := o.directoryGiven
	switch {
	case len(operands) == 0:
		return nil, tool.MissingFileOperand()
	case len(operands) == 1 && !given:
		return nil, tool.MissingDestination(operands[0])
	case o.exact && given:
		return nil, errors.New("cannot combine --target-directory (-t) and --no-target-directory (-T)")
	case o.exact && len(operands) > 2:
		return nil, tool.ExtraOperand(operands[2])
	}
	last := len(operands) - 1
	switch {
	case o.exact:
		operands = o.stripped(operands)
		return &mvJob{sources: operands[:1], dest: operands[1], tried: filecopy.NotTried}, nil
	case given:
		return mvInto(o.stripped(operands), "target directory", o.directory)
	}
	sources, dest := o.stripped(operands[:last]), operands[last]
	tried := error(filecopy.NotTried)
	if last == 1 && !o.move.Exchange {
		if tried = filecopy.TryRename(dest, sources[0]); tried == nil {
			return &mvJob{sources: sources, dest: dest}, nil
		}
	}
	j, err := mvInto(sources, "target", dest)
	if err != nil && last == 1 { // not before, since with a slash it has to be a directory
		return &mvJob{sources: sources, dest: o.stripped(operands[1:])[0], tried: tried}, nil
	}
	return j, err
}

// stripped removes the slashes behind names, if that is asked for.
func (o *mvOptions) stripped(operands []string) []string {
	if o.strip {
		for i, name := range operands {
			if short := strings.TrimRight(name, "/"); short != "" {
				operands[i] = short
			}
		}
	}
	return operands
}

func mvInto(sources []string, role, name string) (*mvJob, error) {
	target, err := filecopy.OpenTarget(name)
	if err != nil {
		return nil, &targetError{role, name, err}
	}
	return &mvJob{sources: sources, target: target}, nil
}
