package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

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
