package oracle

import (
	"fmt"
	"testing"
)

func TestEveryPartOfAnOutcomeCounts(t *testing.T) {
	same := func() Outcome {
		return Outcome{Status: "exit status 0", Stdout: []byte("a"), Stderr: "b", Files: map[string]string{"f": "c"}}
	}
	if d := Difference(same(), same()); d != "" {
		t.Error(d)
	}
	for name, change := range map[string]func(*Outcome){
		"status":          func(o *Outcome) { o.Status = "exit status 1" },
		"standard output": func(o *Outcome) { o.Stdout = []byte("ab") },
		"standard error":  func(o *Outcome) { o.Stderr = "" },
		"a file":          func(o *Outcome) { o.Files["f"] = "C" },
		"no file":         func(o *Outcome) { delete(o.Files, "f") },
		"another file":    func(o *Outcome) { o.Files["g"] = "c" },
	} {
		other := same()
		change(&other)
		if Difference(same(), other) == "" || Difference(other, same()) == "" {
			t.Error(name, " makes no difference")
		}
	}
}

func TestShortenLeavesOnlyWhatContradicts(t *testing.T) {
	outcome := func(stdout, f, g string) Outcome {
		return Outcome{Stdout: []byte(stdout), Files: map[string]string{"f": f, "g": g}}
	}
	a, b := outcome("one", "tw", ""), outcome("o", "two", "three")
	Shorten(&a, &b)
	if d := Difference(a, b); d != "" {
		t.Error(d)
	}
	a, b = outcome("one", "two", "three"), outcome("one", "tWo", "th")
	Shorten(&a, &b)
	if len(a.Stdout) != 3 || a.Files["f"] != "two" || b.Files["f"] != "tWo" {
		t.Errorf("%v and %v", a, b)
	}
}

func TestAWorldIsAsItWasAskedFor(t *testing.T) {
	cat := GNU(t, "cat")
	data := Data{Size: 300_000, Text: true, Seed: 1}
	for _, stdin := range []Stdin{{Kind: FromPipe, Data: data}, {Kind: FromFile, Data: data}, {Kind: FromFile, Data: data, Offset: 5}} {
		w := World{Stdin: stdin, Stdout: Stdout{Kind: ToPipe}}
		if got, want := w.Run(t, cat).Stdout, data.Bytes()[stdin.Offset:]; string(got) != string(want) {
			t.Errorf("%v: %d bytes came through, want %d", stdin, len(got), len(want))
		}
	}
	stdout := func(kind StdoutKind, offset int64) Outcome {
		w := World{
			Files:  []File{{Name: "in", Kind: Plain, Data: data, Mode: 0o400}},
			Stdin:  Stdin{Kind: FromClosed},
			Stdout: Stdout{Kind: kind, Before: Data{Size: 10}, Offset: offset},
		}
		return w.Run(t, cat, "in", "-")
	}
	const noStdin = "cat: -: Bad file descriptor\ncat: closing standard input: Bad file descriptor\n"
	const mode = "-rw-r--r-- "
	before := string(Data{Size: 10}.Bytes())
	for _, c := range []struct {
		got                    Outcome
		status, stderr, stdout string
	}{
		{stdout(ToAppend, 0), "exit status 1", noStdin, mode + before + string(data.Bytes())},
		{stdout(ToFile, 4), "exit status 1", noStdin, mode + before[:4] + string(data.Bytes())},
		{stdout(ToFull, 0), "exit status 1", "cat: write error: No space left on device\n", ""},
		{stdout(ToBroken, 0), "signal: broken pipe", "", ""},
		{stdout(ToClosed, 0), "exit status 1", "cat: standard output: Bad file descriptor\n", ""},
	} {
		if c.got.Status != c.status || c.got.Stderr != c.stderr || c.got.Files[StdoutFile] != c.stdout {
			t.Errorf("%s, %q, want %s, %q", c.got.Status, c.got.Stderr, c.status, c.stderr)
		}
	}
}

func TestFIFOsAreFedAndRead(t *testing.T) {
	data := Data{Size: 200_000}
	w := World{
		Files: []File{
			{Name: "in", Kind: Feeding, Data: data, Mode: 0o644},
			{Name: "out", Kind: Taking, Mode: 0o644},
			{Name: "unused in", Kind: Feeding, Mode: 0o644},
			{Name: "unused out", Kind: Taking, Mode: 0o644},
		},
		Stdin: Stdin{Kind: FromPipe, Data: data}, Stdout: Stdout{Kind: ToPipe},
	}
	if got := w.Run(t, GNU(t, "cat"), "in").Stdout; string(got) != string(data.Bytes()) {
		t.Errorf("cat got %d bytes", len(got))
	}
	if got, want := w.Run(t, GNU(t, "tee"), "out").Files["out"], "prw-r--r-- "+string(data.Bytes()); got != want {
		t.Errorf("tee gave %d bytes, want %d", len(got), len(want))
	}
}

func TestAFileCanBeKeptFromAProgram(t *testing.T) {
	w := World{Files: []File{{Name: "f", Kind: Plain}}, Stdin: Stdin{Kind: FromNull}, Stdout: Stdout{Kind: ToPipe}}
	if said := w.Run(t, GNU(t, "cat"), "f").Stderr; said != "cat: f: Permission denied\n" {
		t.Errorf("cat said %q", said)
	}
}

func TestNoProgramFillsTheDisk(t *testing.T) {
	w := World{Stdin: Stdin{Kind: FromNull}, Stdout: Stdout{Kind: ToPipe}}
	for range 2 { // the limit is not that of the test
		if got := w.Run(t, Program{"/bin/sh", "sh"}, "-c", "ulimit -f").Stdout; string(got) != fmt.Sprintln(largest/512) {
			t.Errorf("the largest file has %q blocks", got)
		}
	}
}
