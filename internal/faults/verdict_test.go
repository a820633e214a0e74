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
	if o.sinks[i].kind == null {
		return
	}
	if got, want := o.got[i], o.wanted(i); !bytes.Equal(got, want) {
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
	if o.sinks[i].kind == null {
		return
	}
	got, want := o.got[i], o.wanted(i)
	if len(got) > len(want) || !bytes.Equal(got, want[:len(got)]) {
		o.Errorf("%s is no beginning: it %s", o.sinkName(i), difference(got, want))
	}
}

// hasAllBut checks that sink i has every source, and of source k a beginning.
func (o outcome) hasAllBut(i, k int) {
	o.Helper()
	if o.sinks[i].kind == null {
		return
	}
	got, want := o.got[i], o.wanted(i)
	missing := len(want) - len(got)
	part := len(o.shown(k))
	if missing < 0 || missing > part {
		o.Errorf("%s has %d bytes, want %d to %d", o.sinkName(i), len(got), len(want)-part, len(want))
		return
	}
	end := len(want)
	for j := range o.reads()[k+1:] {
		end -= len(o.shown(k + 1 + j))
	}
	want = append(want[:end-missing:end-missing], want[end:]...)
	if !bytes.Equal(got, want) {
		o.Errorf("without %d bytes of source %d, %s %s", missing, k, o.sinkName(i), difference(got, want))
	}
}

func (o outcome) wanted(i int) []byte {
	if o.sinks[i].kind == appends {
		return append([]byte(before), o.all()...)
	}
	return o.all()
}

func difference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("has %d bytes, want %d, and differs from byte %d on", len(got), len(want), at)
}
