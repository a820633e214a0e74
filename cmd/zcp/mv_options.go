package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// mvOptions are what the command line says to mv.
type mvOptions struct {
	move           filecopy.RenameOptions
	verbose, debug bool
	strip          bool // slashes behind the names of sources
	exact          bool // the destination is no directory to move into
	directory      string
	directoryGiven bool
}

func mvOptionsOf(inv *tool.Invocation) (*mvOptions, error) {
	where := options{}
	if err := where.readDirectory(inv); err != nil {
		return nil, err
	}
	o := &mvOptions{
		debug:     inv.Flags.Bool("debug"),
		strip:     inv.Flags.Bool("strip-trailing-slashes"),
		exact:     inv.Flags.Bool("no-target-directory"),
		directory: where.directory, directoryGiven: where.directoryGiven,
	}
	o.verbose = o.debug || inv.Flags.Bool("verbose")
	o.move = filecopy.RenameOptions{
		NoCopy:   inv.Flags.Bool("no-copy"),
		Exchange: inv.Flags.Bool("exchange"),
		Data:     filecopy.Data{Method: inv.Method},
	}
	if last, given := inv.Line.Last("update"); given {
		o.move.Update = updates[last.Value]
	}
	o.move.Ask = filecopy.AskNothing
	switch last, given := inv.Line.Last("force", "interactive", "no-clobber"); {
	case !given && isTerminal(0):
		o.move.Ask = filecopy.AskUnwritable
	case !given:
	case last.Name == "interactive":
		o.move.Ask = filecopy.AskAll
	case last.Name == "no-clobber":
		o.move.Update = filecopy.UpdateNone
	}
	if inv.Flags.Bool("context") && hasSELinux() {
		return nil, errors.New("the default context of a file is for restorecon to find: -Z is not supported on an SELinux-enabled kernel")
	}
	return o, nil
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// mvBackup says which backups are made. As GNU mv does, it is asked after a source
// was renamed to a name that nothing had.
func mvBackup(inv *tool.Invocation, o filecopy.RenameOptions) (filecopy.Backup, error) {
	switch {
	case !backsUp(inv):
		return filecopy.Backup{}, nil
	case o.Exchange || o.Update >= filecopy.UpdateNone:
		return filecopy.Backup{}, tool.UsageErrorf("cannot combine --backup with --exchange, -n, or --update=none-fail")
	}
	return wantedBackup(inv)
}
