package main

import (
	"fmt"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// All that the program says while it copies. The texts are GNU cp's.

// A message is a text with a place for each of the names.
type message struct {
	text  string
	names []name
}

type name uint8

const (
	source name = iota
	dest
	destLocale // as other words are quoted
	destWord   // as it is, if a shell would take it for one word
)

var messages = [...]message{
	filecopy.OmittedDirectory:       {"-r not specified; omitting directory %s", []name{source}},
	filecopy.SourceTwice:            {"warning: source file %s specified more than once", []name{source}},
	filecopy.DirectoryTwice:         {"warning: source directory %s specified more than once", []name{source}},
	filecopy.SameFile:               {"%s and %s are the same file", []name{source, dest}},
	filecopy.DirectoryOverFile:      {"cannot overwrite non-directory %s with directory %s", []name{dest, source}},
	filecopy.FileOverDirectory:      {"cannot overwrite directory %s with non-directory %s", []name{dest, source}},
	filecopy.OverJustCreated:        {"will not overwrite just-created %s with %s", []name{dest, source}},
	filecopy.ThroughJustCreatedLink: {"will not copy %s through just-created symlink %s", []name{source, dest}},
	filecopy.ThroughDanglingLink:    {"not writing through dangling symlink %s", []name{dest}},
	filecopy.IntoItself:             {"cannot copy a directory, %s, into itself, %s", []name{source, dest}},
	filecopy.HardLinkToDirectory:    {"will not create hard link %s to directory %s", []name{dest, source}},
	filecopy.CyclicLink:             {"cannot copy cyclic symbolic link %s", []name{source}},
	filecopy.RelativeLink:           {"%s: can make relative symbolic links only in current directory", []name{destWord}},
	filecopy.ParentIsNoDirectory:    {"%s exists but is not a directory", []name{dest}},
	filecopy.NotReplaced:            {"not replacing %s", []name{dest}},
	filecopy.Declined:               {"", []name{dest}}, // the user knows
	filecopy.BackupIsSource:         {"backing up %s might destroy source;  %s not copied", []name{dest, source}},
	filecopy.BackupIsMoved:          {"backing up %s might destroy source;  %s not moved", []name{dest, source}},
	filecopy.Replaced:               {"skipping file %s, as it was replaced while being copied", []name{source}},
	filecopy.UnknownType:            {"%s has unknown file type", []name{source}},
	filecopy.Unserved:               {"cannot copy %s to %s", []name{source, dest}},

	filecopy.Irreplaceable: {"not replacing %s: it is not a regular file", []name{dest}},
	filecopy.Unverifiable:  {"cannot verify %s: it or %s is not a regular file or block device", []name{dest, source}},

	filecopy.StatSource:    {"cannot stat %s", []name{source}},
	filecopy.StatParent:    {"failed to get attributes of %s", []name{source}},
	filecopy.OpenSource:    {"cannot open %s for reading", []name{source}},
	filecopy.ReadDirectory: {"cannot access %s", []name{source}},
	filecopy.LostDirectory: {"cannot access %s", []name{dest}},
	filecopy.ReadLink:      {"cannot read symbolic link %s", []name{source}},
	filecopy.Read:          {"error reading %s", []name{source}},
	filecopy.SeekSource:    {"cannot lseek %s", []name{source}},

	filecopy.StatDest:        {"cannot stat %s", []name{dest}},
	filecopy.CreateDirectory: {"cannot create directory %s", []name{dest}},
	filecopy.MakeParent:      {"cannot make directory %s", []name{dest}},
	filecopy.CreateFile:      {"cannot create regular file %s", []name{dest}},
	filecopy.CreateLink:      {"cannot create symbolic link %s", []name{dest}},
	filecopy.CreateLinkTo:    {"cannot create symbolic link %s to %s", []name{dest, source}},
	filecopy.CreateHardLink:  {"cannot create hard link %s to %s", []name{dest, source}},
	filecopy.CreateFIFO:      {"cannot create fifo %s", []name{dest}},
	filecopy.CreateSpecial:   {"cannot create special file %s", []name{dest}},
	filecopy.Remove:          {"cannot remove %s", []name{dest}},
	filecopy.BackUp:          {"cannot backup %s", []name{dest}},
	filecopy.TakeBack:        {"cannot un-backup %s", []name{dest}},
	filecopy.Clone:           {"failed to clone %s from %s", []name{dest, source}},
	filecopy.SeekDest:        {"cannot lseek %s", []name{dest}},
	filecopy.Write:           {"error writing %s", []name{dest}},
	filecopy.Extend:          {"failed to extend %s", []name{dest}},
	filecopy.Close:           {"failed to close %s", []name{dest}},
	filecopy.Sync:            {"error syncing %s", []name{dest}},
	filecopy.Commit:          {"cannot put %s in place", []name{dest}},
	filecopy.ReadBack:        {"error reading back %s", []name{dest}},
	filecopy.NoRoom:          {"no room for %s", []name{dest}},
	filecopy.StartedOver:     {"starting over with %s", []name{dest}},
	filecopy.Move:            {"cannot move %s to %s", []name{source, dest}},
	filecopy.MoveIntoItself:  {"cannot move %s to a subdirectory of itself, %s", []name{source, dest}},
	filecopy.SourceChanged:   {"not removing %s: it has changed meanwhile", []name{source}},
	filecopy.Vanished:        {"%s vanished while it was moved; its copy is %s", []name{source, dest}},
	filecopy.Arrived:         {"not removing %s", []name{source}},
	filecopy.Unkept:          {"cannot move %s to %s with all its attributes", []name{source, dest}},
	filecopy.RemoveSource:    {"cannot remove %s", []name{source}},
	filecopy.Interrupted:     {"interrupted before %s was complete", []name{dest}},
	filecopy.Differs:         {"verification failed: %s differs from %s", []name{dest, source}},

	filecopy.OpenUpDirectory:     {"setting permissions for %s", []name{dest}},
	filecopy.PreserveTimes:       {"preserving times for %s", []name{dest}},
	filecopy.PreserveParentTimes: {"failed to preserve times for %s", []name{dest}},
	filecopy.PreserveOwnership:   {"failed to preserve ownership for %s", []name{dest}},
	filecopy.ClearPermissions:    {"clearing permissions for %s", []name{dest}},
	filecopy.PreservePermissions: {"preserving permissions for %s", []name{dest}},
	filecopy.PreserveMode:        {"preserving permissions for %s", []name{destLocale}},
	filecopy.PlainPermissions:    {"setting permissions for %s", []name{destLocale}},
	filecopy.ListXattrs:          {"listing attributes of %s", []name{source}},
	filecopy.GetXattr:            {"getting attribute %s of %s", []name{source, dest}},
	filecopy.SetXattr:            {"setting attribute %s for %s", []name{source, dest}},
	filecopy.SetXattrs:           {"setting attributes for %s", []name{dest}},
}

// eventsOf says on the terminal what happens.
func eventsOf(inv *tool.Invocation) filecopy.Events {
	e := filecopy.Events{
		Problem: func(p *filecopy.Problem) { say(inv, p) },
		Confirm: func(o *filecopy.Overwrite) bool { return confirm(inv, o) },
	}
	if inv.Flags.Bool("debug") {
		e.Moved = func(how filecopy.How) { inv.Printf("%s\n", explain(how)) }
		e.Skipped = func(dest string) { inv.Printf("skipped %s\n", tool.QuoteAlways(dest)) }
	}
	if inv.Flags.Bool("verbose") || inv.Flags.Bool("debug") {
		arrow := func(what, source, dest, backup string) {
			if backup != "" {
				backup = fmt.Sprintf(" (backup: %s)", tool.QuoteAlways(backup))
			}
			inv.Printf("%s%s -> %s%s\n", what, tool.QuoteAlways(source), tool.QuoteAlways(dest), backup)
		}
		e.Copying = func(source, dest, backup string) { arrow("", source, dest, backup) }
		e.Renamed = func(source, dest, backup string) { arrow("renamed ", source, dest, backup) }
		e.Parent = func(source, dest string) { inv.Printf("%s -> %s\n", source, dest) }
		e.Unmoved = func(backup, dest string) {
			inv.Printf("%s -> %s (unbackup)\n", tool.QuoteAlways(backup), tool.QuoteAlways(dest))
		}
		e.Removed = func(dest string) { inv.Printf("removed %s\n", tool.QuoteAlways(dest)) }
		e.Gone = func(source string, directory bool) {
			what := "removed"
			if directory {
				what = "removed directory"
			}
			inv.Printf("%s %s\n", what, tool.QuoteAlways(source))
		}
		e.Resumed = func(dest string, at int64) {
			inv.Printf("continuing %s at byte %d\n", tool.QuoteAlways(dest), at)
		}
		e.Verified = func(dest string, bytes int64, direct bool) {
			inv.Printf("verified %s: %d bytes, %s\n", tool.QuoteAlways(dest), bytes, readBackFrom(direct))
		}
	}
	return e
}

// say prints a problem. Only warnings leave the status alone.
func say(inv *tool.Invocation, p *filecopy.Problem) {
	m := messages[p.What]
	if m.text == "" {
		inv.SetStatus(1)
		return
	}
	format, args := m.text, make([]any, 0, 3)
	for _, n := range m.names {
		switch n {
		case source:
			args = append(args, tool.QuoteAlways(p.Source))
		case dest:
			args = append(args, tool.QuoteAlways(p.Dest))
		case destLocale:
			args = append(args, tool.QuoteLocale(p.Dest))
		case destWord:
			args = append(args, tool.Quote(p.Dest))
		}
	}
	if p.Err != nil {
		format, args = format+": %v", append(args, p.Err)
	}
	if p.Warning() {
		inv.Warnf(format, args...)
	} else {
		inv.Errorf(format, args...)
	}
}
