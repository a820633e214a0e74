package main

import "zeroutils/internal/tool"

// groups are the headings of --help and of the manual page.
var groups = []tool.Group{
	{Heading: "Display", Options: []string{
		"progress", "timer", "eta", "fineta", "rate", "average-rate", "bytes", "numeric", "quiet",
		"wait", "delay-start", "interval", "name", "width", "force", "cursor", "watchfd",
	}},
	{Heading: "Transfer", Options: []string{
		"size", "stop-at-size", "rate-limit", "buffer", "fill", "stall", "pipe-size", "method", "stats",
	}},
	{Heading: "Network and commands", Options: []string{
		"both", "linger", "timeout", "grace", "serve", "max-connections", "buffer-total", "stderr",
	}},
}

// pvGroups are the headings of --help when zpipe is called as pv.
var pvGroups = []tool.Group{
	{Heading: "Display", Options: []string{
		"progress", "timer", "eta", "fineta", "rate", "average-rate", "bytes", "buffer-percent", "last-written", "format", "numeric", "quiet",
	}},
	{Heading: "How it is displayed", Options: []string{
		"bits", "si", "wait", "delay-start", "size", "gauge", "line-mode", "null", "interval", "average-rate-window",
		"width", "height", "name", "bar-style", "extra-display", "conemu", "stats", "force", "cursor",
	}},
	{Heading: "Transfer", Options: []string{
		"output", "rate-limit", "buffer-size", "no-splice", "pipe-buffer-size", "skip-errors", "error-skip-block",
		"stop-at-size", "sync", "direct-io", "sparse", "discard", "store-and-forward",
	}},
	{Heading: "Other", Options: []string{"watchfd", "pidfile", "remote", "query"}},
}
