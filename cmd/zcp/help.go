package main

import "zeroutils/internal/tool"

// groups are the headings of --help and of the manual page.
var groups = []tool.Group{
	{Heading: "What is copied", Options: []string{
		"recursive", "archive", "attributes-only", "copy-contents", "one-file-system",
		"parents", "strip-trailing-slashes", "target-directory", "no-target-directory",
	}},
	{Heading: "Existing files", Options: []string{
		"backup", "suffix", "force", "interactive", "no-clobber", "update", "remove-destination", "keep-directory-symlink",
	}},
	{Heading: "Attributes", Options: []string{"p", "preserve", "no-preserve", "context"}},
	{Heading: "Links", Options: []string{"d", "no-dereference", "dereference", "H", "link", "symbolic-link"}},
	{Heading: "Safety", Options: []string{"atomic", "fsync", "verify", "move", "resume"}},
	{Heading: "Speed and space", Options: []string{"reflink", "sparse", "jobs", "direct", "nocache", "method"}},
	{Heading: "Output", Options: []string{"verbose", "debug", "progress", "stats"}},
}
