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
	commands [][]string
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
		if c.length, err = parseLength(f[2], size); err != nil {
			return nil, err
		}
		for command := range strings.SplitSeq(strings.Join(f[6:], " "), ";") {
			c.commands = append(c.commands, strings.Fields(command))
		}
		cases = append(cases, c)
	}
	return cases, nil
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
func (c benchCase) names(name string) bool { return slices.Contains(c.commands[0], name) }

// makes is what the commands leave behind.
func (c benchCase) makes() (names []string) {
	for _, name := range []string{"out", "out.2"} {
		if c.stdout == name || c.names(name) {
			names = append(names, name)
		}
	}
	return names
}

// starts is how often a tool is started in a run. One start, of about a
// millisecond, would be too short to measure.
func (c benchCase) starts() int {
	if c.shows == "start" {
		return 200
	}
	return 1
}
