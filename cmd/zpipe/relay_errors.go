package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/proc"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// explain prints what ended a way early, after so many bytes were delivered, and
// returns how it ended.
func (r *relay) explain(from, to *endpoint.Stream, delivered int64, err error) ending {
	var read *splice.ReadError
	var write *splice.WriteError
	switch {
	case err == errSilent && r.both:
		r.timedOut(r.peer(), "read error")
		return brokenSource
	case err == errSilent:
		r.timedOut(from, "read error")
		return brokenSource
	case err == errStuck:
		r.timedOut(to, "write error")
	case err == errHushed:
		return whole
	case err == errLeft, errors.Is(err, unix.EPIPE) && r.hasLeft(to):
		r.mu.Lock()
		r.enough = true
		r.mu.Unlock()
		return whole
	case errors.As(err, &read):
		r.fail(from, "read error", err)
		return brokenSource
	case errors.Is(err, unix.ENOSPC) && errors.As(err, &write) && to.Out.Kind == splice.Block:
		r.fail(to, "write error", fmt.Errorf("the device is full after %d bytes", delivered))
	case errors.As(err, &write) && errors.Is(err, unix.EPIPE) && r.policy.forgives(r, to):
		return refused
	case errors.As(err, &write):
		r.fail(to, "write error", err)
	case r.first(nil): // of both ways
		r.policy.complain("cannot relay: %v", err)
		return brokenSource
	}
	return brokenSink
}

// fail prints an error, the first of a stream.
func (r *relay) fail(s *endpoint.Stream, side string, err error) {
	if !r.first(s) {
		return
	}
	if s.Kind == endpoint.Standard {
		r.policy.complain("%s: %v", side, err)
		return
	}
	r.policy.complain("%s: %v", r.policy.name(s), err)
}

// first notes that a stream has failed, and reports whether that is new.
func (r *relay) first(s *endpoint.Stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	said := r.failed[s]
	r.failed[s], r.spoilt = true, true
	return !said
}

// named is what messages call an endpoint. Quoting, as file names have it,
// would put all those with a colon between quotes.
func named(e endpoint.Endpoint) string {
	isName := e.Kind == endpoint.File && !strings.HasPrefix(e.Text, "file:")
	if isName || strings.ContainsFunc(e.Text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return tool.Quote(e.Text)
	}
	return e.Text
}

// cannotOpen reports why an endpoint was not opened. A command that cannot be
// executed has a status, as in a shell.
func (r *relay) cannotOpen(e endpoint.Endpoint, standard string, err error) {
	if e.Kind != endpoint.Standard {
		standard = r.policy.name(&endpoint.Stream{Endpoint: e})
	}
	if e.Command() && (err == unix.ENOENT || err == unix.EACCES || err == unix.ENOEXEC) {
		r.policy.commandFailed(proc.StartStatus(err))
	}
	r.policy.complain("%s: %v", standard, err)
}
