// Zcp copies files and directories, as cp does, without carrying the bytes
// through user space where the kernel can move them or share them.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/gnuflag"
	"zeroutils/internal/tool"
)

func main() { tool.Main(commandCalled(os.Args)) }

// personalities are the programs that zcp is when it is called by their names.
var personalities = map[string]func() tool.Command{"mv": mvCommand, "zmv": mvCommand}

// commandCalled is the command for the name in args.
func commandCalled(args []string) tool.Command {
	if len(args) > 0 {
		if other, ok := personalities[filepath.Base(args[0])]; ok {
			return other()
		}
	}
	return command()
}

func command() tool.Command {
	return tool.Command{
		Name: "zcp",
		Synopsis: []string{
			"[OPTION]... [-T] SOURCE DEST",
			"[OPTION]... SOURCE... DIRECTORY",
			"[OPTION]... -t DIRECTORY SOURCE...",
		},
		Summary: "Copy SOURCE to DEST, or multiple SOURCE(s) to DIRECTORY.\n",
		Notes: `By default, files share their blocks where the filesystem can do that, and
holes of SOURCE are holes of DEST. --reflink means --reflink=always.
`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "archive", Aliases: []string{"a"}, Usage: "same as -dR --preserve=all"},
			&cli.BoolFlag{Name: "attributes-only", Usage: "don't copy the file data, just the attributes"},
			&gnuflag.OptionalString{StringFlag: cli.StringFlag{
				Name: "backup", Aliases: []string{"b"},
				Usage: "make a backup of each existing destination file, by `CONTROL`: none or off, simple or never, existing or nil, numbered or t",
			}},
			&cli.BoolFlag{Name: "copy-contents", Usage: "copy contents of special files when recursive"},
			&cli.BoolFlag{Name: "d", Usage: "same as --no-dereference --preserve=links"},
			&cli.BoolFlag{Name: "direct", Category: gnuflag.Own, Usage: "read and write past the page cache, where the filesystems can"},
			&cli.BoolFlag{Name: "nocache", Category: gnuflag.Own, Usage: "leave nothing of what is copied in the page cache"},
			&cli.BoolFlag{Name: "debug", Usage: "explain how a file is copied; implies -v"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "if an existing destination file cannot be opened, replace it"},
			&cli.BoolFlag{Name: "H", Usage: "follow command-line symbolic links in SOURCE"},
			&cli.StringFlag{Name: "jobs", Category: gnuflag.Own, Aliases: []string{"j"}, Usage: "copy the files of a tree by `N` workers; the default is the number of CPUs"},
			&cli.BoolFlag{Name: "interactive", Aliases: []string{"i"}, Usage: "prompt before overwrite (overrides a previous -n option)"},
			&cli.BoolFlag{Name: "keep-directory-symlink", Usage: "follow existing symlinks to directories"},
			&cli.BoolFlag{Name: "link", Aliases: []string{"l"}, Usage: "hard link files instead of copying"},
			&cli.BoolFlag{Name: "dereference", Aliases: []string{"L"}, Usage: "always follow symbolic links in SOURCE"},
			&cli.BoolFlag{Name: "no-clobber", Aliases: []string{"n"}, Usage: "silently skip existing files (overrides a previous -i option); see also --update"},
			&cli.BoolFlag{Name: "no-dereference", Aliases: []string{"P"}, Usage: "never follow symbolic links in SOURCE"},
			&cli.BoolFlag{Name: "p", Usage: "same as --preserve=mode,ownership,timestamps"},
			&gnuflag.OptionalString{StringFlag: cli.StringFlag{Name: "preserve", Usage: "preserve the attributes in `ATTR_LIST`: mode, ownership, timestamps (these three by default), links, context, xattr or all"}},
			&cli.StringFlag{Name: "no-preserve", Usage: "don't preserve the attributes in `ATTR_LIST`"},
			&cli.BoolFlag{Name: "parents", Usage: "use full source file name under DIRECTORY"},
			&cli.BoolFlag{Name: "path", Category: gnuflag.Own, Hidden: true}, // GNU's old name of --parents
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R", "r"}, Usage: "copy directories recursively"},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "progress", Category: gnuflag.Own, Usage: "show on standard error how far the copy is, `WHEN`: auto (the default: on a terminal, after a second), always or never"},
				Absent:     "auto",
			},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "reflink", Usage: "share blocks with the source `WHEN`: auto, always or never"},
				Absent:     "always",
			},
			&cli.BoolFlag{Name: "remove-destination", Usage: "replace each existing destination file, rather than write to it"},
			&cli.StringFlag{Name: "sparse", Usage: "make holes `WHEN`: auto, always or never"},
			&cli.BoolFlag{Name: "strip-trailing-slashes", Usage: "remove any trailing slashes from each SOURCE argument"},
			&cli.BoolFlag{Name: "symbolic-link", Aliases: []string{"s"}, Usage: "make symbolic links instead of copying"},
			&cli.StringFlag{Name: "suffix", Aliases: []string{"S"}, Usage: "make backups, with `SUFFIX` in place of the usual ~"},
			&cli.StringFlag{Name: "target-directory", Aliases: []string{"t"}, Usage: "copy all SOURCE arguments into `DIRECTORY`"},
			&cli.BoolFlag{Name: "no-target-directory", Aliases: []string{"T"}, Usage: "treat DEST as a normal file"},
			&cli.BoolFlag{Name: "atomic", Category: gnuflag.Own, Usage: "put each file in its place when it is complete, or leave what is there"},
			&cli.BoolFlag{Name: "fsync", Category: gnuflag.Own, Usage: "have files and their names on disk before they count as copied"},
			&cli.BoolFlag{Name: "move", Category: gnuflag.Own, Usage: "rename, or copy as --archive --atomic --fsync do, then remove the source"},
			&cli.BoolFlag{Name: "resume", Category: gnuflag.Own, Usage: "continue a partial copy, if it is a beginning of SOURCE"},
			&cli.BoolFlag{Name: "verify", Category: gnuflag.Own, Usage: "read source and copy back, past the page cache where possible, and compare"},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "update", Aliases: []string{"u"}, Usage: "replace which existing files, `UPDATE`: all (the default), older (that of the bare option), none or none-fail"},
				Absent:     "older",
			},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "explain what is being done"},
			&cli.BoolFlag{Name: "one-file-system", Aliases: []string{"x"}, Usage: "stay on this file system"},
			&gnuflag.OptionalString{StringFlag: cli.StringFlag{Name: "context", Aliases: []string{"Z"}, Usage: "give new files the SELinux security context `CTX`"}},
		},
		Groups: groups,
		Choices: map[string][]string{
			"progress": {"auto", "always", "never"},
			"reflink":  {"auto", "always", "never"},
			"sparse":   {"never", "auto", "always"},
			"update":   {"all", "none", "none-fail", "older"},
		},
		Signals: []syscall.Signal{syscall.SIGUSR1},
		Run:     run,
	}
}

func run(inv *tool.Invocation) error {
	start := time.Now()
	options, err := optionsOf(inv)
	if err != nil {
		return err
	}
	j, err := jobOf(inv.Operands, options)
	if err != nil {
		return err
	}
	n := &narrator{inv: inv, options: options}
	var p *progress
	var i *interrupt
	n.busy = func() {
		p.answer()
		i.watch()
	}
	c := filecopy.New(options.copy, n.listener())
	defer c.Close()
	i = newInterrupt(inv, c)
	p = startProgress(inv, c, j.sources, options)
	i.last = p.display.Stop
	if p.display != nil {
		i.watch()
	}
	j.run(c)
	i.check()
	p.stop()
	report := c.Report()
	report.Elapsed = time.Since(start)
	extras := []tool.Extra{reasonsOf(c.Tally())}
	if options.copy.Verify {
		extras = append(verifiedStats(c), extras...)
	}
	inv.PrintStats(report, extras...)
	return nil
}
