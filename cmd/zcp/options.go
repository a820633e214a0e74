package main

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// options are what the command line says. It is read here, and, for the words of
// --preserve, in preserve.go, and nowhere else.
type options struct {
	copy           filecopy.Options
	verbose, debug bool
	progress       string // when it is shown
	parents        bool   // sources go under all of their names
	strip          bool   // slashes behind the names of sources
	exact          bool   // the destination is no directory to copy into
	directory      string // to copy into, if one was given
	directoryGiven bool
}

// optionsOf reads the command line.
func optionsOf(inv *tool.Invocation) (*options, error) {
	o := &options{
		debug:    inv.Flags.Bool("debug"),
		progress: inv.Flags.String("progress"),
		parents:  inv.Flags.Bool("parents") || inv.Flags.Bool("path"),
		strip:    inv.Flags.Bool("strip-trailing-slashes"),
		exact:    inv.Flags.Bool("no-target-directory"),
	}
	o.verbose = o.debug || inv.Flags.Bool("verbose")
	var err error
	if o.copy, err = copyOptions(inv); err != nil {
		return nil, err
	}
	return o, o.readDirectory(inv)
}

// readDirectory reads the directory of -t.
func (o *options) readDirectory(inv *tool.Invocation) error {
	for _, option := range inv.Line.Options {
		if option.Name != "target-directory" {
			continue
		}
		if o.directoryGiven {
			return errors.New("multiple target directories specified")
		}
		o.directory, o.directoryGiven = option.Value, true
	}
	return nil
}

// copyOptions says what the command line means for the copies.
func copyOptions(inv *tool.Invocation) (filecopy.Options, error) {
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

// jobsOf is how many workers there shall be; 0 if that is not said.
func jobsOf(inv *tool.Invocation) (int, error) {
	if !inv.Flags.IsSet("jobs") {
		return 0, nil
	}
	text := inv.Flags.String("jobs")
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, tool.UsageErrorf("invalid number of jobs: %s", tool.QuoteAlways(text))
	}
	return int(n), nil
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

// overwriting says which existing files get new contents. --no-clobber and
// --interactive override each other, --no-clobber overrides --update, and where
// --update leaves nothing to overwrite there is nothing to ask.
func overwriting(inv *tool.Invocation) (update filecopy.Update, ask bool) {
	if o, given := inv.Line.Last("update"); given {
		update = updates[o.Value]
	}
	o, given := inv.Line.Last("interactive", "no-clobber")
	switch {
	case given && o.Name == "no-clobber":
		return filecopy.UpdateNone, false
	case update >= filecopy.UpdateNone:
		return update, false
	}
	return update, given
}

var updates = map[string]filecopy.Update{
	"all": filecopy.UpdateAll, "older": filecopy.UpdateOlder,
	"none": filecopy.UpdateNone, "none-fail": filecopy.UpdateNoneFail,
}

// backupOf says which backups are made.
func backupOf(inv *tool.Invocation, update filecopy.Update) (b filecopy.Backup, err error) {
	if !backsUp(inv) {
		return filecopy.Backup{}, nil
	}
	if update >= filecopy.UpdateNone {
		return b, tool.UsageErrorf("--backup is mutually exclusive with -n or --update=none-fail")
	}
	return wantedBackup(inv)
}

// backsUp reports whether backups are asked for.
func backsUp(inv *tool.Invocation) bool {
	_, wanted := inv.Line.Last("backup", "suffix")
	return wanted
}

// wantedBackup says which backups are asked for.
func wantedBackup(inv *tool.Invocation) (b filecopy.Backup, err error) {
	control := ""
	b.Suffix = os.Getenv("SIMPLE_BACKUP_SUFFIX")
	for _, o := range inv.Line.Options {
		switch o.Name {
		case "backup":
			if o.HasValue {
				control = o.Value
			}
		case "suffix":
			b.Suffix = o.Value
		}
	}
	if b.Suffix == "" || strings.Contains(b.Suffix, "/") {
		b.Suffix = "~"
	}
	context := "backup type"
	if control == "" {
		if control = os.Getenv("VERSION_CONTROL"); control == "" {
			control = "existing"
		} else {
			context = "$VERSION_CONTROL"
		}
	}
	control, err = tool.Choice(context, control, []string{"none|off", "simple|never", "existing|nil", "numbered|t"})
	b.Control = controls[control]
	return b, err
}

var controls = map[string]filecopy.Control{
	"none": filecopy.NoBackups, "simple": filecopy.Simple,
	"existing": filecopy.AsFound, "numbered": filecopy.Numbered,
}

// safely adds what the copies are to survive.
func safely(inv *tool.Invocation, o *filecopy.Options) error {
	o.Safety = filecopy.Safety{
		Atomic: inv.Flags.Bool("atomic"),
		Fsync:  inv.Flags.Bool("fsync"),
		Verify: inv.Flags.Bool("verify"),
		Move:   inv.Flags.Bool("move"),
		Resume: inv.Flags.Bool("resume"),
	}
	if o.Resume && o.Data.Reflink == filecopy.ReflinkAlways {
		return tool.UsageErrorf("--resume cannot be combined with --reflink=always")
	}
	if s := o.Safety; o.AttributesOnly && (s.Atomic || s.Verify || s.Move || s.Resume) {
		return tool.UsageErrorf("--attributes-only cannot be combined with --atomic, --verify, --move and --resume")
	}
	if o.Move {
		return forMoving(inv, o)
	}
	return nil
}

// forMoving has everything moved as it is, and refuses what would not leave a
// copy of the source. What is preserved, preserve has decided.
func forMoving(inv *tool.Invocation, o *filecopy.Options) error {
	for _, name := range []string{"link", "symbolic-link", "copy-contents", "dereference", "H", "parents", "path"} {
		if inv.Flags.Bool(name) {
			if len(name) == 1 {
				name = "-" + name
			} else {
				name = "--" + name
			}
			return tool.UsageErrorf("--move cannot be combined with %s", name)
		}
	}
	o.Recursive, o.Links = true, filecopy.CopyLinks
	o.Existing |= filecopy.Replace
	return nil
}
