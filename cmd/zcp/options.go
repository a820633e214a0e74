package main

import (
	"os"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// optionsOf says what the command line means for the copies.
func optionsOf(inv *tool.Invocation) (filecopy.Options, error) {
	data, err := dataOf(inv)
	if err != nil {
		return filecopy.Options{}, err
	}
	jobs, err := jobsOf(inv)
	o := filecopy.Options{Recursive: inv.Flags.Bool("recursive"), Data: data, Jobs: jobs}
	if o.Recursive {
		o.Links = filecopy.CopyLinks
	}
	if inv.Flags.Bool("force") {
		o.Existing = filecopy.Force
	}
	if inv.Flags.Bool("p") {
		o.Preserve = filecopy.Mode | filecopy.Ownership | filecopy.Timestamps
	}
	o.Safety = safetyOf(inv)
	_, o.Dangling = os.LookupEnv("POSIXLY_CORRECT")
	return o, err
}

var (
	reflinks = map[string]filecopy.Reflink{
		"auto": filecopy.ReflinkAuto, "always": filecopy.ReflinkAlways, "never": filecopy.ReflinkNever,
	}
	sparses = map[string]filecopy.Sparse{
		"auto": filecopy.SparseAuto, "always": filecopy.SparseAlways, "never": filecopy.SparseNever,
	}
)

// dataOf says how data is to be moved. The method reflink is the same as
// --reflink=always; any other method has to agree with the options that ask
// for one.
func dataOf(inv *tool.Invocation) (filecopy.Data, error) {
	d := filecopy.Data{
		Method:  inv.Method,
		Reflink: reflinks[inv.Flags.String("reflink")],
		Sparse:  sparses[inv.Flags.String("sparse")],
	}
	if d.Method == splice.Reflink && d.Reflink == filecopy.ReflinkAuto {
		d.Reflink = filecopy.ReflinkAlways
	}
	shares := d.Reflink == filecopy.ReflinkAlways
	chosen := d.Method != splice.Auto
	switch {
	case shares && d.Sparse != filecopy.SparseAuto:
		return d, tool.UsageErrorf("--reflink can be used only with --sparse=auto")
	case shares && chosen && d.Method != splice.Reflink:
		return d, tool.UsageErrorf("--reflink=always cannot be combined with the method %s", d.Method)
	case d.Sparse == filecopy.SparseAlways && chosen && d.Method != splice.ReadWrite:
		return d, tool.UsageErrorf("--sparse=always cannot be combined with the method %s", d.Method)
	}
	return d, nil
}
