package main

import (
	"zeroutils/internal/catformat"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// formatter returns what the options ask to be shown or numbered, or nil for
// the plain copy.
func formatter(inv *tool.Invocation) (*catformat.Formatter, error) {
	given := inv.Flags.Bool
	all, ends, tabs := given("show-all"), given("e"), given("t")
	o := catformat.Options{
		Number:          given("number"),
		NumberNonblank:  given("number-nonblank"),
		SqueezeBlank:    given("squeeze-blank"),
		ShowEnds:        given("show-ends") || all || ends,
		ShowTabs:        given("show-tabs") || all || tabs,
		ShowNonprinting: given("show-nonprinting") || all || ends || tabs,
	}
	if o == (catformat.Options{}) {
		return nil, nil
	}
	if inv.Method != splice.Auto && inv.Method != splice.ReadWrite {
		return nil, tool.UsageErrorf("%v cannot change what it copies; with formatting the method is readwrite", inv.Method)
	}
	return catformat.New(o), nil
}
