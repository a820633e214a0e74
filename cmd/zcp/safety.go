package main

import (
	"fmt"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

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

// readBackFrom says where a copy and its source came from when they were
// compared.
func readBackFrom(direct bool) string {
	if direct {
		return "past the page cache"
	}
	return "through the page cache"
}

// verifiedStats is what --stats says of --verify.
func verifiedStats(inv *tool.Invocation, c *filecopy.Copier) []tool.Extra {
	if !inv.Flags.Bool("verify") {
		return nil
	}
	v := c.Verified()
	return []tool.Extra{{
		Key:   "verified",
		Value: map[string]int64{"files": v.Files, "bytes": v.Bytes, "direct_bytes": v.Direct},
		Lines: []string{fmt.Sprintf("verified: %d bytes, %d of them past the page cache", v.Bytes, v.Direct)},
	}}
}
