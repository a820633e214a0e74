package endpoint

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/proc"
	"zeroutils/internal/splice"
)

// A Stream is an endpoint that is open. It is not safe for use by several
// goroutines, except that one may read while another writes.
type Stream struct {
	Endpoint
	// In is where its bytes are read, Out where they are written; nil if it
	// was not opened for that. For a socket the two have one descriptor.
	In, Out *splice.Descriptor
	// Peer is who is connected: "127.0.0.1:4711". Empty for all but the
	// connections of a listener.
	Peer string

	peerUID     uint32        // of the process behind an accepted unix socket
	process     *proc.Process // of a command
	waited      bool          // for the command, which has ended
	status      int           // of the command, then
	owned       bool          // the descriptors are closed by Close
	truncates   bool          // a regular file that may be overwritten
	spares      bool          // a regular file that may be written only if it is empty
	replacement *replacement  // of a file that appears when it is complete
	inputEnded  bool          // In is closed
	opener      *Opener
}

// Socket reports whether it is a connection of our own.
func (s *Stream) Socket() bool { return s.Kind >= Unix && s.Kind <= TCPListen }

// Truncate empties a sink's file, as open(2) with O_TRUNC would have done, once
// the caller knows that it is not the source. A file that a plain PATH names is
// left as it is: [ErrHoldsData] if it is not empty. Truncate does nothing for
// files to append to, new files, and all but regular files.
func (s *Stream) Truncate() error {
	if s.spares && s.Out.Stat.Size > 0 {
		return ErrHoldsData
	}
	if !s.truncates {
		return nil
	}
	s.Out.Stat.Size = 0
	for {
		if err := unix.Ftruncate(s.Out.FD, 0); err != unix.EINTR {
			return err
		}
	}
}

// Replaces reports whether the sink s is the file that src is read from, which
// would be overwritten.
func (s *Stream) Replaces(src *Stream) bool {
	a, b := s.Out.Stat, src.In.Stat
	return (s.truncates || s.spares) && a.Dev == b.Dev && a.Ino == b.Ino
}

// EndOutput tells the peer that nothing more will come: a socket is shut down
// for writing, what writes to a command or a file is closed. Reading goes on. An
// inherited socket that is only written to is left to those who share it.
// The error is that of close(2), which may be the first to know of a full disk.
func (s *Stream) EndOutput() error {
	switch {
	case s.Out == nil, s.replacement != nil: // which Close ends
		return nil
	case s.Out.Kind == splice.Socket && !s.owned && s.In == nil:
		return nil
	case s.Out.Kind == splice.Socket:
		s.resetUnlessEnded(false)
		_ = unix.Shutdown(s.Out.FD, unix.SHUT_WR) // ENOTCONN: the peer was faster
		return nil
	case s.owned && s.In == nil || s.Command():
		fd := s.Out.FD
		s.Out = nil
		return s.opener.close(fd)
	}
	return nil
}

// EndInput tells a command that nothing more of its output is wanted: it dies of
// SIGPIPE if it goes on writing. Other peers are told by Close. It may be called
// once, by who reads.
func (s *Stream) EndInput() {
	if s.Command() && s.In != nil {
		_ = s.opener.close(s.In.FD)
		s.inputEnded = true
	}
}

// Close closes what Open opened, in order: the peer of a socket sees an end, a
// file that waits to be complete gets its name. The error is that of close(2), or
// of giving it the name.
func (s *Stream) Close() error {
	if s.replacement != nil && s.Out != nil {
		fd := s.Out.FD
		s.Out = nil
		return s.opener.commit(fd, s.replacement)
	}
	if s.Resets() {
		s.resetUnlessEnded(false)
	}
	return s.close()
}

// Abort closes what Open opened so that a peer that can be told knows that
// something is missing: that of a TCP connection gets ECONNRESET, after every
// byte that [Stream.Drain] has waited for. What was not delivered is lost.
// A file that waits to be complete is removed.
func (s *Stream) Abort() {
	_ = s.close()
	if s.replacement != nil {
		s.opener.discard(s.replacement)
	}
}

func (s *Stream) close() error {
	if !s.owned {
		return nil
	}
	var err error
	if s.Out != nil {
		err = s.opener.close(s.Out.FD)
	}
	if s.In != nil && !s.inputEnded && (s.Out == nil || s.In.FD != s.Out.FD) {
		_ = s.opener.close(s.In.FD)
	}
	s.In, s.Out = nil, nil
	return err
}

// CloseFD closes a descriptor of the caller's that was given to Poll.
func (o *Opener) CloseFD(fd int) { _ = o.close(fd) }

func (o *Opener) close(fd int) error {
	if o.Closing != nil {
		o.Closing(fd)
	}
	if err := unix.Close(fd); err != unix.EINTR { // it is closed whatever close(2) says
		return err
	}
	return nil
}
