package man_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

func TestTheTableOfEndpointsSaysWhatMovesTheBytes(t *testing.T) {
	const (
		anything = "anything"
		small    = "file up to 64 KiB"
		file     = "file"
		appended = "file,append"
		sharing  = "same filesystem"
	)
	regular := func(fs int64, size int64, flags int) *splice.Descriptor {
		return &splice.Descriptor{Kind: splice.Regular, FS: fs, Flags: flags, Stat: unix.Stat_t{Size: size}}
	}
	sources := map[string]*splice.Descriptor{
		small: regular(unix.XFS_SUPER_MAGIC, smallSize, 0),
		file:  regular(unix.XFS_SUPER_MAGIC, largeSize, 0),
	}
	sinks := map[string]*splice.Descriptor{
		appended: regular(unix.XFS_SUPER_MAGIC, 0, unix.O_APPEND),
		sharing:  regular(unix.XFS_SUPER_MAGIC, 0, 0),
		file:     regular(unix.EXT4_SUPER_MAGIC, 0, 0),
	}
	for name, kind := range map[string]splice.Kind{
		"pipe": splice.Pipe, "socket": splice.Socket, "terminal": splice.Terminal, "device": splice.Character,
	} {
		sources[name] = &splice.Descriptor{Kind: kind}
		sinks[name] = sources[name]
	}
	rows := table(t, "zpipe.1", "Source", "Sink", "First methods")
	for from, src := range sources {
		for to, dst := range sinks {
			fits := func(cell, name string) bool { return cell == anything || cell == name }
			i := slices.IndexFunc(rows, func(row []string) bool { return fits(row[0], from) && fits(row[1], to) })
			if i < 0 {
				t.Errorf("no line for %s to %s", from, to)
				continue
			}
			if from == small && to == sharing { // has nothing to share that is worth a line
				continue
			}
			plan, err := splice.Plan(dst, src, splice.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if says := strings.Split(rows[i][2], ", "); len(plan) < len(says) || !slices.Equal(says, names(plan[:len(says)])) {
				t.Errorf("%s to %s: the page says %q, the plan is %q", from, to, says, names(plan))
			}
		}
	}
}
