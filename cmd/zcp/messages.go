package main

import (
	"fmt"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// All that the program says while it copies.

// A narrator says on the terminal what happens.
type narrator struct {
	inv     *tool.Invocation
	options *options
	action  filecopy.Action // of the file that was named last
	busy    func()          // there is more to do than to copy a few small files
}

func (n *narrator) listener() filecopy.Listener {
	return filecopy.Listener{
		Tell:         n.tell,
		Confirm:      func(o *filecopy.Overwrite) bool { return confirm(n.inv, n.options.copy.Existing != 0, o) },
		ProblemsOnly: !n.options.verbose,
	}
}

func (n *narrator) tell(event filecopy.Event) {
	quote := tool.QuoteAlways
	switch e := event.(type) {
	case *filecopy.Problem:
		n.say(e)
	case filecopy.Busy:
		n.busy()
	case filecopy.Copying:
		n.action = e.Action
		n.arrow("", e.Source, e.Dest, e.Backup)
	case filecopy.Renamed:
		n.arrow("renamed ", e.Source, e.Dest, e.Backup)
	case filecopy.Parent:
		n.inv.Printf("%s -> %s\n", e.Source, e.Dest)
	case filecopy.TakenBack:
		n.inv.Printf("%s -> %s (unbackup)\n", quote(e.Backup), quote(e.Dest))
	case filecopy.Removed:
		n.inv.Printf("removed %s\n", quote(e.Dest))
	case filecopy.Gone:
		what := "removed"
		if e.Directory {
			what = "removed directory"
		}
		n.inv.Printf("%s %s\n", what, quote(e.Source))
	case filecopy.Resumed:
		n.inv.Printf("continuing %s at byte %d\n", quote(e.Dest), e.At)
	case filecopy.Compared:
		n.inv.Printf("verified %s: %d bytes, %s\n", quote(e.Dest), e.Bytes, readBackFrom(e.Direct))
	case filecopy.Copied:
		if n.options.debug {
			n.inv.Printf("%s\n", explain(e.How, n.action))
		}
	case filecopy.Skipped:
		if n.options.debug {
			n.inv.Printf("skipped %s\n", quote(e.Dest))
		}
	}
}

func (n *narrator) arrow(what, source, dest, backup string) {
	if backup != "" {
		backup = fmt.Sprintf(" (backup: %s)", tool.QuoteAlways(backup))
	}
	n.inv.Printf("%s%s -> %s%s\n", what, tool.QuoteAlways(source), tool.QuoteAlways(dest), backup)
}

// say prints a problem. Only warnings leave the status alone.
func (n *narrator) say(p *filecopy.Problem) {
	tool.DieOfBrokenPipe(splice.Pipe, p.Err) // no other destination has readers
	text := p.Message(quoted)
	if text == "" {
		n.inv.SetStatus(1)
		return
	}
	format, args := "%s", []any{text}
	if p.Err != nil {
		format, args = "%s: %v", append(args, p.Err)
	}
	if p.Warning() {
		n.inv.Warnf(format, args...)
	} else {
		n.inv.Errorf(format, args...)
	}
}

// quoted is a name as GNU cp quotes it in a message.
func quoted(n filecopy.Name, name string) string {
	switch n {
	case filecopy.DestLocale:
		return tool.QuoteLocale(name)
	case filecopy.DestWord:
		return tool.Quote(name)
	}
	return tool.QuoteAlways(name)
}
