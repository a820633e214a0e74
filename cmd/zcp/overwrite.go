package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

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
	control, wanted := "", false
	b.Suffix = os.Getenv("SIMPLE_BACKUP_SUFFIX")
	for _, o := range inv.Line.Options {
		switch o.Name {
		case "backup":
			wanted = true
			if o.HasValue {
				control = o.Value
			}
		case "suffix":
			wanted, b.Suffix = true, o.Value
		}
	}
	if b.Suffix == "" || strings.Contains(b.Suffix, "/") {
		b.Suffix = "~"
	}
	if !wanted {
		return b, nil
	}
	if update >= filecopy.UpdateNone {
		return b, tool.UsageErrorf("--backup is mutually exclusive with -n or --update=none-fail")
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

// confirm asks whether a file may be overwritten.
func confirm(inv *tool.Invocation, o *filecopy.Overwrite) bool {
	if o.Writable {
		return inv.Confirm("overwrite %s? ", tool.QuoteAlways(o.Dest))
	}
	text := "unwritable %s (mode %04o, %s); try anyway? "
	if inv.Flags.Bool("force") || inv.Flags.Bool("remove-destination") {
		text = "replace %s, overriding mode %04o (%s)? "
	}
	return inv.Confirm(text, tool.QuoteAlways(o.Dest), o.Mode&0o7777, permissions(o.Mode))
}

// permissions shows a mode as ls -l does: rwxr-sr-t.
func permissions(mode uint32) string {
	text := []byte("rwxrwxrwx")
	for i := range text {
		if mode&(0o400>>i) == 0 {
			text[i] = '-'
		}
	}
	special(text, 2, mode&unix.S_ISUID, 's')
	special(text, 5, mode&unix.S_ISGID, 's')
	special(text, 8, mode&unix.S_ISVTX, 't')
	return string(text)
}

// special shows a bit in the place of an x, large if that is not set.
func special(text []byte, at int, bit uint32, letter byte) {
	switch {
	case bit == 0:
	case text[at] == 'x':
		text[at] = letter
	default:
		text[at] = letter - 'a' + 'A'
	}
}
