package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func peak(s sample) int64 { return s.peak }

func TestMedianIsTheMiddleOrTheMeanOfTheTwoInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		values []int64
		want   int64
	}{
		{[]int64{7}, 7},
		{[]int64{9, 1, 5}, 5},
		{[]int64{40, 10, 20, 1000}, 30},
		{[]int64{1, 2}, 1},
	} {
		var samples []sample
		for _, v := range test.values {
			samples = append(samples, sample{peak: v})
		}
		if got := median(samples, peak); got != test.want {
			t.Errorf("median of %v is %d, want %d", test.values, got, test.want)
		}
	}
}

func TestSizesHaveAnOptionalLetter(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "4096": 4096, "64K": 65536, "512M": 536870912, "10G": 10737418240, "8388607G": 9007198180999168,
	} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "K", "0", "-1", "1.5M", "1k", "1KM", "10T", "9G9", "8589934592G"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestLengthsAreSizesOrPercentages(t *testing.T) {
	for text, want := range map[string]int64{"-": 0, "4K": 4096, "100%": 1000, "2%": 20, "2000%": 20000} {
		if got, err := parseLength(text, 1000); got != want || err != nil {
			t.Errorf("%q of 1000 is %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestACaseIsALineOfTheTable(t *testing.T) {
	cases, err := parseCases("# comment\n\na/b ext4 50% write out rate dd bs=64k ; none\n", 10)
	if err != nil || len(cases) != 1 {
		t.Fatalf("%v, %v", cases, err)
	}
	c := cases[0]
	if c.name != "a/b" || c.fs != "ext4" || c.length != 5 || c.stdin != "write" || c.stdout != "out" || c.shows != "rate" {
		t.Errorf("%+v", c)
	}
	if len(c.commands) != 2 || !slices.Equal(c.commands[0].argv, []string{"dd", "bs=64k"}) || !slices.Equal(c.commands[1].argv, []string{"none"}) {
		t.Errorf("commands %+v", c.commands)
	}
	if _, err := parseCases("a/b ext4 50% write out rate\n", 10); err == nil {
		t.Error("a line without a command passed")
	}
}

func TestTheCaseTableUsesKnownWordsAndTools(t *testing.T) {
	cases, err := parseCases(caseTable, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := findTools("", nil)
	if err != nil {
		t.Fatal(err)
	}
	known := func(c benchCase, word string, words ...string) {
		if !slices.Contains(words, word) {
			t.Errorf("%s: unknown word %q", c.name, word)
		}
	}
	names := map[string]bool{}
	for _, c := range cases {
		known(c, strings.TrimSuffix(c.fs, "!"), "-", "ext4", "xfs", "btrfs", "tmpfs")
		known(c, c.stdin, "-", "write", "vmsplice", "tcp", "unix")
		known(c, c.stdout, "-", "read", "splice", "out", "tcp", "unix")
		known(c, c.shows, "rate", "synced", "cold", "time", "growth", "start", "memory")
		for _, command := range c.commands {
			if tools[command.argv[0]] == nil {
				t.Errorf("%s: unknown tool %q", c.name, command.argv[0])
			}
		}
		if names[c.name] {
			t.Errorf("%s is there twice", c.name)
		}
		names[c.name] = true
	}
}

func TestSelectedCasesMatchThePattern(t *testing.T) {
	cases, err := selectCases(1<<20, regexp.MustCompile("^cp/(warm|cold)-ext4$"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
	}
	if want := []string{"cp/warm-ext4", "cp/cold-ext4"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestARangeIsACaseForEachSize(t *testing.T) {
	cases, err := parseCases("grow ext4! 4K..1M - - growth cat in\n", 10)
	var got []string
	for _, c := range cases {
		got = append(got, fmt.Sprint(c.name, " ", c.length))
	}
	if want := []string{"grow/4K 4096", "grow/64K 65536", "grow/1M 1048576"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if c := cases[0]; c.freshFS() != "ext4" || c.sourceFS() != "tmpfs" {
		t.Errorf("from %s to a fresh %s", c.sourceFS(), c.freshFS())
	}
	for _, wrong := range []string{"x..1M", "4K..y"} {
		if _, err := parseCases("grow - "+wrong+" - - growth cat in\n", 10); err == nil {
			t.Errorf("%s passed", wrong)
		}
	}
}

func TestALineupHasEveryProgramThatStandsForATool(t *testing.T) {
	b := toolbox{
		noRelay: {{label: "no relay"}},
		"cat":   {{label: "cat", argv: []string{"/bin/cat"}}, {label: "old", argv: []string{"/lib/loader", "/old/cat"}}},
		"pv":    {{label: "pv", err: errNotInstalled}},
	}
	cases, err := parseCases("a/b - - - - rate none ; 3*cat - in && sync -f out ; pv ; dd\n", 10)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, who := range b.lineup(cases[0]) {
		lines = append(lines, fmt.Sprint(who.label, " ", who.copies, ": ", strings.Join(who.line(), " ")))
	}
	want := []string{
		"no relay 1: ",
		`cat 3: /bin/sh -c "$@" && sync -f out sh /bin/cat - in`,
		`old 3: /bin/sh -c "$@" && sync -f out sh /lib/loader /old/cat - in`,
		"pv 1: ",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func TestArgumentsAddPrograms(t *testing.T) {
	b, err := findTools("/nowhere", []string{"zcat=/bin/sh", "tee:other=/bin/sh"})
	if err != nil {
		t.Fatal(err)
	}
	if got := b["zcat"]; len(got) != 2 || got[0].err != errNotInstalled || got[1].label != "/bin/sh" {
		t.Errorf("zcat is %+v", got)
	}
	if got := b["tee"][1]; got.label != "other" || got.argv[0] != "/bin/sh" {
		t.Errorf("tee is %+v", got)
	}
	for _, arg := range []string{"cat", "ls=/bin/sh", "none=/bin/sh", "cat=/nowhere/cat"} {
		if _, err := findTools("", []string{arg}); err == nil {
			t.Errorf("%q passed", arg)
		}
	}
}

func TestTheTableHasMediansAndRatios(t *testing.T) {
	ran := func(label string, samples ...sample) result {
		return result{contender: contender{program: program{label: label, argv: []string{label}}}, samples: samples}
	}
	failing := func(err error) result {
		return result{contender: contender{program: program{label: "bad", err: err}}}
	}
	rate := benchCase{name: "a/rate", length: 1e9, shows: "rate"}
	start := benchCase{name: "a/start", shows: "start"}
	memory := benchCase{name: "a/memory", shows: "memory"}
	var out bytes.Buffer
	table := newTable(&out, []benchCase{rate, start, memory}, nil)
	failed := table.add(rate.figures([]result{
		ran("old", sample{wall: time.Second, cpu: time.Second / 4}),
		ran("new", sample{wall: time.Second / 2, cpu: 1e6}, sample{wall: time.Second / 4, cpu: 3e6}, sample{wall: 1, cpu: 2e6}),
		ran("no relay", sample{wall: 2 * time.Second}),
	}))
	failed += table.add(start.figures([]result{
		ran("old", sample{wall: 12345678, cpu: 999999}),
		failing(errors.New("exit status 1\nno way\n")),
		failing(errNotInstalled),
	}))
	counted := ran("new")
	counted.counted.peak = 1800
	failed += table.add(memory.figures([]result{failing(errNotInstalled), counted}))
	table.note("a/other", "", "skipped: why")
	want := `
case      contender         median          CPU    ratio
a/rate    old            1.00 GB/s   0.250 s/GB     1.00
          new            4.00 GB/s   0.002 s/GB     4.00
          no relay       0.50 GB/s            -     0.50
a/start   old                12 ms       999 µs     1.00
          bad        exit status 1; no way
          bad        not installed
a/memory  bad        not installed
          new             1800 KiB            -        -
a/other              skipped: why
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if failed != 1 {
		t.Errorf("%d failed, want 1", failed)
	}
}

func TestOursIsComparedWithTheBestPeer(t *testing.T) {
	c := caseFigures{Shows: "rate", Bytes: 1e9, Contenders: []contenderFigures{
		{Label: "no relay", Command: noRelay, Wall: []int64{1e8}},
		{Label: "cat", Wall: []int64{4e8, 5e8, 6e8}},
		{Label: "new cat", Wall: []int64{4e8}},
		{Label: "zcat", Ours: true, Wall: []int64{1e8, 2e8, 2e9}},
		{Label: "level", Ours: true, Wall: []int64{405e6}},
		{Label: "slow", Ours: true, Wall: []int64{8e8}},
		{Label: "absent", Missing: true},
	}}
	var got []string
	for _, f := range c.Contenders {
		got = append(got, f.Label+": "+c.verdict(f)+", "+c.spread(f))
	}
	want := []string{
		"no relay: , -", "cat: , 20 %", "new cat: , -",
		"zcat: ahead, 2.00 of new cat, 900 %", "level: level with new cat, -", "slow: **behind**, 0.50 of new cat, -",
		"absent: , -",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestAStreamKnowsItsBytesAtEveryOffset(t *testing.T) {
	s, err := newStream()
	if err != nil {
		t.Fatal(err)
	}
	const offset, end = 1000, 3 << 20
	var whole bytes.Buffer
	if err := s.writeTo(&whole, offset, end); err != nil {
		t.Fatal(err)
	}
	right := whole.Bytes()
	swapped := slices.Concat(right[1<<20:2<<20], right[:1<<20], right[2<<20:])
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"the bytes themselves", right, ""},
		{"one byte less", right[:len(right)-1], "the end is at 3145727 instead of 3145728"},
		{"one byte more", append(slices.Clone(right), s.piece(end, end+1, 1)...), "the end is at 3145729 instead of 3145728"},
		{"two blocks of 1 MiB exchanged", swapped, "wrong bytes behind 1000"},
		{"nothing", nil, "the end is at 1000 instead of 3145728"},
	} {
		said := ""
		if err := s.compare(bytes.NewReader(test.data), offset, end); err != nil {
			said = err.Error()
		}
		if said != test.want {
			t.Errorf("%s: %q, want %q", test.name, said, test.want)
		}
	}
}
