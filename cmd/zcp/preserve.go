package main

import (
	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// preserved are the attributes that copies take over.
func preserved(inv *tool.Invocation) (kept filecopy.Attributes) {
	for _, o := range inv.Line.Options {
		switch o.Name {
		case "d":
			kept |= filecopy.Names
		case "p":
			kept |= filecopy.Mode | filecopy.Ownership | filecopy.Timestamps
		}
	}
	return kept
}
