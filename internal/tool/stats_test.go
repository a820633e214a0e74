package tool

import (
	"encoding/json"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// report is one in which everything happened.
func report() splice.Report {
	r := splice.Report{
		Delivered: 536870912,
		Copied:    4096,
		Calls:     1540,
		Elapsed:   71200 * time.Microsecond,
		Lease:     splice.LeaseRefused,
		LeaseErr:  unix.EAGAIN,
		Fallbacks: []splice.Fallback{
			{From: splice.Reflink, To: splice.CopyFileRange, At: 0, Err: unix.EOPNOTSUPP, Count: 12},
			{From: splice.CopyFileRange, To: splice.Splice, At: 8192, Err: unix.EXDEV, Count: 1},
		},
	}
	r.By[splice.Splice] = 536870911
	r.By[splice.ReadWrite] = 1
	return r
}

func TestStatsSayNothingUnlessAskedFor(t *testing.T) {
	got := call(t, prog(func(inv *Invocation) error { inv.PrintStats(report()); return nil }))
	if got != (result{}) {
		t.Errorf("%+v", got)
	}
}

func TestStatsAsText(t *testing.T) {
	sinks := Extra{Key: "sinks", Value: []int{1}, Lines: []string{"standard output: 5 bytes", "a: 5 bytes"}}
	for _, option := range []string{"--stats", "--stats=text", "--stats=t"} {
		got := call(t, prog(func(inv *Invocation) error { inv.PrintStats(report(), sinks); return nil }), option)
		want := result{0, "", `prog: 536870912 bytes (537 MB, 512 MiB) copied, 0.0712 s, 7.5 GB/s, 1540 system calls, 0.00 CPU copies per byte
prog: splice: 536870911 bytes
prog: readwrite: 1 byte
prog: left reflink for copy_file_range at byte 0: Operation not supported (12 times)
prog: left copy_file_range for splice at byte 8192: Invalid cross-device link
prog: lease: refused: Resource temporarily unavailable
prog: standard output: 5 bytes
prog: a: 5 bytes
`}
		if got != want {
			t.Errorf("%s: got\n%+v\nwant\n%+v", option, got, want)
		}
	}
}

func TestStatsAsJSONAreOneLineWithTheKeysInOrder(t *testing.T) {
	sinks := Extra{Key: "sinks", Value: []map[string]any{{"name": "a <b>", "bytes": 5}}}
	got := call(t, prog(func(inv *Invocation) error { inv.PrintStats(report(), sinks); return nil }), "--stats=json")
	want := result{0, "", `{"version":1,"tool":"prog","bytes":536870912,"seconds":0.0712,"bytes_per_second":7540321798,` +
		`"system_calls":1540,"cpu_copied_bytes":4096,"methods":{"splice":536870911,"readwrite":1},"fallbacks":[` +
		`{"from":"reflink","to":"copy_file_range","at":0,"count":12,"errno":"EOPNOTSUPP","reason":"Operation not supported"},` +
		`{"from":"copy_file_range","to":"splice","at":8192,"count":1,"errno":"EXDEV","reason":"Invalid cross-device link"}],` +
		`"lease":"refused","sinks":[{"bytes":5,"name":"a \u003cb\u003e"}]}` + "\n"}
	if got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if !json.Valid([]byte(got.stderr)) {
		t.Error("not JSON")
	}
}

func TestStatsOfNothing(t *testing.T) {
	nothing := func(inv *Invocation) error { inv.PrintStats(splice.Report{}); return nil }
	want := result{0, "", "prog: 0 bytes copied, 0 s, Infinity B/s, 0 system calls, 0.00 CPU copies per byte\n"}
	if got := call(t, prog(nothing), "--stats"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.stderr = `{"version":1,"tool":"prog","bytes":0,"seconds":0,"bytes_per_second":null,"system_calls":0,"cpu_copied_bytes":0,"methods":{},"fallbacks":[],"lease":"none"}` + "\n"
	if got := call(t, prog(nothing), "--stats=json"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAFallbackWithoutAnErrnoHasNoReason(t *testing.T) {
	r := splice.Report{Fallbacks: []splice.Fallback{{From: splice.Mmap, To: splice.ReadWrite, At: 1, Count: 1}}}
	got := call(t, prog(func(inv *Invocation) error { inv.PrintStats(r); return nil }), "--stats=json")
	want := `"fallbacks":[{"from":"mmap","to":"readwrite","at":1,"count":1,"errno":null,"reason":null}]`
	var o struct{ Fallbacks json.RawMessage }
	if err := json.Unmarshal([]byte(got.stderr), &o); err != nil {
		t.Fatal(err)
	}
	if `"fallbacks":`+string(o.Fallbacks) != want {
		t.Errorf("got %s, want %s", o.Fallbacks, want)
	}
}
