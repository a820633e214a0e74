package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The pages are made from figures alone, so that a test can tell whether they
// are what the figures say.

// writePages makes docs/benchmarks.md and .html below the root of the project,
// and the table of its README, from the file of a run, which it keeps as
// docs/benchmarks.json.
func writePages(root, name string) error {
	f, err := readFigures(name)
	if err != nil {
		return err
	}
	page, err := f.html()
	if err != nil {
		return err
	}
	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	replaced, err := replaceTable(string(text), f.readmeTable())
	if err != nil {
		return err
	}
	docs := filepath.Join(root, "docs")
	return cmp.Or(
		f.write(filepath.Join(docs, "benchmarks.json")),
		os.WriteFile(filepath.Join(docs, "benchmarks.md"), []byte(f.markdown()), 0o644),
		os.WriteFile(filepath.Join(docs, "benchmarks.html"), []byte(page), 0o644),
		os.WriteFile(readme, []byte(replaced), 0o644),
	)
}

const (
	tableBegin = "<!-- made by scripts/bench/run.sh --docs -->\n"
	tableEnd   = "<!-- end -->\n"
)

func replaceTable(readme, table string) (string, error) {
	before, rest, begun := strings.Cut(readme, tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		return "", errors.New("README.md has no place for the table")
	}
	return before + tableBegin + table + tableEnd + after, nil
}

// The claims of README: some work, and the cases that show it.
var claims = []struct {
	work  string
	cases []string
	ours  string
}{
	{"zcat, a file to a pipe whose reader reads / splices", []string{"cat/file-pipe-read", "cat/file-pipe-splice"}, "zcat"},
	{"zcat, pipe to pipe, 64 KiB writes and reads", []string{"cat/pipe-pipe"}, "zcat"},
	{"zcat, pipe to a file on ext4, producer that splices / writes", []string{"cat/pipe-file-ext4-vmsplice", "cat/pipe-file-ext4-write"}, "zcat"},
	{"zcat -n / -s / -A, lines of 72 bytes", []string{"format/n-72", "format/s-72", "format/A-72"}, "zcat"},
	{"ztee, a file on ext4 and a pipe, producer that splices / writes", []string{"tee/file-pipe-ext4-vmsplice", "tee/file-pipe-ext4-write"}, "ztee"},
	{"ztee, the same on tmpfs", []string{"tee/file-pipe-tmpfs-vmsplice", "tee/file-pipe-tmpfs-write"}, "ztee"},
	{"ztee, two files and two pipes", []string{"tee/two-files-two-pipes"}, "ztee"},
	{"zcp, a large file, ext4 / XFS without reflink / btrfs without / tmpfs", []string{"cp/warm-ext4", "cp/warm-xfs", "cp/warm-btrfs", "cp/warm-tmpfs"}, "zcp"},
	{"zcp, until it is on disk by sync(1), ext4", []string{"cp/synced-ext4"}, "zcp"},
	{"zcp, page cache cold, ext4 / XFS", []string{"cp/cold-ext4", "cp/cold-xfs"}, "zcp"},
	{"zcp -r, 20,000 small files, tmpfs", []string{"cp/tree-tmpfs"}, "zcp"},
	{"zcp --move, 20,000 small files to another disk, ext4 / XFS", []string{"trees/move-ext4", "trees/move-xfs"}, "zcp"},
	{"zcp -r --atomic --fsync, 20,000 small files, ext4 / XFS", []string{"trees/durable-ext4", "trees/durable-xfs"}, "zcp"},
	{"zpipe between a 64 KiB writer and reader", []string{"relay/write-read"}, "zpipe"},
	{"four relays in a row / eight", []string{"pipeline/4", "pipeline/8"}, "zpipe"},
	{"zpipe --buffer=64M", []string{"relay/buffer"}, "zpipe"},
	{"zpipe, TCP / Unix sockets", []string{"relay/tcp-64K", "relay/unix-64K"}, "zpipe"},
	{"zcat of an empty file / zcp of 4 KiB: the start", []string{"start/cat-null", "start/cp-4K"}, ""},
	{"memory for a stream: zcat / ztee", []string{"memory/cat-much", "memory/tee-much"}, ""},
}

func (f figures) named(name string) (c caseFigures, ok bool) {
	i := slices.IndexFunc(f.Cases, func(c caseFigures) bool { return c.Name == name })
	if i < 0 {
		return c, false
	}
	return f.Cases[i], true
}

// readmeTable has a row for each claim.
func (f figures) readmeTable() string {
	var b strings.Builder
	b.WriteString("| work | times faster than the usual tool | than the fastest other | CPU time of that |\n| --- | --- | --- | --- |\n")
	for _, claim := range claims {
		var usual, best, cpu []string
		for _, name := range claim.cases {
			c, ok := f.named(name)
			i := slices.IndexFunc(c.Contenders, func(f contenderFigures) bool {
				return f.Ours && (claim.ours == "" || f.Label == claim.ours)
			})
			if !ok || i < 0 || c.value(c.Contenders[i]) == 0 {
				continue
			}
			ours, peer := c.Contenders[i], c.bestPeer()
			usual = append(usual, fmt.Sprintf("%.2g (%s)", c.ratio(c.usual(), ours), c.usual().Label))
			best = append(best, fmt.Sprintf("%s (%s)", bold(c.ratio(peer, ours)), peer.Label))
			if peer.CPU > 0 && c.Shows != "memory" {
				cpu = append(cpu, fmt.Sprintf("%.2g", float64(ours.CPU)/float64(peer.CPU)))
			}
		}
		if len(usual) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", claim.work, together(usual), together(best), together(cpu))
		}
	}
	fmt.Fprintf(&b, "\nMeasured %s on %s, medians of %s rounds, %s of data. A number in bold is a row that we lose.\n", f.Date, f.Machine, f.rounds(), f.Size)
	return b.String()
}

// rounds is how many there were, which need not be as many in each part of a run.
func (f figures) rounds() string {
	least, most := f.Rounds, f.Rounds
	for _, c := range f.Cases {
		for _, one := range c.Contenders {
			if n := len(one.Wall); n > 0 && c.Shows != "start" && c.Shows != "growth" { // those start several times a round
				least, most = min(least, n), max(most, n)
			}
		}
	}
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// usual is the first contender that is a program of others.
func (c caseFigures) usual() contenderFigures {
	for _, f := range c.Contenders {
		if !f.Ours && f.Command != noRelay {
			return f
		}
	}
	return contenderFigures{}
}

func bold(ratio float64) string {
	text := fmt.Sprintf("%.2g", ratio)
	if ratio < 1-noise {
		return "**" + text + "**"
	}
	return text
}

// together joins "6.0 (cat)" and "9.3 (cat)" to "6.0 / 9.3 (cat)".
func together(texts []string) string {
	for i := range len(texts) - 1 {
		before, label, _ := strings.Cut(texts[i], " (")
		if _, next, _ := strings.Cut(texts[i+1], " ("); next == label {
			texts[i] = before
		}
	}
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, " / ")
}

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
