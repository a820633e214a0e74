package main

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// confirm asks whether a file may be overwritten, or replaced where it cannot.
func confirm(inv *tool.Invocation, replace bool, o *filecopy.Overwrite) bool {
	if o.Writable {
		return inv.Confirm("overwrite %s? ", tool.QuoteAlways(o.Dest))
	}
	text := "unwritable %s (mode %04o, %s); try anyway? "
	if replace {
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
