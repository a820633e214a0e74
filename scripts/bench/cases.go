package main

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// caseTable has the cases, and says at its head how to read them.
//
//go:embed cases.txt
var caseTable string

// A benchCase is a line of the case table.
type benchCase struct {
	name     string
	fs       string
	length   int64
	stdin    string
	stdout   string
	shows    string
	commands []command
}

// A command is what a contender of a case runs.
type command struct {
	argv   []string // the name of a tool, and its arguments
	copies int      // how many of it run, each behind a pipe from the one before
	then   string   // what a shell does once it has succeeded, on the same clock
}

// parseCommand reads "TOOL ARGUMENT... && SHELL COMMAND" and "4*TOOL ARGUMENT...".
func parseCommand(text string) command {
	text, then, _ := strings.Cut(text, " && ")
	c := command{argv: strings.Fields(text), copies: 1, then: strings.TrimSpace(then)}
	if number, tool, ok := strings.Cut(c.argv[0], "*"); ok {
		c.copies, _ = strconv.Atoi(number)
		c.argv[0] = tool
	}
	return c
}

const (
	nothing = "-"    // in a column
	noRelay = "none" // the command that stands for no tool
)

// parseCases reads a case table for the size that -s gives.
func parseCases(table string, size int64) (cases []benchCase, err error) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) < 7 {
			return nil, fmt.Errorf("case %q: columns are missing", f[0])
		}
		c := benchCase{name: f[0], fs: f[1], stdin: f[3], stdout: f[4], shows: f[5]}
		for command := range strings.SplitSeq(strings.Join(f[6:], " "), ";") {
			c.commands = append(c.commands, parseCommand(command))
		}
		lengths, err := parseLengths(f[2], size)
		if err != nil {
			return nil, err
		}
		for _, c.length = range lengths {
			if len(lengths) > 1 {
				c.name = f[0] + "/" + sizeText(c.length)
			}
			cases = append(cases, c)
		}
	}
	return cases, nil
}

// growth is how many times more each case of a range moves than the one before.
const growth = 16

// parseLengths reads the column of bytes: one length, or "4K..4G".
func parseLengths(text string, size int64) (lengths []int64, err error) {
	first, last, isRange := strings.Cut(text, "..")
	if !isRange {
		n, err := parseLength(text, size)
		return []int64{n}, err
	}
	from, err := parseSize(first)
	if err != nil {
		return nil, err
	}
	to, err := parseSize(last)
	for n := from; n <= to; n *= growth {
		lengths = append(lengths, n)
	}
	return lengths, err
}

// sizeText writes a power of 1024, or a multiple, as parseSize reads it.
func sizeText(n int64) string {
	letter := 0
	for letter < 3 && n%1024 == 0 {
		n, letter = n/1024, letter+1
	}
	return strconv.FormatInt(n, 10) + []string{"", "K", "M", "G"}[letter]
}

// parseLength reads the column of bytes.
func parseLength(text string, size int64) (int64, error) {
	if text == nothing {
		return 0, nil
	}
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return parseSize(text)
	}
	percent, err := strconv.ParseInt(digits, 10, 64)
	return max(size*percent/100, 1), err
}

// parseSize reads a number of bytes, with K, M or G for powers of 1024.
func parseSize(text string) (int64, error) {
	digits, shift := text, 0
	for i, letter := range []string{"K", "M", "G"} {
		if before, ok := strings.CutSuffix(text, letter); ok {
			digits, shift = before, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is not a size such as 64K, 512M or 10G", text)
	}
	return n << shift, nil
}

// names tells whether the commands have this file as an operand.
func (c benchCase) names(name string) bool { return slices.Contains(c.commands[0].argv, name) }

// makes is what the commands leave behind.
func (c benchCase) makes() (names []string) {
	for _, name := range []string{"out", "out.2", freshOut} {
		if c.stdout == name || c.names(name) {
			names = append(names, name)
		}
	}
	return names
}

// starts is how often a tool is started in a run. One start, of about a
// millisecond, would be too short to measure.
func (c benchCase) starts() int {
	switch {
	case c.shows == "start":
		return 200
	case c.shows == "growth":
		return int(min(max(1, 16<<20/c.length), 20))
	}
	return 1
}
