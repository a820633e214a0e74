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
	if err != nil {
		return filecopy.Options{}, err
	}
	o := filecopy.Options{
		Recursive:          inv.Flags.Bool("recursive") || inv.Flags.Bool("archive"),
		Contents:           inv.Flags.Bool("copy-contents"),
		Data:               data,
		Jobs:               jobs,
		AttributesOnly:     inv.Flags.Bool("attributes-only"),
		OneFilesystem:      inv.Flags.Bool("one-file-system"),
		KeepDirectoryLinks: inv.Flags.Bool("keep-directory-symlink"),
	}
	if err := preserve(inv, &o); err != nil {
		return o, err
	}
	if o.Make, err = makes(inv); err != nil {
		return o, err
	}
	o.Links = followed(inv, o)
	o.Existing = replaced(inv)
	o.Update, o.Ask = overwriting(inv)
	if o.Backup, err = backupOf(inv, o.Update); err != nil {
		return o, err
	}
	if err := safely(inv, &o); err != nil {
		return o, err
	}
	_, o.Dangling = os.LookupEnv("POSIXLY_CORRECT")
	return o, nil
}

func makes(inv *tool.Invocation) (filecopy.Make, error) {
	hard, symbolic := inv.Flags.Bool("link"), inv.Flags.Bool("symbolic-link")
	switch {
	case hard && symbolic:
		return 0, tool.UsageErrorf("cannot make both hard and symbolic links")
	case hard:
		return filecopy.HardLinks, nil
	case symbolic:
		return filecopy.SymbolicLinks, nil
	}
	return filecopy.Copies, nil
}

// followed are the symbolic links that are followed, by what was said last.
func followed(inv *tool.Invocation, o filecopy.Options) filecopy.Links {
	last, given := inv.Line.Last("archive", "d", "H", "dereference", "no-dereference")
	switch {
	case !given && (!o.Recursive || o.Make == filecopy.HardLinks) || last.Name == "dereference":
		return filecopy.FollowLinks
	case last.Name == "H":
		return filecopy.FollowNamed
	}
	return filecopy.CopyLinks
}

// replaced says what may happen to existing files.
func replaced(inv *tool.Invocation) (e filecopy.Existing) {
	if inv.Flags.Bool("force") {
		e |= filecopy.Force
	}
	if inv.Flags.Bool("remove-destination") {
		e |= filecopy.Replace
	}
	return e
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
		Direct:  inv.Flags.Bool("direct"),
		NoCache: inv.Flags.Bool("nocache"),
	}
	if d.Method == splice.Reflink && d.Reflink == filecopy.ReflinkAuto {
		d.Reflink = filecopy.ReflinkAlways
	}
	shares := d.Reflink == filecopy.ReflinkAlways
	chosen := d.Method != splice.Auto
	past := d.Direct || d.NoCache
	switch {
	case past && chosen:
		return d, tool.UsageErrorf("--direct and --nocache cannot be combined with the method %s", d.Method)
	case past && d.Sparse == filecopy.SparseAlways:
		return d, tool.UsageErrorf("--direct and --nocache cannot be combined with --sparse=always")
	case shares && d.Sparse != filecopy.SparseAuto:
		return d, tool.UsageErrorf("--reflink can be used only with --sparse=auto")
	case shares && chosen && d.Method != splice.Reflink:
		return d, tool.UsageErrorf("--reflink=always cannot be combined with the method %s", d.Method)
	case d.Sparse == filecopy.SparseAlways && chosen && d.Method != splice.ReadWrite:
		return d, tool.UsageErrorf("--sparse=always cannot be combined with the method %s", d.Method)
	}
	return d, nil
}
