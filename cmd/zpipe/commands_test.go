package main

import (
	"os"
	"testing"
)

func TestACommandHearsTheEndAndAnswersAfterIt(t *testing.T) {
	for _, command := range []string{"exec:wc -c", "sh:cat | wc -c"} {
		p := launch(t, withPipes, "--both", "-", command)
		_, _ = p.stdin.Write(noise[:100_001])
		p.stdin.Close()
		if got := hear(t, p.stdout); string(got) != "100001\n" {
			t.Errorf("%s: %q", command, got)
		}
		p.ended(0, "")
	}
}

func TestACommandThatNeedsNoInputEndsTheConversation(t *testing.T) {
	t.Parallel()
	p := launch(t, withPipes, "--both", "-", "exec:echo hello")
	if got := hear(t, p.stdout); string(got) != "hello\n" {
		t.Errorf("%q", got)
	}
	p.ended(0, "") // though standard input is open
}

func TestACommandThatHasHadEnoughIsHeardToItsEnd(t *testing.T) {
	t.Parallel()
	p := launch(t, withPipes, "--both", "-", "sh:head -n 1; exec <&-; sleep 0.1; echo the end")
	_, _ = p.stdin.Write([]byte("first\n"))
	if got := hear(t, p.stdout); string(got) != "first\nthe end\n" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
}

func TestACommandThatWasStartedForNothingIsNotWaitedFor(t *testing.T) {
	launch(t, nil, "exec:sleep 1000", "/nowhere/file").ended(1, "zpipe: /nowhere/file: No such file or directory\n")
}

func TestAGrandchildWithThePipeIsHeardToItsEnd(t *testing.T) {
	p := launch(t, withPipes, "sh:(while grep -q '^State:.[^Z]' /proc/$$/status; do sleep 0.01; done 2>/dev/null; echo grandchild) & echo child", "-")
	if got := hear(t, p.stdout); string(got) != "child\ngrandchild\n" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")

	p = launch(t, withPipes, "-", "sh:exec 3<&0; (cat <&3 >got) & exit 0")
	_, _ = p.stdin.Write(noise[:1<<20])
	p.stdin.Close()
	p.ended(0, "")
	waitFor(t, "the grandchild to have all", func() bool {
		got, _ := os.ReadFile(p.cmd.Dir + "/got")
		return same(got, noise[:1<<20]) == nil
	})
}
