package main

import (
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/gnuflag"
	"zeroutils/internal/signals"
	"zeroutils/internal/tool"
)

// mvCommand is GNU mv: what zcp is when it is called as mv or zmv.
func mvCommand() tool.Command {
	return tool.Command{
		Name: "zcp",
		Synopsis: []string{
			"[OPTION]... [-T] SOURCE DEST",
			"[OPTION]... SOURCE... DIRECTORY",
			"[OPTION]... -t DIRECTORY SOURCE...",
		},
		Summary: `Rename SOURCE to DEST, or move SOURCE(s) to DIRECTORY.

To another filesystem, SOURCE is copied as a whole. It is removed when the copy
is on disk.
`,
		Flags: []cli.Flag{
			&gnuflag.OptionalString{StringFlag: cli.StringFlag{
				Name: "backup", Aliases: []string{"b"},
				Usage: "make a backup of each existing destination file, by `CONTROL`: none or off, simple or never, existing or nil, numbered or t",
			}},
			&cli.BoolFlag{Name: "debug", Usage: "explain how a file is copied; implies -v"},
			&cli.BoolFlag{Name: "exchange", Usage: "exchange source and destination"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "do not prompt before overwriting"},
			&cli.BoolFlag{Name: "interactive", Aliases: []string{"i"}, Usage: "prompt before overwriting"},
			&cli.BoolFlag{Name: "no-clobber", Aliases: []string{"n"}, Usage: "do not overwrite an existing file"},
			&cli.BoolFlag{Name: "no-copy", Usage: "do not copy if renaming fails"},
			&cli.BoolFlag{Name: "strip-trailing-slashes", Usage: "remove any trailing slashes from each SOURCE argument"},
			&cli.StringFlag{Name: "suffix", Aliases: []string{"S"}, Usage: "make backups, with `SUFFIX` in place of the usual ~"},
			&cli.StringFlag{Name: "target-directory", Aliases: []string{"t"}, Usage: "move all SOURCE arguments into `DIRECTORY`"},
			&cli.BoolFlag{Name: "no-target-directory", Aliases: []string{"T"}, Usage: "treat DEST as a normal file"},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "update", Aliases: []string{"u"}, Usage: "replace which existing files, `UPDATE`: all (the default), older (that of the bare option), none or none-fail"},
				Absent:     "older",
			},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "explain what is being done"},
			&cli.BoolFlag{Name: "context", Aliases: []string{"Z"}, Usage: "set the SELinux security context of each destination file to the default type"},
		},
		Choices: map[string][]string{"update": {"all", "none", "none-fail", "older"}},
		Notes: `Of -i, -f and -n, the last one applies.
`,
		Manual: "zmv",
		Run:    runMV,
	}
}

func runMV(inv *tool.Invocation) error {
	start := time.Now()
	o, err := mvOptionsOf(inv)
	if err != nil {
		return err
	}
	j, err := mvJobOf(inv.Operands, o)
	if err != nil {
		return err
	}
	if o.move.Backup, err = mvBackup(inv, o.move); err != nil {
		return err
	}
	n := &mvNarrator{narrator{inv: inv, options: &options{verbose: o.verbose, debug: o.debug}, busy: func() {}}}
	r := filecopy.NewRenamer(o.move, n.listener())
	defer r.Close()
	signals.Cleanup(r.Copier().RemoveTemporaries, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	j.run(r)
	report := r.Copier().Report()
	report.Elapsed = time.Since(start)
	inv.PrintStats(report, reasonsOf(r.Copier().Tally()))
	return nil
}
