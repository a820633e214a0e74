package main

import (
	"fmt"
	"slices"
	"strings"
)

// groups are the sections of the pages: the first part of the names of cases.
var groups = []struct{ name, title string }{
	{"cat", "zcat: files and pipes"},
	{"format", "zcat: options that format"},
	{"tee", "ztee"},
	{"cp", "zcp"},
	{"trees", "zcp: trees that are moved, or on the disk when it ends"},
	{"relay", "zpipe"},
	{"pipeline", "Several relays in a row"},
	{"growth", "How the time grows with the size"},
	{"book", "The ways of the textbooks: a file to a TCP socket"},
	{"start", "Starting"},
	{"memory", "Memory"},
}

func (f figures) group(name string) (cases []caseFigures) {
	for _, c := range f.Cases {
		if before, _, _ := strings.Cut(c.Name, "/"); before == name {
			cases = append(cases, c)
		}
	}
	return cases
}

// behind lists where the best of ours is not the fastest.
func (f figures) behind() (rows []string) {
	for _, c := range f.Cases {
		var best contenderFigures
		for _, one := range c.Contenders {
			if v := c.value(one); one.Ours && v > 0 && (c.value(best) == 0 || v < c.value(best)) {
				best = one
			}
		}
		if strings.HasPrefix(c.verdict(best), "**") {
			rows = append(rows, fmt.Sprintf("%s: %s %s, %s %s", c.Name, best.Label, c.figure(best), c.bestPeer().Label, c.figure(c.bestPeer())))
		}
	}
	return rows
}

const markdownHead = `# Benchmarks

Made by ` + "`scripts/bench/run.sh`" + `; everything here comes from
[benchmarks.json](benchmarks.json), and [benchmarks.html](benchmarks.html) shows it as charts.
To repeat it on your machine, as root and with nothing beside it:

    ./scripts/bench/run.sh --peers -o figures.json
    ./scripts/bench/run.sh --docs figures.json

The contenders of a case take turns. The first round checks every byte. The spread is how far
the middle half of the rounds lies from the median. CPU time, context switches and system calls
are those of the tools alone, without producers and consumers; system calls and memory are
counted in a round of their own. A GB is 10^9 bytes. Rates are of data in the page cache where
the name does not say otherwise.
`

// markdown is docs/benchmarks.md.
func (f figures) markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	fmt.Fprintf(&b, "\n%s, %s, medians of %s rounds, %s of data.\n", f.Machine, f.Date, f.rounds(), f.Size)
	b.WriteString("\n## Where we are behind\n\nEach row where the best of ours is not the fastest:\n\n")
	for _, row := range f.behind() {
		b.WriteString("- " + row + "\n")
	}
	for _, g := range groups {
		cases := f.group(g.name)
		if len(cases) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", g.title)
		b.WriteString("| case | contender | median | spread | CPU | calls | switches | memory | against the best other |\n")
		b.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n")
		for _, c := range cases {
			c.rows(&b)
		}
		if g.name == "book" {
			f.book(&b)
		}
	}
	f.serverTable(&b)
	f.classicTable(&b)
	b.WriteString("\n## Versions\n\n")
	for _, label := range sortedKeys(f.Versions) {
		fmt.Fprintf(&b, "- %s: %s\n", label, f.Versions[label])
	}
	return b.String()
}

func sortedKeys(m map[string]string) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (c caseFigures) rows(b *strings.Builder) {
	name := c.Name
	if c.Skipped != "" {
		fmt.Fprintf(b, "| %s | skipped: %s |\n", name, strings.ReplaceAll(c.Skipped, "\n", " "))
	}
	for _, f := range c.Contenders {
		label := f.Label
		if _, arguments, ok := strings.Cut(f.Command, " "); ok {
			label += " `" + strings.ReplaceAll(arguments, "|", "\\|") + "`"
		}
		switch {
		case f.Missing:
			fmt.Fprintf(b, "| %s | %s | not installed |\n", name, label)
		case f.Error != "":
			fmt.Fprintf(b, "| %s | %s | %s |\n", name, label, strings.ReplaceAll(strings.TrimSpace(f.Error), "\n", "; "))
		default:
			memory := "-"
			if f.Peak > 0 {
				memory = fmt.Sprintf("%.1f MiB", float64(f.Peak)/1024)
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, label, c.figure(f), c.spread(f), c.cpu(f),
				c.perGB(f.Calls), c.perGB(f.Switches), memory, c.verdict(f))
		}
		name = ""
	}
}

// book sets what textbooks say beside what was measured.
func (f figures) book(b *strings.Builder) {
	c, ok := f.named("book/file-tcp")
	if !ok {
		return
	}
	b.WriteString(`
Textbooks count, for each piece that goes from a disk to a network, the copies that the CPU
and the devices make, the system calls, and the switches between user and kernel mode. Beside
that is what was measured here from the page cache to a socket on loopback, where nobody copies
for the device. "sendfile with gather" is what Linux does wherever the network card can.

| way | book: CPU copies | DMA copies | calls | mode switches | here: calls per GB | CPU | rate |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`)
	for _, way := range bookWays {
		for _, one := range c.Contenders {
			if one.Label == way.name {
				fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", way.name, way, c.perGB(one.Calls), c.cpu(one), c.figure(one))
			}
		}
	}
}

func (f figures) serverTable(b *strings.Builder) {
	if len(f.Servers) == 0 {
		return
	}
	fmt.Fprintf(b, `
## A server

Clients connect, send %d bytes, get them back from a program behind the server and leave,
%d times in all. The memory is what each connection adds that stays open.

| server | clients at a time | requests per second | 99 %% answered within | CPU for a request | memory of a connection |
| --- | ---: | ---: | ---: | ---: | ---: |
`, requestBytes, requests)
	for _, s := range f.Servers {
		if s.Error != "" {
			fmt.Fprintf(b, "| %s | %d | %s |\n", s.Label, s.Clients, strings.ReplaceAll(strings.TrimSpace(s.Error), "\n", "; "))
			continue
		}
		fmt.Fprintf(b, "| %s | %d | %.0f | %s | %s | %d KiB |\n", s.Label, s.Clients, s.perSecond(), inUnit(s.P99), inUnit(s.CPU), s.KiB)
	}
}

func (f figures) classicTable(b *strings.Builder) {
	if len(f.Classic) == 0 {
		return
	}
	fmt.Fprintf(b, `
## The classic experiment

Two processes copy a file of %d MiB that is in the page cache. Means of %d runs, from the start
until each process exits.

| way | sender | receiver | CPU of both | context switches |
| --- | ---: | ---: | ---: | ---: |
`, classicSize>>20, classicRuns)
	for _, c := range f.Classic {
		if c.Error != "" {
			fmt.Fprintf(b, "| %s | %s |\n", strings.ReplaceAll(c.Way, "|", "\\|"), c.Error)
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d |\n", strings.ReplaceAll(c.Way, "|", "\\|"), inUnit(mean(c.Sender)), inUnit(mean(c.Receiver)), inUnit(c.CPU), c.Switches)
	}
}
