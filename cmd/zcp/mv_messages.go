package main

import (
	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// A mvNarrator says on the terminal what mv does.
type mvNarrator struct{ narrator }

func (n *mvNarrator) listener() filecopy.Listener {
	return filecopy.Listener{
		Tell:         n.tell,
		Confirm:      func(o *filecopy.Overwrite) bool { return confirm(n.inv, true, o) },
		ProblemsOnly: !n.options.verbose,
	}
}

// tell says what mv says in other words than cp.
func (n *mvNarrator) tell(event filecopy.Event) {
	switch e := event.(type) {
	case filecopy.Copying:
		if e.Directory {
			n.inv.Printf("created directory %s\n", tool.QuoteAlways(e.Dest))
		} else {
			n.arrow("copied ", e.Source, e.Dest, e.Backup)
		}
	case filecopy.Exchanged:
		n.inv.Printf("exchanged %s <-> %s\n", tool.QuoteAlways(e.Source), tool.QuoteAlways(e.Dest))
	case filecopy.Copied:
		if n.options.debug {
			n.inv.Printf("%s\n", explainAsGNU(e.How))
		}
	default:
		n.narrator.tell(event)
	}
}
