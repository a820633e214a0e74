package main

import (
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub","Elapsed":1}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: mkfs.xfs is missing (package xfsprogs)\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t2.500s\n"}
{"Action":"pass","Package":"p","Elapsed":2.5}
{"Action":"output","Package":"q","Test":"TestC","Output":"    c_test.go:7: the kernel lacks the filesystem xfs\n"}
{"Action":"skip","Package":"q","Test":"TestC","Elapsed":0}
{"Action":"output","Package":"q","Test":"TestD","Output":"    d_test.go:1: wrong\n"}
{"Action":"fail","Package":"q","Test":"TestD","Elapsed":0}
{"Action":"pass","Package":"q","Test":"TestF/sub","Elapsed":0}
{"Action":"fail","Package":"q","Test":"TestF","Elapsed":0}
{"Action":"fail","Package":"q","Test":"TestG/sub","Elapsed":0}
{"Action":"fail","Package":"q","Test":"TestG","Elapsed":0}
{"Action":"output","Package":"q","Test":"TestE","Output":"panic: cut short\n"}
{"Action":"output","Package":"q","Output":"FAIL\tq\t0.100s\n"}
{"Action":"fail","Package":"q","Elapsed":0.1}
{"ImportPath":"r","Action":"build-output","Output":"r.go:1: no\n"}
{"Action":"output","Package":"r","Output":"FAIL\tr [build failed]\n"}
{"Action":"fail","Package":"r","Elapsed":0}
`

func TestLinesOfPackagesAndFailuresArePrinted(t *testing.T) {
	var out strings.Builder
	if err := newResults(&out).read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	const want = "ok  \tp\t2.500s\n" +
		"    d_test.go:1: wrong\npanic: cut short\nFAIL\tq\t0.100s\n" +
		"r.go:1: no\nFAIL\tr [build failed]\n"
	if got := out.String(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestTheSummaryCountsWhatEachRunDid(t *testing.T) {
	r := newResults(&strings.Builder{})
	for range 2 {
		if err := r.read(strings.NewReader(events)); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	r.summarize(&out)
	const want = `slowest packages:
        5s  p
     200ms  q
        0s  r
skipped:
         2  mkfs.xfs is missing (package xfsprogs)
         2  the kernel lacks the filesystem xfs
failed:
            q TestD
            q TestD
            q TestE
            q TestE
            q TestF
            q TestF
            q TestG/sub
            q TestG/sub
            r
            r
4 passed, 10 failed, 4 skipped
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOnlyTheKernelMayBeWhyATestIsSkippedInCI(t *testing.T) {
	r := newResults(&strings.Builder{})
	if err := r.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.unlawful(), "; "); got != "mkfs.xfs is missing (package xfsprogs)" {
		t.Errorf("got %q", got)
	}
}
