package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// A Kind is what an endpoint's name begins with.
type Kind uint8

const (
	Standard   Kind = iota // -
	File                   // PATH, file:
	Descriptor             // fd:
	Unix                   // unix:
	UnixListen             // unix-listen:
	TCP                    // tcp:
	TCPListen              // tcp-listen:
	ListenFDs              // listen-fds:
	Exec                   // exec:
	Shell                  // sh:
)

// kinds are the words that an endpoint begins with, in any case.
var kinds = map[string]Kind{
	"file": File, "fd": Descriptor, "unix": Unix, "unix-listen": UnixListen,
	"tcp": TCP, "tcp4": TCP, "tcp6": TCP,
	"tcp-listen": TCPListen, "tcp4-listen": TCPListen, "tcp6-listen": TCPListen,
	"listen-fds": ListenFDs, "exec": Exec, "sh": Shell,
}

// An Endpoint is a SOURCE or SINK that has been read but not opened.
type Endpoint struct {
	Kind Kind
	Text string // as it was written, for messages

	path         string // of a file or of a socket
	append, excl bool   // how a sink's file is opened
	trunc        bool   // a sink's file may be overwritten; never for a plain PATH
	fd           int
	host         string // of TCP; "" is loopback for a listener
	port         uint16
	service      string // in the place of a port's number, or ""
	family       int    // AF_INET or AF_INET6 if the word says so, else 0
	argv         []string
	options      options
}

// Listens reports whether the endpoint waits for connections.
func (e Endpoint) Listens() bool {
	return e.Kind == UnixListen || e.Kind == TCPListen || e.Kind == ListenFDs
}

// Connected reports whether it is a socket's or a command's, with a peer that
// has ways of its own to go.
func (e Endpoint) Connected() bool { return e.Kind >= Unix }

// Command reports whether it is a program to be started.
func (e Endpoint) Command() bool { return e.Kind == Exec || e.Kind == Shell }

