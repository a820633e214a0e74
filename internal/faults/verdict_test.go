package faults

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
)

// succeeded checks that everything arrived, without a word.
func (o outcome) succeeded() {
	o.Helper()
	o.ended(0)
	o.saidNothing()
	for i := range o.sinks {
		o.isComplete(i)
	}
}

// sourceFailed checks for the only message that a source could not be read
// because of text. zcat goes on with the next one.
func (o outcome) sourceFailed(k int, text string) {
	o.Helper()
	o.ended(1)
	o.saidOnly(o.sourceMessage(k, text))
	for i := range o.sinks {
		o.hasAllBut(i, k)
	}
}

// sinkFailed checks for the only message that a sink took no more because of
// text, and that the others have everything.
func (o outcome) sinkFailed(k int, text string) {
	o.Helper()
	o.ended(1)
	o.saidOnly(o.sinkMessage(k, text))
	o.onlyOneIncomplete(k)
}

// sinkLost checks that nothing was said of a sink that took no more, and that
// the others have everything.
func (o outcome) sinkLost(k int) {
	o.Helper()
	o.ended(0)
	o.saidNothing()
	o.onlyOneIncomplete(k)
}

func (o outcome) onlyOneIncomplete(k int) {
	o.Helper()
	for i := range o.sinks {
		if i == k {
			o.isBeginning(i)
		} else {
			o.isComplete(i)
		}
	}
}

// died checks that a signal ended the tool without a word, and that what
// arrived is a beginning.
func (o outcome) died(by syscall.Signal) {
	o.Helper()
	if status := o.state.Sys().(syscall.WaitStatus); status.Signal() != by {
		o.Errorf("ended with %v, want %v", o.state, by)
	}
	o.saidNothing()
	for i := range o.sinks {
		o.isBeginning(i)
	}
}

func (o outcome) ended(status int) {
	o.Helper()
	if o.state.ExitCode() != status {
		o.Errorf("ended with %v, want %d; said %q", o.state, status, firstLines(o.said))
	}
}

func firstLines(s string) string { return s[:min(len(s), 300)] }

func (o outcome) saidOnly(message string) {
	o.Helper()
	if o.said != message+"\n" {
		o.Errorf("said %q, want %q", firstLines(o.said), message)
	}
}

func (o outcome) saidNothing() {
	o.Helper()
	if o.said != "" {
		o.Errorf("said %q", firstLines(o.said))
	}
}

func (s scene) sourceMessage(k int, text string) string {
	if s.tool == "zcat" {
		return fmt.Sprintf("zcat: %s: %s", strings.TrimPrefix(s.sources[k].name, "<"), text)
	}
	return fmt.Sprintf("%s: read error: %s", s.tool, text)
}

func (s scene) sinkMessage(k int, text string) string {
	if s.tool != "ztee" {
		return fmt.Sprintf("%s: write error: %s", s.tool, text)
	}
	name := s.sinkName(k)
	if strings.Contains(name, " ") {
		name = "'" + name + "'"
	}
	return fmt.Sprintf("ztee: %s: %s", name, text)
}

// isComplete checks that sink i has everything.
func (o outcome) isComplete(i int) {
	o.Helper()
	o.has(i, o.wanted(i))
}

// hasAllBut checks that sink i has every source, and of source k a beginning.
func (o outcome) hasAllBut(i, k int) {
	o.Helper()
	if o.sinks[i].kind == null {
		return
	}
	want := o.wanted(i)
	part := &want[len(want)-len(o.reads())+k]
	missing := size(want) - len(o.got[i])
	if missing < 0 || missing > len(*part) {
		o.Errorf("%s has %d bytes, want %d to %d", o.sinkName(i), len(o.got[i]), size(want)-len(*part), size(want))
		return
	}
	*part = (*part)[:len(*part)-missing]
	o.has(i, want)
}

func (o outcome) has(i int, want [][]byte) {
	o.Helper()
	if got := o.got[i]; o.sinks[i].kind != null && (len(got) != size(want) || !begins(got, want)) {
		o.Errorf("%s %s", o.sinkName(i), difference(got, want))
	}
}

func (o outcome) isEmpty(i int) {
	o.Helper()
	if len(o.got[i]) > 0 {
		o.Errorf("%s has %d bytes", o.sinkName(i), len(o.got[i]))
	}
}

// isBeginning checks that sink i has as much as it could take, and nothing
// else.
func (o outcome) isBeginning(i int) {
	o.Helper()
	if want := o.wanted(i); o.sinks[i].kind != null && !begins(o.got[i], want) {
		o.Errorf("%s is no beginning: it %s", o.sinkName(i), difference(o.got[i], want))
	}
}

// wanted is what sink i should have in the end.
func (o outcome) wanted(i int) [][]byte {
	if o.sinks[i].kind == appends {
		return append([][]byte{[]byte(before)}, o.parts()...)
	}
	return o.parts()
}

func size(parts [][]byte) int {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	return n
}

// begins reports whether got is a beginning of the parts.
func begins(got []byte, parts [][]byte) bool {
	for _, part := range parts {
		n := min(len(got), len(part))
		if !bytes.Equal(got[:n], part[:n]) {
			return false
		}
		got = got[n:]
	}
	return len(got) == 0
}

func difference(got []byte, parts [][]byte) string {
	want := bytes.Join(parts, nil)
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("has %d bytes, want %d, and differs from byte %d on", len(got), len(want), at)
}
