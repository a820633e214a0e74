package main

import (
	"strconv"
	"time"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

const endpointNotes = `SOURCE and SINK are one of:
  -, fd:N                  standard input or output; a descriptor that is open
  PATH                     a file, device or FIFO; a SINK may not be a file with something in it
  file:PATH[,append|,excl|,atomic]
                           any name; overwrite a SINK, append to it, insist that
                           it is new, or have it appear when it is complete
  unix:PATH, tcp:HOST:PORT connect to a socket; unix:@NAME is an abstract one;
                           tcp4:, tcp6:; ,bind=ADDRESS ,retry=N ,interval=SECONDS
  unix-listen:PATH, tcp-listen:[HOST:]PORT
                           wait for a connection, by default from this machine;
                           ,mode= ,user= ,group= of the file, ,uid= ,gid= of peers
  listen-fds:[NAME]        sockets that a service manager has passed
  exec:COMMAND ARG...      a command, split into words as by the shell
  sh:COMMAND LINE          a command for the shell
`

// settings are what the command line asks for.
type settings struct {
	inv      *tool.Invocation
	src, dst endpoint.Endpoint
	both     bool
	timeout  time.Duration // 0 is none
	opener   endpoint.Opener
	outlives bool // a broken pipe

	connections int           // that are served at a time
	grace       time.Duration // for what is cut off: connections, commands, bytes on their way
	linger      time.Duration // for standard input when the peer has ended

	monitor *monitor
}

func readSettings(inv *tool.Invocation) (*settings, error) {
	s := &settings{inv: inv, both: inv.Flags.Bool("both"), connections: defaultConnections, grace: defaultGrace, linger: defaultLinger}
	s.opener = endpoint.Opener{PipeSize: splice.DefaultPipeSize, Closed: procstart.Closed, Listening: s.waiting}
	for _, o := range []struct {
		name string
		read func(text string) error
	}{
		{"timeout", s.readTimeout},
		{"pipe-size", s.readPipeSize},
		{"grace", func(text string) (err error) { s.grace, err = tool.Seconds("grace", text); return err }},
		{"linger", func(text string) (err error) { s.linger, err = tool.Seconds("number of seconds", text); return err }},
		{"max-connections", s.readConnections},
	} {
		if text := inv.Flags.String(o.name); text != "" {
			if err := o.read(text); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if s.monitor, err = newMonitor(inv); err != nil {
		return nil, err
	}
	if err := s.readOperands(inv.Operands); err != nil {
		return nil, err
	}
	if s.outlives = s.both || inv.Flags.Bool("serve") || s.src.Connected() || s.dst.Connected(); s.outlives {
		signals.CatchPipe() // the message about a peer that has gone should name it
	}
	return s, nil
}

func (s *settings) readTimeout(text string) (err error) {
	s.timeout, err = tool.Seconds("timeout", text)
	s.opener.Timeout = s.timeout
	return err
}

func (s *settings) readPipeSize(text string) error {
	size, err := tool.Bytes("pipe size", text)
	s.opener.PipeSize = int(min(size, 1<<30)) // what the kernel can be asked for
	return err
}

func (s *settings) readConnections(text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return tool.UsageErrorf("invalid number of connections: %s", tool.QuoteLocale(text))
	}
	s.connections = int(n)
	return nil
}

// waiting says which port the kernel chose if it could.
func (s *settings) waiting(l *endpoint.Listener) {
	if l.ChosenPort() {
		s.inv.Warnf("listening on %s", l.Address)
	}
}

func (s *settings) readOperands(operands []string) (err error) {
	if len(operands) > 2 {
		return tool.ExtraOperand(operands[2])
	}
	given := append(operands, "-", "-")
	if s.src, err = endpoint.Parse(given[0]); err != nil {
		return tool.UsageErrorf("source %s: %v", tool.QuoteAlways(given[0]), err)
	}
	if s.dst, err = endpoint.Parse(given[1]); err != nil {
		return tool.UsageErrorf("sink %s: %v", tool.QuoteAlways(given[1]), err)
	}
	return nil
}