// HoldsData reports whether a sink is a plain PATH and now a file with something
// in it, which [Stream.Truncate] refuses to overwrite.
func (e Endpoint) HoldsData() bool {
	if e.Kind != File || e.append || e.excl || e.trunc {
		return false
	}
	info, err := os.Stat(e.path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// Overwriting is how a sink is written that overwrites the file of a plain PATH;
// "" if the name ends like an option of file: and so cannot be written that way.
func (e Endpoint) Overwriting() string {
	text := "file:" + e.path
	if explicit, err := Parse(text); err != nil || explicit.path != e.path {
		return ""
	}
	return text
}

// Counter is what Numbered replaces.
const Counter = "%d"

// Numbered returns the endpoint with a number in the place of each %d of a
// file's name. It must not exist when it is opened as a sink: EEXIST.
func (e Endpoint) Numbered(n int64) Endpoint {
	name := strings.ReplaceAll(e.path, Counter, strconv.FormatInt(n, 10))
	e.excl = e.excl || name != e.path
	e.path = name
	return e
}

// Counts reports whether Numbered makes a difference.
func (e Endpoint) Counts() bool { return e.Kind == File && strings.Contains(e.path, Counter) }

// Shareable reports whether several streams of a sink can be open at the same
// time and not destroy what the others wrote: anything but a regular file that
// is to be replaced, and the descriptors of the process.
func (e Endpoint) Shareable() bool {
	if e.Kind != File || e.append || e.options.atomic {
		return e.Kind >= Unix || e.append || e.options.atomic
	}
	info, err := os.Stat(e.path)
	return err == nil && !info.Mode().IsRegular()
}

// Parse reads an endpoint. The error says what is wrong with it, without
// repeating it.
func Parse(text string) (Endpoint, error) {
	e := Endpoint{Text: text}
	if text == "-" {
		return e, nil
	}
	word, rest, colon := strings.Cut(text, ":")
	if !colon || strings.Contains(word, "/") {
		e.Kind, e.path = File, text
		return e, e.needs(text, "file name")
	}
	word = strings.ToLower(word)
	kind, known := kinds[word]
	if instead := insteadOf(word); !known && instead != "" {
		return e, errors.New(instead)
	}
	if !known {
		return e, fmt.Errorf("no endpoint begins with %q; for a file of this name write file:%s", word+":", text)
	}
	e.Kind = kind
	switch {
	case strings.HasPrefix(word, "tcp4"):
		e.family = unix.AF_INET
	case strings.HasPrefix(word, "tcp6"):
		e.family = unix.AF_INET6
	}
	return e, e.parse(rest)
}

func (e *Endpoint) parse(rest string) error {
	switch e.Kind {
	case File:
		return e.parseFile(rest)
	case Descriptor:
		n, err := strconv.ParseUint(rest, 10, 31)
		if err != nil {
			return fmt.Errorf("%q is not the number of a descriptor", rest)
		}
		e.fd = int(n)
		return nil
	case Unix, UnixListen:
		var err error
		if e.path, err = e.cutOptions(rest); err != nil {
			return err
		}
		return e.needs(e.path, "socket name")
	case TCP, TCPListen:
		address, err := e.cutOptions(rest)
		if err != nil {
			return err
		}
		if _, option, found := strings.Cut(address, ","); found {
			return fmt.Errorf("there is no option %q here", option)
		}
		return e.parseAddress(address)
	case ListenFDs:
		var err error
		e.path, err = e.cutOptions(rest)
		return err
	case Exec:
		var err error
		if e.argv, err = words(rest); err != nil {
			return err
		}
		return e.needs(strings.Join(e.argv, ""), "command")
	}
	e.argv = []string{"/bin/sh", "-c", rest}
	return e.needs(rest, "command")
}

func (e *Endpoint) needs(what, name string) error {
	if what == "" {
		return fmt.Errorf("the %s is missing", name)
	}
	return nil
}

// parseFile takes the options off the end of a name. A name that ends like
// them is written without file:.
func (e *Endpoint) parseFile(rest string) error {
	for {
		i := strings.LastIndexByte(rest, ',')
		switch rest[max(i, 0):] {
		case ",append":
			e.append = true
		case ",excl":
			e.excl = true
		case ",trunc":
			e.trunc = true
		case ",atomic":
			e.options.atomic = true
		default:
			return e.finishFile(rest)
		}
		rest = rest[:i]
	}
}

func (e *Endpoint) finishFile(name string) error {
	if e.append && e.trunc {
		return errors.New("append and trunc contradict each other")
	}
	if e.append && e.options.atomic {
		return errors.New("append and atomic contradict each other")
	}
	e.path, e.trunc = name, !e.append && !e.excl
	return e.needs(name, "file name")
}

// parseAddress reads HOST:PORT, with an IPv6 address in brackets.
func (e *Endpoint) parseAddress(rest string) error {
	port := rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		e.host, port = rest[:i], rest[i+1:]
		inner, bracketed := strings.CutPrefix(e.host, "[")
		if bracketed {
			var closed bool
			if e.host, closed = strings.CutSuffix(inner, "]"); !closed {
				return fmt.Errorf("the ] after the address is missing")
			}
		} else if strings.Contains(e.host, ":") {
			return fmt.Errorf("an IPv6 address is written in brackets: [%s]:%s", e.host, port)
		}
		if err := e.needs(e.host, "host"); err != nil {
			return err
		}
	} else if e.Kind == TCP {
		return fmt.Errorf("it is written tcp:HOST:PORT")
	}
	if a, err := netip.ParseAddr(e.host); err == nil && a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" {
		return fmt.Errorf("a link-local address needs its interface, such as [%s%%eth0]:%s", e.host, port)
	}
	return e.parsePort(port)
}

// parsePort takes anything with a letter in it for the name of a service.
func (e *Endpoint) parsePort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err == nil && (n > 0 || e.Listens()):
		e.port = uint16(n)
	case strings.ContainsFunc(port, unicode.IsLetter):
		e.service = port
	default:
		return fmt.Errorf("%q is not a port", port)
	}
	return nil
}
