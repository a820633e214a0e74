package main

import (
	"strconv"

	"zeroutils/internal/tool"
)

// jobsOf is how many workers there shall be; 0 if that is not said.
func jobsOf(inv *tool.Invocation) (int, error) {
	if !inv.Flags.IsSet("jobs") {
		return 0, nil
	}
	text := inv.Flags.String("jobs")
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, tool.UsageErrorf("invalid number of jobs: %s", tool.QuoteAlways(text))
	}
	return int(n), nil
}
