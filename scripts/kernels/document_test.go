package main

import (
	"strings"
	"testing"
)

func TestKernelsThatAgreeShareACell(t *testing.T) {
	old := &book{name: "5.10", Release: "5.10.0", Results: []result{
		{Test: "fs/ext4/methods", Verdict: begins},
		{Test: "fs/ext4/methods", Part: "zcp", Method: "auto", Verdict: works, Detail: "splice"},
		{Test: "fs/ext4/methods", Part: "zcp", Method: "reflink", Verdict: refused, Detail: "Operation not supported"},
		{Test: "fs/ext4/methods", Part: "zcp", Method: "mmap", Verdict: fault, Detail: "Input/output error"},
		{Test: "streams", Part: "zpipe over TCP", Verdict: works},
	}}
	other := &book{name: "6.1", Release: "6.1.0", Results: []result{
		{Test: "fs/ext4/methods", Part: "zcp", Method: "auto", Verdict: works, Detail: "splice"},
		{Test: "fs/ext4/methods", Part: "zcp", Method: "reflink", Verdict: refused, Detail: "Operation not supported"},
		{Test: "fs/ext4/methods", Part: "zcp", Method: "mmap", Verdict: works, Detail: "mmap"},
	}}
	text := string(document([]*book{old, other}))
	for _, line := range []string{
		"| 5.10 | Linux 5.10.0 |",
		"| filesystem | copy | auto | reflink | mmap |",
		"| ext4 | zcp | splice | no [1] | 5.10: **fault** [2]; 6.1: yes |",
		"| streams | zpipe over TCP | 5.10: yes |",
		"1. Operation not supported",
		"2. Input/output error",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestARunReplacesWhatItsTestsHadFound(t *testing.T) {
	cache := t.TempDir()
	for _, results := range [][]result{
		{{Test: "a", Place: 0, Verdict: fault}, {Test: "c", Place: 2, Verdict: works}},
		{{Test: "b", Place: 1, Verdict: works}, {Test: "a", Place: 0, Verdict: works}},
	} {
		b := &book{name: "6.1", Release: "6.1.0", Results: results}
		if err := b.keep(cache); err != nil {
			t.Fatal(err)
		}
	}
	b, err := kept(cache, "6.1")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range b.Results {
		names = append(names, r.Test+" "+r.Verdict)
	}
	if got := strings.Join(names, ", "); got != "a works, b works, c works" {
		t.Error(got)
	}
}
