package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const project = "../.."

// The pages, and what README promises, are those of the last whole run.
func TestThePagesAreWhatTheFiguresSay(t *testing.T) {
	f, err := readFigures(filepath.Join(project, "docs/benchmarks.json"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := f.html()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"docs/benchmarks.md": f.markdown(), "docs/benchmarks.html": page} {
		if got, err := os.ReadFile(filepath.Join(project, name)); err != nil || string(got) != want {
			t.Errorf("%s is not what run.sh --docs docs/benchmarks.json makes (%v)", name, err)
		}
	}
	readme, err := os.ReadFile(filepath.Join(project, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), tableBegin+f.readmeTable()+tableEnd) {
		t.Error("the table of README.md is not what run.sh --docs docs/benchmarks.json makes")
	}
}

func TestARunMayComeInParts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "figures.json")
	for _, f := range []figures{
		{Date: "old", Versions: map[string]string{"a": "1", "b": "1"}, Cases: []caseFigures{{Name: "x", Bytes: 1}, {Name: "y", Bytes: 1}}, Servers: []serverFigures{{Clients: 1}}},
		{Date: "new", Versions: map[string]string{"b": "2"}, Cases: []caseFigures{{Name: "y", Bytes: 2}, {Name: "z", Bytes: 2}}},
	} {
		if err := f.writeInto(name); err != nil {
			t.Fatal(err)
		}
	}
	f, err := readFigures(name)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(f.Date, f.Versions, len(f.Servers))
	for _, c := range f.Cases {
		got += fmt.Sprint(" ", c.Name, c.Bytes)
	}
	if want := "newmap[a:1 b:2] 1 y2 z2 x1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEachClaimHasItsCases(t *testing.T) {
	cases, err := parseCases(caseTable, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range cases {
		names[c.name] = true
		group, _, _ := strings.Cut(c.name, "/")
		shown := false
		for _, g := range groups {
			shown = shown || g.name == group
		}
		if !shown {
			t.Errorf("no group of the pages has %s", c.name)
		}
	}
	for _, claim := range claims {
		for _, name := range claim.cases {
			if !names[name] {
				t.Errorf("%s: there is no case %s", claim.work, name)
			}
		}
	}
}

func TestWhatWeLoseIsInBold(t *testing.T) {
	f := figures{Cases: []caseFigures{{Name: "cat/pipe-pipe", Shows: "rate", Bytes: 1e9, Contenders: []contenderFigures{
		{Label: "cat", Wall: []int64{4e8}, CPU: 1e8},
		{Label: "fast", Wall: []int64{1e8}, CPU: 1e8},
		{Label: "zcat", Ours: true, Wall: []int64{2e8}, CPU: 5e7},
	}}}}
	if want := "| zcat, pipe to pipe, 64 KiB writes and reads | 2 (cat) | **0.5** (fast) | 0.5 |"; !strings.Contains(f.readmeTable(), want) {
		t.Errorf("%s\nhas not\n%s", f.readmeTable(), want)
	}
	if rows := f.behind(); len(rows) != 1 || rows[0] != "cat/pipe-pipe: zcat 5.00 GB/s, fast 10.00 GB/s" {
		t.Errorf("behind: %q", rows)
	}
}

func TestLabelsThatRepeatAreSaidOnce(t *testing.T) {
	for want, texts := range map[string][]string{
		"6.0 / 9.3 (cat)":       {"6.0 (cat)", "9.3 (cat)"},
		"6.0 (cat) / 9.3 (tee)": {"6.0 (cat)", "9.3 (tee)"},
		"-":                     nil,
	} {
		if got := together(texts); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOnlyThePlaceOfTheTableIsReplaced(t *testing.T) {
	got, err := replaceTable("a\n"+tableBegin+"old\n"+tableEnd+"b\n", "new\n")
	if want := "a\n" + tableBegin + "new\n" + tableEnd + "b\n"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := replaceTable("nothing", "new"); err == nil {
		t.Error("a text without the place passed")
	}
}
