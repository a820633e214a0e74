package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// A pvRequest is what one pv asks another for: to show something else (-R), or
// to say how far it is (-Q).
type pvRequest struct {
	Show *pvShow `json:",omitempty"`
}

// A pvShow is what another pv is to show, and its rate. What is nil stays.
type pvShow struct {
	Shown         []string
	Format, Name  *string
	Tail          int
	Quiet, Conemu bool
	Look          meter.Look
	Bar           string // the style
	Window        bool
	Process       bool
	Title         *string
	Size          *int64
	Rate          *float64 // of the transfer, which is no part of the display
	Width, Height *int
	Interval      *time.Duration
}

// A pvProgress is how far a pv is.
type pvProgress struct {
	Count, Total int64
	Elapsed      time.Duration
	Lines        bool
}

// remoteName is the abstract name of the socket at which a pv is asked: unix(7).
func remoteName(pid int) unix.Sockaddr {
	return &unix.SockaddrUnix{Name: fmt.Sprintf("@zeroutils/pv/%d", pid)}
}

// remoteSize bounds a request and an answer, in bytes.
const remoteSize = 64 << 10

// answerOthers answers what other pvs of the same user ask. Without a socket
// nobody can ask.
func (p *pv) answerOthers() {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	if unix.Bind(fd, remoteName(unix.Getpid())) != nil || unix.Listen(fd, 8) != nil {
		unix.Close(fd)
		return
	}
	for {
		conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		switch {
		case err == unix.EINTR || err == unix.ECONNABORTED:
		case err != nil:
			time.Sleep(time.Second) // no descriptor or no memory is left
		default:
			go p.answer(conn)
		}
	}
}

// answer answers one that asks until it has gone.
func (p *pv) answer(conn int) {
	defer unix.Close(conn)
	who, err := unix.GetsockoptUcred(conn, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(who.Uid) != unix.Geteuid() && who.Uid != 0 {
		return
	}
	for {
		var asked pvRequest
		if receive(conn, &asked) != nil {
			return
		}
		if asked.Show != nil {
			p.showAs(*asked.Show)
		}
		if send(conn, p.progress()) != nil {
			return
		}
	}
}

func (p *pv) progress() pvProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return pvProgress{p.meter.Count(), p.meter.Total(), p.meter.Elapsed(time.Now()), p.look.Lines}
}

// showAs changes the display.
func (p *pv) showAs(s pvShow) {
	if s.Process {
		p.beginTitle()
	}
	if s.Rate != nil {
		p.limiter.SetRate(*s.Rate)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Size != nil {
		p.meter.SetTotal(*s.Size)
	}
	o := pvOptions{shown: map[string]bool{}, formatText: s.Format, tail: s.Tail, conemu: s.Conemu, look: s.Look}
	o.look.Bar, _ = meter.ParseBarStyle(s.Bar)
	for _, name := range s.Shown {
		o.shown[name] = true
	}
	o.look.Lines, o.look.Colours, o.look.Numeric = p.look.Lines, p.look.Colours, p.look.Numeric
	p.line = meter.ParseFormat(o.formatFor(p.meter.Total() > 0), o.look)
	p.longest = p.line.LongestTail()
	p.hidden = s.Quiet
	p.windowTitle, p.processTitle, p.titleFormat = s.Window, s.Process, s.Title
	if s.Width != nil {
		p.width = *s.Width
	}
	if s.Height != nil {
		p.display.SetHeight(*s.Height)
	}
	if s.Interval != nil {
		p.display.SetInterval(*s.Interval)
	}
}

func send(conn int, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return unix.Sendto(conn, text, unix.MSG_NOSIGNAL, nil)
}

func receive(conn int, what any) error {
	buffer := make([]byte, remoteSize)
	for {
		n, err := unix.Read(conn, buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return errOver
		}
		return json.Unmarshal(buffer[:n], what)
	}
}

// errNotOurs is the error of asking a process that is no pv of zeroutils: also a
// pv of another kind.
var errNotOurs = errors.New("not a pv of zeroutils")

// ask connects to another pv.
func ask(pid int) (conn int, err error) {
	if unix.Kill(pid, 0) == unix.ESRCH {
		return -1, fmt.Errorf("pid %d: %s", pid, tool.ErrorText(unix.ESRCH))
	}
	conn, err = unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if err = unix.Connect(conn, remoteName(pid)); err == unix.ECONNREFUSED {
			err = errNotOurs
		}
	}
	if err != nil {
		return -1, fmt.Errorf("pid %d: %s", pid, tool.ErrorText(err))
	}
	return conn, nil
}

// changeOther is -R: another pv shows what these options say.
func (o *pvOptions) changeOther(inv *tool.Invocation) {
	s := &pvShow{Format: o.formatText, Tail: o.tail, Quiet: o.quiet, Conemu: o.conemu, Look: o.look, Bar: o.barStyle,
		Window: o.windowTitle, Process: o.processTitle, Title: o.titleFormat}
	for name := range o.shown {
		s.Shown = append(s.Shown, name)
	}
	if o.sized {
		s.Size = &o.size
	}
	if inv.Flags.IsSet("rate-limit") {
		s.Rate = &o.rate
	}
	if o.width > 0 {
		s.Width = &o.width
	}
	if o.height > 0 {
		s.Height = &o.height
	}
	if inv.Flags.IsSet("interval") {
		s.Interval = &o.interval
	}
	conn, err := ask(o.remote)
	if err == nil {
		err = send(conn, pvRequest{Show: s})
	}
	var done pvProgress
	if err == nil {
		err = receive(conn, &done)
	}
	if err == errOver { // it answers no other user
		err = fmt.Errorf("pid %d: %s", o.remote, tool.ErrorText(unix.EPERM))
	}
	if err != nil {
		inv.Errorf("%v", err) // the status is pvProblem
	}
}

// queryOther is -Q: it shows how far another pv is, until that ends.
func (o *pvOptions) queryOther(inv *tool.Invocation) {
	conn, err := ask(o.query)
	if err != nil {
		inv.Errorf("%v", err)
		return
	}
	p := &pv{inv: inv, pvOptions: *o, began: true}
	p.catchSignals()
	var now pvProgress
	next := func() bool {
		return send(conn, pvRequest{}) == nil && receive(conn, &now) == nil
	}
	if !next() {
		inv.Errorf("pid %d: %v", o.query, unix.EPERM)
		return
	}
	p.look.Lines = now.Lines
	p.sized, p.size = now.Total > 0, now.Total
	p.begin(now.Total)
	p.meter.Start(time.Now().Add(-now.Elapsed))
	for known := int64(0); ; time.Sleep(queryPeriod) {
		p.meter.Add(now.Count - known)
		p.meter.SetTotal(now.Total)
		if known = now.Count; !next() {
			break
		}
	}
	p.display.Break()
	inv.SetStatus(p.status)
}

// queryPeriod is how often another pv is asked how far it is.
const queryPeriod = 50 * time.Millisecond
